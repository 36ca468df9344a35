"""The trader's side of the link over a real unix socket: nothing lost, nothing waits, everything bounded."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from appliance.core.errors import InvariantBroken
from appliance.core.records import Row
from appliance.engine.report_server import ReportLimits, ReportServer
from appliance.wire.link import encode
from appliance.wire.report import Hello, RowFrame, Subscribe, Telemetry, TraderFrame, trader_decoder
from tests.integration.reporting.loops import eventually, on_socket
from tests.integration.reporting.scripted_trader import ScriptedTrader, hello, note, row, telemetry


class Subscriber:
    """Read frames as a reporter would."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read from this connection."""
        self.reader, self.writer = reader, writer
        self.decoder = trader_decoder()
        self.waiting: list[TraderFrame] = []

    @classmethod
    async def connect(cls, path: Path, from_sequence: int | None) -> "Subscriber":
        """Connect, take the hello and subscribe unless told not to."""
        subscriber = cls(*await asyncio.open_unix_connection(path))
        try:
            assert isinstance(await subscriber.frame(), Hello)
        except (EOFError, ConnectionError):
            await subscriber.close()
            raise
        if from_sequence is not None:
            subscriber.writer.write(encode(Subscribe(from_sequence)))
        return subscriber

    async def frame(self) -> TraderFrame:
        """Return the next frame."""
        while not self.waiting:
            data = await self.reader.read(65_536)
            if not data:
                raise EOFError
            self.waiting += self.decoder.feed(data)
        return self.waiting.pop(0)

    async def sequences(self, count: int) -> list[int]:
        """Return the sequences of the next rows."""
        found: list[int] = []
        while len(found) < count:
            frame = await self.frame()
            if isinstance(frame, RowFrame):
                found.append(frame.row.sequence)
        return found

    async def ended(self) -> bool:
        """Wait until the other side hangs up."""
        try:
            while True:
                await self.frame()
        except (EOFError, ConnectionError):
            return True
        finally:
            await self.close()

    async def close(self) -> None:
        """Hang up."""
        self.writer.transport.abort()
        await asyncio.sleep(0)


@pytest.mark.parametrize("from_sequence", [1, 2, 137, 480, 499, 501])
def test_rows_come_from_the_journal_then_from_memory_then_live(from_sequence: int) -> None:
    """One unbroken sequence from wherever it is asked; wrong if the seam between journal, ring and live lost a row."""

    async def body(path: Path) -> None:
        trader = ScriptedTrader(
            path, [row(number, note(number)) for number in range(1, 401)], ReportLimits(ring_rows_max=32)
        )
        await trader.server.start()
        for number in range(401, 501):
            trader.publish(note(number))
        subscriber = await Subscriber.connect(path, from_sequence)
        early = await subscriber.sequences(501 - from_sequence)
        assert (trader.pages_read > 0) == (from_sequence < 469)
        for number in range(501, 601):
            trader.publish(note(number))
        late = await subscriber.sequences(100)
        assert early + late == list(range(from_sequence, 601))
        await subscriber.close()
        await trader.server.close()

    on_socket(body)


def test_memory_is_bounded_in_rows_and_in_bytes() -> None:
    """However much is published, the ring keeps to both limits; wrong if only the number of rows counted."""

    async def body(path: Path) -> None:
        few = ReportServer(path, hello(), lambda _from, _limit: asyncio.sleep(0, []), ReportLimits(ring_rows_max=10))
        fat = ReportServer(
            path, hello(), lambda _from, _limit: asyncio.sleep(0, []), ReportLimits(ring_bytes_max=10_000)
        )
        for number in range(1, 1001):
            few.publish_row(row(number, note(number)))
            fat.publish_row(Row(number, 0, 0, "order", bytes(1800)))
        assert few.ring_rows == 10
        assert fat.ring_rows == 5

    on_socket(body)


def test_a_subscriber_that_takes_nothing_is_cut_off_and_nobody_else_notices() -> None:
    """The stuck one is disconnected and resumes without a gap, the other gets every row; wrong if either held up the
    trader, or if rows were left out for the slow one.
    """

    async def body(path: Path) -> None:
        limits = ReportLimits(send_s_max=0.3, socket_bytes_max=4096)
        trader = ScriptedTrader(path, (), limits)
        await trader.server.start()
        stuck = await Subscriber.connect(path, 1)
        stuck.reader._transport.pause_reading()  # type: ignore[attr-defined]
        quick = await Subscriber.connect(path, 1)
        for number in range(1, 8001):
            trader.publish(note(number))
        assert await quick.sequences(8000) == list(range(1, 8001))
        await eventually(lambda: trader.server.counters.too_slow)
        stuck.reader._transport.resume_reading()  # type: ignore[attr-defined]
        got = 0
        try:
            while True:
                got = (await stuck.sequences(1))[0]
        except (EOFError, ConnectionError):
            await stuck.close()
        assert 0 < got < 8000
        again = await Subscriber.connect(path, got + 1)
        assert await again.sequences(8000 - got) == list(range(got + 1, 8001))
        await again.close()
        await quick.close()
        await trader.server.close()

    on_socket(body)


