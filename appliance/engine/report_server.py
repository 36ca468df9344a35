"""The trader's side of the link to the reporter: a unix socket that never makes the trader wait.

Publishing puts a row into one ring that all subscribers share, and returns. Each subscriber has a cursor and pulls at
its own speed: from the ring while it keeps up, from the journal (`read_rows`, a page at a time) where the ring no
longer reaches. So there is no buffer per subscriber beyond its socket's, and nothing to overflow: a row is never
dropped for anybody. A subscriber whose socket takes nothing for a while is disconnected, and resumes by sequence.
Telemetry is the opposite: only the latest counts, sent at most at the declared interval, so a slow subscriber simply
sees less of it.
"""

import asyncio
import contextlib
import itertools
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from appliance.core.errors import ApplianceError, StoreFailure, WireError
from appliance.core.records import Row
from appliance.core.require import require
from appliance.wire.link import encode
from appliance.wire.report import SUBSCRIBE_BYTES_MAX, Hello, RowFrame, Subscribe, Telemetry, reporter_decoder

ReadRows = Callable[[int, int], Awaitable[Sequence[Row]]]
_ROW_OVERHEAD_BYTES = 200
_WRITTEN_LOOK_S = 0.005


@dataclass(frozen=True, slots=True)
class ReportLimits:
    """Bound what the link may hold and how long it waits."""

    ring_rows_max: int = 4096
    ring_bytes_max: int = 4 << 20
    page_rows_max: int = 64
    socket_bytes_max: int = 256 << 10
    clients_max: int = 4
    telemetry_interval_s: float = 0.5
    subscribe_s_max: float = 5.0
    send_s_max: float = 10.0


@dataclass(slots=True)
class ReportCounters:
    """Count what happened to subscribers."""

    accepted: int = 0
    turned_away: int = 0
    failed: int = 0
    too_slow: int = 0
    rows_sent: int = 0


