"""The panel over real sockets in one process: limits, deadlines and streams."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.core.clock import SystemClock
from appliance.reporting.main import allowed_hosts
from appliance.reporting.model import Model
from appliance.reporting.panel.bench import no_bench
from appliance.reporting.panel.request import Door
from appliance.reporting.panel.routes import routes
from appliance.reporting.panel.server import PanelLimits, PanelServer
from tests.integration.reporting.loops import eventually
from tests.integration.reporting.scripted_trader import hello, note, row, telemetry

PAGE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
EVENTS = b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Bench:
    """Hold a panel on a free loopback port and what it shows."""

    def __init__(self, limits: PanelLimits) -> None:
        """Make a panel with these limits."""
        self.model = Model(100)
        self.model.greet(hello(0))
        clock = SystemClock()
        names = allowed_hosts("127.0.0.1", "bot4-demo")
        self.panel = PanelServer(self.model, clock, routes(self.model, clock), Door(names), limits, no_bench)
        self.port = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection that is closed with the bench."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        return reader, writer

    async def ask(self, request: bytes) -> bytes:
        """Send bytes and return the whole answer, empty when the connection was cut."""
        reader, writer = await self.connect()
        writer.write(request)
        try:
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.transport.abort()


def on_bench(body: Callable[[Bench], Awaitable[None]], limits: PanelLimits | None = None) -> None:
    """Run a test's body against a listening panel."""

    async def bounded() -> None:
        bench = Bench(limits or PanelLimits())
        bench.port = await bench.panel.start("127.0.0.1", 0)
        async with asyncio.timeout(30):
            await body(bench)
        for writer in bench.writers:
            writer.transport.abort()
        await bench.panel.close()
        await asyncio.sleep(0.01)

    asyncio.run(bounded())


async def next_event(reader: asyncio.StreamReader) -> dict[str, object]:
    """Return the next document of a stream."""
    while not (line := await reader.readline()).startswith(b"data: "):
        assert line
    document: dict[str, object] = msgspec.json.decode(line.removeprefix(b"data: "))
    return document


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200), ("/panel.js", 200), ("/lamp.css", 200), ("/state.json", 200), ("/metrics", 200), ("/healthz", 503),
        ("/../../etc/passwd", 404), ("/..%2f..%2fetc%2fpasswd", 404), ("//etc/passwd", 404), ("/panel.css/", 404),
        ("/?x=1", 404), ("/page.html", 404), ("/server.py", 404), ("/%00", 404),
    ],
)  # fmt: skip
def test_paths_are_looked_up_and_never_opened(path: str, status: int) -> None:
    """Only the table's exact paths answer; wrong if any spelling reached a file."""

    async def body(bench: Bench) -> None:
        answer = await bench.ask(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert answer.startswith(f"HTTP/1.1 {status} ".encode())
        head, _, content = answer.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(content)}".encode() in head

    on_bench(body)


