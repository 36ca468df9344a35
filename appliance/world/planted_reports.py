"""Bugs of the outbox, of the link that fills it, and of the check of the journal, planted like the others."""

from collections.abc import Sequence

from appliance.reporting.mqtt.feeder import Feeder
from appliance.reporting.mqtt.outbox import Draft, Outbox, Position, Waiting
from appliance.store import chain
from appliance.wire.report import Hello
from appliance.world.disk import Disk
from appliance.world.planting import Bug
from appliance.world.reporter import ReporterMaking
from appliance.world.simulation import HONEST


class _HastyOutbox(Outbox):
    """Forget a message when it is sent, not when the broker has it."""

    __slots__ = ()

    async def after(self, identity: int, limit: int) -> list[Waiting]:
        found = await super().after(identity, limit)
        await self.confirm([one.id for one in found])
        return found


class _OverflowingOutbox(Outbox):
    """Make room by dropping the oldest messages."""

    __slots__ = ()

    @property
    def full(self) -> bool:
        return False

    async def store(self, drafts: Sequence[Draft], position: Position) -> None:
        await super().store(drafts, position)
        excess = self.count - self._rows_max
        if excess > 0:
            await self.confirm([one.id for one in await self.after(0, excess)])


class _EagerFeeder(Feeder):
    """Move the position before the rows are stored."""

    __slots__ = ()

    async def settle(self) -> None:
        if self._drafts and self._position is not None:
            ahead = self._position._replace(sequence=self._drafts[-1].sequence)
            await self._outbox.store((), ahead)
        await super().settle()


class _NewestFeeder(Feeder):
    """Take a new connection for a new beginning and go on with the newest row."""

    __slots__ = ()

    def greet(self, hello: Hello) -> int:
        super().greet(hello)
        self._position = Position(hello.journal_tag, 0, hello.head_sequence)
        return hello.head_sequence + 1


def _unchecked(_disk: Disk) -> str:
    return ""


def _last_row_only(disk: Disk) -> str:
    """Believe a journal whose last row follows the one before."""
    if len(disk.rows) < chain.LOOK_AHEAD_ROWS_MAX:
        return ""
    last = disk.rows[-1]
    stored = (last.sequence, last.wall_ns, last.trace, last.kind.encode(), last.payload)
    return "" if chain.link(disk.hashes[-2], *stored) == disk.hashes[-1] else "the last row does not follow"


REPORT_BUGS: tuple[Bug, ...] = (
    Bug(
        "forgotten when sent",
        "a message leaves the outbox when it is sent, not when the broker has it",
        HONEST._replace(reporter=ReporterMaking(outbox=_HastyOutbox)),
        frozenset({8}),
    ),
    Bug(
        "full outbox drops the oldest",
        "an outbox without room throws away what waits",
        HONEST._replace(reporter=ReporterMaking(outbox=_OverflowingOutbox)),
        frozenset({8}),
    ),
    Bug(
        "position before its rows",
        "the position is stored in a transaction of its own, before the rows",
        HONEST._replace(reporter=ReporterMaking(feeder=_EagerFeeder)),
        frozenset({8}),
    ),
    Bug(
        "resumed at the newest row",
        "a link that comes back goes on with the newest row",
        HONEST._replace(reporter=ReporterMaking(feeder=_NewestFeeder)),
        frozenset({8}),
    ),
    Bug(
        "journal taken unread",
        "a process starts on whatever lies in the journal",
        HONEST._replace(inspect=_unchecked),
        frozenset({11}),
    ),
    Bug(
        "only the last row checked",
        "a journal passes whose end is whole",
        HONEST._replace(inspect=_last_row_only),
        frozenset({11}),
    ),
)
