"""The panel's shell: a bounded HTTP server over asyncio streams.

Theory of operation. A connection is *pending* until its whole head has arrived, then it is answered and closed; a live
stream stays. Every wait has a deadline that covers the whole step, not each byte, so a client that trickles bytes gains
nothing. When all places are taken the oldest pending connection makes room: somebody who opens connections and says
nothing pushes out himself, while a browser says what it wants within a millisecond and is pending no more.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from appliance.core.clock import Clock
from appliance.reporting.model import Model
from appliance.reporting.panel.bench import Bench
from appliance.reporting.panel.counters import PanelCounters
from appliance.reporting.panel.request import HEAD_BYTES_MAX, Door, Refusal, Request, parse
from appliance.reporting.panel.response import (
    EVENT_STREAM_TYPE,
    encode_event,
    encode_head,
    encode_response,
    refusal_response,
)
from appliance.reporting.panel.routes import EVENTS_PATH, Handler
from appliance.reporting.panel.view import Cursor, update

_LINGER_BYTES_MAX = 64 << 10
_END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class PanelLimits:
    """Bound what clients may take."""

    connections_max: int = 32
    streams_max: int = 8
    head_s_max: float = 5.0
    send_s_max: float = 10.0
    linger_s_max: float = 0.5
    event_interval_s: float = 0.5
    quiet_interval_s: float = 1.0


@dataclass(slots=True)
class _Places:
    all: set[asyncio.Task[None]] = field(default_factory=set)
    pending: dict[asyncio.Task[None], None] = field(default_factory=dict)

    def leave(self, task: asyncio.Task[None]) -> None:
        self.all.discard(task)
        self.pending.pop(task, None)


class PanelServer:
    """Answer GET requests on a fixed table of paths and stream the model's changes."""

    def __init__(
        self,
        model: Model,
        clock: Clock,
        table: Mapping[str, Handler],
        door: Door,
        limits: PanelLimits,
        bench: Bench,
        counters: PanelCounters | None = None,
    ) -> None:
        """Answer from this table to clients whom the door lets in; the bench takes presses, if there are any."""
        self._model = model
        self._clock = clock
        self._table = table
        self._door = door
        self._bench = bench
        self._limits = limits
        self._places = _Places()
        self._streams = 0
        self._server: asyncio.Server | None = None
        self.counters = counters or PanelCounters()

    async def start(self, host: str, port: int, context: ssl.SSLContext | None = None) -> int:
        """Listen and return the port, which is a free one when zero was asked for."""
        handshake_s_max = None if context is None else self._limits.head_s_max
        self._server = await asyncio.start_server(
            self._connected,
            host,
            port,
            limit=HEAD_BYTES_MAX,
            backlog=64,
            ssl=context,
            ssl_handshake_timeout=handshake_s_max,
        )
        taken: int = self._server.sockets[0].getsockname()[1]
        return taken

    async def close(self) -> None:
        """Close every connection and stop listening."""
        if self._server is None:
            return
        self._server.close()
        tasks = list(self._places.all)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._server = None

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._places.all) >= self._limits.connections_max and not self._push_out():
            self.counters.turned_away += 1
            writer.transport.abort()
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self._places.all.add(task)
        self._places.pending[task] = None
        task.add_done_callback(self._ended)

    def _push_out(self) -> bool:
        oldest = next(iter(self._places.pending), None)
        if oldest is None:
            return False
        self._places.leave(oldest)
        oldest.cancel()
        self.counters.pushed_out += 1
        return True

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._places.leave(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            context = {"message": "a panel connection failed", "exception": problem, "task": task}
            task.get_loop().call_exception_handler(context)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=0)  # sent means: the kernel has all of it
        try:
            await self._answer(reader, writer)
        except TimeoutError:  # before OSError, of which it is a kind
            self.counters.timed_out += 1
        except (OSError, asyncio.IncompleteReadError):
            self.counters.hung_up += 1
        finally:
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await self._ask(reader, writer)
        self._settle()
        match asked:
            case Refusal():
                self.counters.refused += 1
                await self._send(writer, encode_response(refusal_response(asked)))
            case Request(path, True):
                self.counters.pressed += 1
                await self._send(writer, encode_response(await self._bench(path)))
            case Request(path) if path == EVENTS_PATH:
                await self._stream(writer)
            case Request(path) if path in self._table:
                self.counters.answered += 1
                await self._send(writer, encode_response(self._table[path]()))
            case Request():
                self.counters.refused += 1
                await self._send(writer, encode_response(refusal_response(Refusal(404, "there is no such page"))))
        await self._linger(reader, writer)

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | Refusal:
        async with asyncio.timeout(self._limits.head_s_max):
            try:
                head = await reader.readuntil(_END_OF_HEAD)
            except asyncio.LimitOverrunError:
                return Refusal(431, "the request's head is too large")
        return parse(head, msgspec.structs.replace(self._door, hosts=self._door.hosts | {_own_address(writer)}))

    def _settle(self) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._places.pending.pop(task, None)

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        if self._streams >= self._limits.streams_max:
            self.counters.turned_away += 1
            await self._send(writer, encode_response(refusal_response(Refusal(503, "too many pages watch already"))))
            return
        self._streams += 1
        self.counters.streams += 1
        try:
            await self._send(writer, encode_head(200, EVENT_STREAM_TYPE, None))
            await self._send_changes(writer)
        finally:
            self._streams -= 1

    async def _send_changes(self, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        cursor: Cursor | None = None
        version, quiet_until_s = -1, 0.0
        while True:
            if self._model.version != version or loop.time() >= quiet_until_s:
                version, quiet_until_s = self._model.version, loop.time() + self._limits.quiet_interval_s
                document, cursor = update(self._model, self._clock.monotonic_ns(), cursor)
                await self._send(writer, encode_event(msgspec.json.encode(document)))
            await asyncio.sleep(self._limits.event_interval_s)

    async def _send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        writer.write(data)
        async with asyncio.timeout(self._limits.send_s_max):
            await writer.drain()

    async def _linger(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let the answer arrive: closing over unread input would reset the connection under it (RFC 9112, 9.6)."""
        if writer.can_write_eof():
            writer.write_eof()
        left_bytes = _LINGER_BYTES_MAX
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limits.linger_s_max):
                while left_bytes > 0 and (data := await reader.read(HEAD_BYTES_MAX)):
                    left_bytes -= len(data)


def _own_address(writer: asyncio.StreamWriter) -> str:
    """Return the address the client reached us by: a literal address cannot be re-bound to another site."""
    address: str = writer.get_extra_info("sockname")[0]
    return f"[{address}]" if ":" in address else address
