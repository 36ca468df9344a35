"""The trader's side of the link to the reporter: the real server, one for each life of the trader's process."""

import asyncio
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from appliance.core.commands import AnyCommand, SendOrder
from appliance.core.events import AnyEvent, JournalReached
from appliance.core.records import Row
from appliance.engine.report_server import ReportLimits, ReportServer
from appliance.engine.trader import Trader
from appliance.trading.ledger import Ledger
from appliance.wire.report import PROTOCOL_VERSION, Hello
from appliance.world.disk import Disk
from appliance.world.links import milliseconds
from appliance.world.pipe import PipeEnd, join
from appliance.world.schedule import Beside
from appliance.world.shell import Watcher
from appliance.world.virtual_loop import VirtualLoop

READ_MS = (1, 20)
_SOCKET = Path("report.sock")


class _Server(ReportServer):
    """Be joined to a pipe instead of a socket in the file system."""

    def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a subscriber's streams."""
        self._connected(reader, writer)


class Publishing:
    """Watch the trader as the inspector does, and publish what became durable."""

    def __init__(
        self,
        schedule: Beside,
        dice: random.Random,
        inner: Watcher,
        disk: Callable[[], Disk],
        names: tuple[str, str],
        failed: Callable[[str], None],
    ) -> None:
        """Stand before another watcher; the names are those of the device and its journal."""
        self._schedule = schedule
        self._dice = dice
        self._inner = inner
        self._disk = disk
        self._device, self._tag = names
        self._failed = failed
        self._published = 0
        self._loop: VirtualLoop | None = None
        self._server: _Server | None = None
        self._ends: list[PipeEnd] = []

    def stepping(self, trader: Trader, event: AnyEvent) -> None:
        """Hand on an event that is about to be handled."""
        self._inner.stepping(trader, event)

    def stepped(self, event: AnyEvent, commands: Sequence[AnyCommand]) -> None:
        """Publish the rows that an event said are durable."""
        self._inner.stepped(event, commands)
        if isinstance(event, JournalReached) and self._server is not None:
            for row in self._disk().true_rows[self._published : event.sequence]:
                self._server.publish_row(row)
            self._published = max(self._published, event.sequence)

    def leaving(self, command: SendOrder) -> None:
        """Hand on an order that is going through the door now."""
        self._inner.leaving(command)

    def written(self, row: Row) -> None:
        """Hand on a row on its way to the disk."""
        self._inner.written(row)

    def opening(self, damage: str) -> None:
        """Hand on what a new process found wrong with its journal."""
        self._inner.opening(damage)

    def booted(self, ledger: Ledger) -> None:
        """Listen for a reporter from the start of a life."""
        self._inner.booted(ledger)
        self._published = ledger.sequence
        hello = Hello(PROTOCOL_VERSION, self._device, self._tag, ledger.sequence, synthetic=True, started_wall_ns=0)
        limits = ReportLimits(
            ring_rows_max=self._dice.choice((1, 8, 4_096)),
            page_rows_max=self._dice.choice((1, 5, 64)),
            socket_bytes_max=self._dice.choice((1_024, 256 << 10)),
        )
        self._loop = VirtualLoop(self._schedule, self._failed)
        self._server = _Server(_SOCKET, hello, self._read_rows, limits)

    def died(self, lost_rows: int) -> None:
        """End with the process."""
        self._inner.died(lost_rows)
        self.end()

    def end(self) -> None:
        """Stop listening, and break what is connected."""
        ends, self._ends = self._ends, []
        for end in ends:
            end.break_off()
        self._server = None
        if self._loop is not None:
            self._loop.end()
            self._loop = None

    def dial(self, loop: VirtualLoop, protocol: asyncio.BaseProtocol) -> asyncio.BaseTransport:
        """Connect a reporter's process to the server, if there is one."""
        ours, server = self._loop, self._server
        if ours is None or server is None or not isinstance(protocol, asyncio.Protocol):
            raise ConnectionRefusedError("nobody listens")
        reader = asyncio.StreamReader(loop=ours)
        served = asyncio.StreamReaderProtocol(reader, server.take, loop=ours)
        near = self._end(loop, protocol)
        far = self._end(ours, served)
        join(near, far)
        self._ends = [end for end in self._ends if not end.is_closing()] + [far]
        ours.call_soon(served.connection_made, far)
        protocol.connection_made(near)
        return near

    def cut(self) -> bool:
        """Break every connection of a reporter; tell whether there was one."""
        broken = [end for end in self._ends if not end.is_closing()]
        for end in broken:
            end.break_off()
        return bool(broken)

    def _end(self, loop: VirtualLoop, protocol: asyncio.Protocol) -> PipeEnd:
        dice = random.Random(self._dice.getrandbits(32))
        return PipeEnd(self._schedule.with_dice(dice), dice, loop, protocol)

    async def _read_rows(self, from_sequence: int, limit: int) -> Sequence[Row]:
        await asyncio.sleep(milliseconds(self._dice, READ_MS) / 1e9)
        return self._disk().true_rows[from_sequence - 1 : from_sequence - 1 + limit]