@dataclass(slots=True, eq=False)
class _Client:
    writer: asyncio.StreamWriter
    cursor: int = 0
    telemetry_version: int = 0
    telemetry_due_s: float = 0.0
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class ReportServer:
    """Serve durable rows and telemetry to reporters."""

    def __init__(self, path: Path, hello: Hello, read_rows: ReadRows, limits: ReportLimits | None = None) -> None:
        """Serve the journal that this hello describes; `read_rows(from_sequence, limit)` reads its older rows."""
        self._path = path
        self._hello = hello
        self._read_rows = read_rows
        self._limits = limits or ReportLimits()
        self._ring: deque[Row] = deque()
        self._ring_bytes = 0
        self._head_sequence = hello.head_sequence
        self._telemetry: Telemetry | None = None
        self._telemetry_version = 0
        self._clients: set[_Client] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.counters = ReportCounters()

    @property
    def head_sequence(self) -> int:
        """Return the sequence of the last published row."""
        return self._head_sequence

    @property
    def ring_rows(self) -> int:
        """Return how many rows are held in memory."""
        return len(self._ring)

    async def start(self) -> None:
        """Listen on the socket, replacing one that a dead process left."""
        self._server = await asyncio.start_unix_server(self._connected, self._path)
        self._path.chmod(0o660)

    async def close(self) -> None:
        """Disconnect everybody and stop listening."""
        if self._server is None:
            return
        self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._server = None
        self._path.unlink(missing_ok=True)

    def publish_row(self, row: Row) -> None:
        """Hand a row that just became durable to every subscriber, at once."""
        require(row.sequence == self._head_sequence + 1, f"row {row.sequence} published after {self._head_sequence}")
        self._head_sequence = row.sequence
        self._ring.append(row)
        self._ring_bytes += _held_bytes(row)
        while len(self._ring) > self._limits.ring_rows_max or self._ring_bytes > self._limits.ring_bytes_max:
            self._ring_bytes -= _held_bytes(self._ring.popleft())
        self._wake_all()

    def publish_telemetry(self, telemetry: Telemetry) -> None:
        """Replace what subscribers are told about this moment, at once."""
        self._telemetry = telemetry
        self._telemetry_version += 1
        self._wake_all()

    async def written_out(self) -> int:
        """Wait until every subscriber has been sent all there is, the latest telemetry included; return how many."""
        for client in self._clients:
            client.telemetry_due_s = 0.0
        self._wake_all()
        sequence = self._head_sequence
        while any(self._owed(client, sequence) for client in self._clients):  # noqa: ASYNC110 - a socket's buffer tells nobody
            await asyncio.sleep(_WRITTEN_LOOK_S)
        return len(self._clients)

    def _owed(self, client: _Client, sequence: int) -> bool:
        unsent = client.telemetry_version != self._telemetry_version or client.cursor <= sequence
        return unsent or client.writer.transport.get_write_buffer_size() > 0

    def _wake_all(self) -> None:
        for client in self._clients:
            client.wake.set()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._tasks) >= self._limits.clients_max:
            self.counters.turned_away += 1
            writer.transport.abort()
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            context = {"message": "a subscriber's task failed", "exception": problem, "task": task}
            task.get_loop().call_exception_handler(context)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._converse(reader, writer)
        except TimeoutError:  # before OSError, of which it is a kind
            self.counters.too_slow += 1
        except (OSError, ApplianceError):
            self.counters.failed += 1
        finally:
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=self._limits.socket_bytes_max)
        client = _Client(writer)
        hello = msgspec.structs.replace(self._hello, head_sequence=self._head_sequence)
        await self._send(client, encode(hello))
        client.cursor = (await self._subscription(reader)).from_sequence
        if not 0 <= client.cursor <= self._head_sequence + 1:
            raise WireError(f"rows from {client.cursor} asked for, the last is {self._head_sequence}")
        self.counters.accepted += 1
        self._clients.add(client)
        try:
            await self._until_hangup(reader, client)
        finally:
            self._clients.discard(client)

    async def _subscription(self, reader: asyncio.StreamReader) -> Subscribe:
        decoder = reporter_decoder()
        async with asyncio.timeout(self._limits.subscribe_s_max):
            while True:
                data = await reader.read(SUBSCRIBE_BYTES_MAX)
                if not data:
                    raise WireError("hung up before subscribing")
                for message in decoder.feed(data):
                    return message

    async def _until_hangup(self, reader: asyncio.StreamReader, client: _Client) -> None:
        pump = asyncio.ensure_future(self._pump(client))
        hangup = asyncio.ensure_future(reader.read(1))
        try:
            done, _ = await asyncio.wait({pump, hangup}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            pump.cancel()
            hangup.cancel()
            await asyncio.gather(pump, hangup, return_exceptions=True)

    async def _pump(self, client: _Client) -> None:
        while True:
            client.wake.clear()
            await self._send_telemetry(client)
            if client.cursor <= self._head_sequence:
                await self._send_page(client)
                await asyncio.sleep(0)
            else:
                await self._next_wake(client)

    async def _next_wake(self, client: _Client) -> None:
        due_s = client.telemetry_due_s if client.telemetry_version != self._telemetry_version else None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(due_s):
                await client.wake.wait()

    async def _send_telemetry(self, client: _Client) -> None:
        now_s = asyncio.get_running_loop().time()
        telemetry = self._telemetry
        if telemetry is None or client.telemetry_version == self._telemetry_version or now_s < client.telemetry_due_s:
            return
        client.telemetry_version = self._telemetry_version
        client.telemetry_due_s = now_s + self._limits.telemetry_interval_s
        await self._send(client, encode(telemetry))

    async def _send_page(self, client: _Client) -> None:
        rows = await self._page(client.cursor)
        contiguous = all(row.sequence == client.cursor + offset for offset, row in enumerate(rows))
        if not rows or not contiguous:
            raise StoreFailure(f"the journal did not give rows from {client.cursor} in order; check it with `verify`")
        await self._send(client, b"".join(encode(RowFrame(row)) for row in rows))
        client.cursor += len(rows)
        self.counters.rows_sent += len(rows)

    async def _page(self, from_sequence: int) -> Sequence[Row]:
        limit = self._limits.page_rows_max
        offset = from_sequence - (self._head_sequence - len(self._ring) + 1)
        if offset >= 0:
            return list(itertools.islice(self._ring, offset, offset + limit))
        return await self._read_rows(from_sequence, min(limit, -offset))

    async def _send(self, client: _Client, frame: bytes) -> None:
        client.writer.write(frame)
        async with asyncio.timeout(self._limits.send_s_max):
            await client.writer.drain()


def _held_bytes(row: Row) -> int:
    return len(row.payload) + _ROW_OVERHEAD_BYTES