def test_telemetry_is_thinned_and_always_the_latest() -> None:
    """A flood of telemetry arrives as few frames and ends with the last; wrong if all were queued or the last lost."""

    async def body(path: Path) -> None:
        trader = ScriptedTrader(path, (), ReportLimits(telemetry_interval_s=0.2))
        await trader.server.start()
        subscriber = await Subscriber.connect(path, 1)
        seen: list[Telemetry] = []

        async def watch() -> None:
            while not seen or seen[-1].wall_ns != 1000:
                frame = await subscriber.frame()
                assert isinstance(frame, Telemetry)
                seen.append(frame)

        watching = asyncio.create_task(watch())
        for number in range(1, 1001):
            trader.server.publish_telemetry(telemetry(number))
            await asyncio.sleep(0.0005)
        await watching
        assert len(seen) < 30
        await subscriber.close()
        await trader.server.close()

    on_socket(body)


@pytest.mark.parametrize(
    "said",
    [encode(Subscribe(12)), encode(Subscribe(-1)), b"\xff" * 8, b"\x00\x00\x00\x02{}", b""],
    ids=["beyond the head", "negative", "garbage", "no message", "silence"],
)
def test_a_subscriber_that_says_nonsense_or_nothing_is_cut_off(said: bytes) -> None:
    """Rows that do not exist, garbage and silence end the connection; wrong if any of them kept a place."""

    async def body(path: Path) -> None:
        trader = ScriptedTrader(path, [row(1, note(1))], ReportLimits(subscribe_s_max=0.2))
        await trader.server.start()
        subscriber = await Subscriber.connect(path, None)
        subscriber.writer.write(said)
        assert await subscriber.ended()
        assert trader.server.counters.accepted == 0
        await trader.server.close()

    on_socket(body)


def test_a_journal_that_skips_a_row_ends_the_connection_instead_of_hiding_it() -> None:
    """A hole in what the journal returns is never passed on; wrong if the subscriber got the rows behind it."""

    async def body(path: Path) -> None:
        async def with_a_hole(from_sequence: int, limit: int) -> Sequence[Row]:
            rows = [row(number, note(number)) for number in range(from_sequence, from_sequence + limit)]
            return [one for one in rows if one.sequence != 7]

        server = ReportServer(path, hello(100), with_a_hole)
        await server.start()
        subscriber = await Subscriber.connect(path, 1)
        assert await subscriber.ended()
        assert server.counters.rows_sent == 0
        assert server.counters.failed == 1
        await server.close()

    on_socket(body)


def test_places_are_limited_and_freed_when_a_subscriber_leaves() -> None:
    """One more than allowed is turned away, and a place is free again after a hang-up; wrong if places leaked."""

    async def body(path: Path) -> None:
        trader = ScriptedTrader(path, [row(1, note(1))], ReportLimits(clients_max=2))
        await trader.server.start()
        kept = [await Subscriber.connect(path, 1) for _ in range(2)]
        with pytest.raises((EOFError, ConnectionError)):
            await Subscriber.connect(path, 1)
        assert trader.server.counters.turned_away == 1
        await kept[0].close()
        await eventually(lambda: len(trader.server._tasks) < 2)
        again = await Subscriber.connect(path, 1)
        assert await again.sequences(1) == [1]
        await again.close()
        await kept[1].close()
        await trader.server.close()

    on_socket(body)


def test_rows_out_of_sequence_stop_the_process_that_publishes_them() -> None:
    """A hole at the source is a bug and stops at once; wrong if a reporter had to find it."""

    async def body(path: Path) -> None:
        server = ReportServer(path, hello(4), lambda _from, _limit: asyncio.sleep(0, []))
        with pytest.raises(InvariantBroken):
            server.publish_row(row(6, note(6)))

    on_socket(body)


def test_it_listens_where_a_dead_process_left_its_socket_and_cleans_up() -> None:
    """A leftover socket does not stop the start, and an orderly end leaves none; wrong after any crash otherwise."""

    async def body(path: Path) -> None:
        first = ScriptedTrader(path)
        await first.server.start()
        second = ScriptedTrader(path, [row(1, note(1))])
        await second.server.start()
        subscriber = await Subscriber.connect(path, 1)
        assert await subscriber.sequences(1) == [1]
        await subscriber.close()
        await second.server.close()
        await first.server.close()

    on_socket(body)