def test_a_write_with_a_body_gets_its_405_readable() -> None:
    """The refusal arrives although the client is still sending; wrong if the connection were reset under it."""

    async def body(bench: Bench) -> None:
        answer = await bench.ask(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30000\r\n\r\n" + bytes(30_000))
        assert answer.startswith(b"HTTP/1.1 405 ")

    on_bench(body)


def test_a_request_without_end_is_refused_at_its_limit() -> None:
    """A head that never ends is answered 431 after 8 KiB; wrong if it were collected for as long as it came."""

    async def body(bench: Bench) -> None:
        answer = await bench.ask(b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * 20_000)
        assert answer.startswith(b"HTTP/1.1 431 ")

    on_bench(body)


def test_a_client_that_trickles_its_request_is_cut_off_in_time() -> None:
    """A byte now and then does not extend the deadline; wrong if each byte started it anew."""

    async def body(bench: Bench) -> None:
        reader, writer = await bench.connect()
        started_s = asyncio.get_running_loop().time()

        async def trickle() -> None:
            while True:
                writer.write(b"G")
                await asyncio.sleep(0.02)

        trickling = asyncio.create_task(trickle())
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        trickling.cancel()
        assert asyncio.get_running_loop().time() - started_s < 5
        assert bench.panel.counters.timed_out == 1

    on_bench(body, PanelLimits(head_s_max=0.3))


def test_a_crowd_of_silent_connections_does_not_keep_a_reader_out() -> None:
    """While hundreds connect and say nothing, a page is still served; wrong if they could take every place."""

    async def body(bench: Bench) -> None:
        for _ in range(5):
            for _ in range(60):
                await bench.connect()
            assert (await bench.ask(PAGE)).startswith(b"HTTP/1.1 200 ")
            assert len(bench.panel._places.all) <= 16
        assert bench.panel.counters.pushed_out > 200

    on_bench(body, PanelLimits(connections_max=16, head_s_max=20))


def test_streams_have_places_of_their_own_and_give_them_back() -> None:
    """One stream too many gets 503, pages are still served, a place returns; wrong if watching starved reading."""

    async def body(bench: Bench) -> None:
        watching = []
        for _ in range(2):
            reader, writer = await bench.connect()
            writer.write(EVENTS)
            await next_event(reader)
            watching.append(writer)
        assert (await bench.ask(EVENTS)).startswith(b"HTTP/1.1 503 ")
        assert (await bench.ask(PAGE)).startswith(b"HTTP/1.1 200 ")
        watching[0].transport.abort()
        await eventually(lambda: bench.panel._streams == 1)
        reader, writer = await bench.connect()
        writer.write(EVENTS)
        await next_event(reader)

    on_bench(body, PanelLimits(streams_max=2, event_interval_s=0.05, quiet_interval_s=0.1))


def test_a_stream_tells_everything_once_and_then_what_is_new() -> None:
    """First the whole, then each row once, then a pulse in quiet; wrong if rows were repeated or left out."""

    async def body(bench: Bench) -> None:
        bench.model.take_row(row(1, note(1)))
        reader, writer = await bench.connect()
        writer.write(EVENTS)
        first = await next_event(reader)
        assert [entry["sequence"] for entry in first["entries_all"]] == [1]  # type: ignore[attr-defined]
        for sequence in range(2, 40):
            bench.model.take_row(row(sequence, note(sequence)))
            bench.model.take_telemetry(telemetry(sequence * 10**9), SystemClock().monotonic_ns())
            await asyncio.sleep(0.005)
        seen: list[int] = []
        while 39 not in seen:
            document = await next_event(reader)
            assert "entries_all" not in document
            seen += [entry["sequence"] for entry in document.get("entries_new", [])]  # type: ignore[attr-defined]
        assert seen == list(range(2, 40))
        quiet = await next_event(reader)
        assert set(quiet) == {"state"}

    on_bench(body, PanelLimits(event_interval_s=0.02, quiet_interval_s=0.1))


def test_a_watcher_that_reads_nothing_is_cut_off() -> None:
    """A stream whose reader stopped ends after its deadline; wrong if it held its place and memory for ever."""

    async def body(bench: Bench) -> None:
        reader, writer = await bench.connect()
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(EVENTS)

        async def grow() -> None:
            while True:
                number = (bench.model.last_sequence or 0) + 1
                bench.model.take_row(row(number, note(number)))
                bench.model.generation += 1  # makes every update a whole one, to fill the socket sooner
                await asyncio.sleep(0)

        growing = asyncio.create_task(grow())
        await eventually(lambda: bench.panel.counters.timed_out)
        growing.cancel()
        assert bench.panel._streams == 0

    on_bench(body, PanelLimits(send_s_max=0.3, event_interval_s=0.0, quiet_interval_s=0.0))


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4))
def test_any_bytes_are_answered_or_cut_off_within_limits(chunks: list[bytes]) -> None:
    """Whatever arrives, however cut, the server answers or hangs up and lives on; wrong if one input broke it."""

    async def body(bench: Bench) -> None:
        failures: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: failures.append(context))
        reader, writer = await bench.connect()
        for chunk in chunks:
            writer.write(chunk)
            await asyncio.sleep(0)
        writer.write_eof()
        answer = await reader.read()
        assert answer == b"" or answer.startswith(b"HTTP/1.1 ")
        assert (await bench.ask(PAGE)).startswith(b"HTTP/1.1 200 ")
        assert failures == []

    on_bench(body, PanelLimits(head_s_max=0.2, linger_s_max=0.05))
