"""Bugs planted on purpose, to show that the world would see them.

Each is a well-known way of building such a machine wrongly. A planted bug replaces one maker in the recipe, so the
code that trades is never touched and holds no switch for any of this. A bug that no seed catches fails the run: then
the world, not the trader, is what is broken.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec

from appliance.core import events
from appliance.core.commands import SendOrder
from appliance.core.config import Config
from appliance.core.errors import ConfigError
from appliance.core.events import JournalReached
from appliance.core.records import Row
from appliance.core.values import OrderKind
from appliance.engine.conduct import Conduct
from appliance.engine.trader import Trader
from appliance.engine.watch import Watch
from appliance.trading import records
from appliance.trading.desk import Desk, Plan
from appliance.trading.ledger import Ledger, OrderView, replay
from appliance.trading.orders import State
from appliance.trading.protection import Protection
from appliance.trading.restraint import Restraint
from appliance.world.disk import Disk
from appliance.world.inspector import Finding
from appliance.world.keeper import Keeper
from appliance.world.planted_models import MODEL_BUGS
from appliance.world.planted_reports import REPORT_BUGS
from appliance.world.planted_stops import STOP_BUGS
from appliance.world.planting import Bug, spoiled, with_desk
from appliance.world.scale import Scale
from appliance.world.simulation import HONEST, honest_trader, run_seed

# Within so many seeds each bug must be caught by an invariant that is about it.
SEEDS_MAX = 150


class Catch(NamedTuple):
    """Say where a planted bug was seen, or that it was not, and how many seeds were tried."""

    bug: str
    seed: int
    seeds_count: int
    finding: Finding | None


def hunt(name: str, first: int, scale: Scale) -> Catch:
    """Run seeds with one planted bug until the right invariant breaks that holds in the same world without it."""
    bug = bug_of(name)
    for number in range(SEEDS_MAX):
        finding = run_seed(first + number, scale, bug.recipe).finding
        if (
            finding is not None
            and finding.invariant in bug.caught_by
            and run_seed(first + number, scale).finding is None
        ):
            return Catch(name, first + number, number + 1, finding)
    return Catch(name, first + SEEDS_MAX - 1, SEEDS_MAX, None)


def bug_of(name: str) -> Bug:
    """Return the planted bug of that name."""
    for bug in BUGS:
        if bug.name == name:
            return bug
    raise ConfigError(f"no planted bug is called {name!r}; there are: {', '.join(bug.name for bug in BUGS)}")


class _ResendingDesk(Desk):
    """Take silence for failure and try again under a new id."""

    __slots__ = ()

    def timed_out(self, event: events.SendTimedOut) -> None:
        order = self._scribe.ledger.orders.get(event.client_id)
        if order is None or order.state is not State.PLANNED:
            return
        self.withdraw(order.client_id, "timed out")
        self.plan(
            Plan(
                order.instrument,
                order.strategy,
                order.side,
                order.order_kind,
                order.price_ticks,
                order.size_lots,
                order.reduce_only,
                order.reason,
            )
        )


class _DoubleBookingDesk(Desk):
    """Forget which executions were booked already."""

    __slots__ = ()

    def traded(self, event: events.OrderTraded) -> None:
        order = self._scribe.ledger.orders.get(event.client_id)
        if order is not None:
            order.trade_ids.clear()
        super().traded(event)


class _HastyDesk(Desk):
    """Send an intent without waiting for the disk."""

    __slots__ = ()

    def plan(self, plan: Plan) -> str:
        identifier = super().plan(plan)
        order = self._scribe.ledger.orders[identifier]
        self._waiting.pop(order.sequence)
        self.send(self._command(order))
        return identifier


class _RepeatingDesk(Desk):
    """Send the same order again when the journal confirms a later row."""

    __slots__ = ()

    def durable(self, sequence: int) -> list[SendOrder]:
        again = [self._command(order) for order in self._scribe.ledger.unsettled() if order.state is State.UNKNOWN]
        return super().durable(sequence) + again


class _ForgetfulLedger(Ledger):
    """Count an order that fell silent for nothing."""

    __slots__ = ()

    def unsettled(self) -> "list[OrderView]":  # type: ignore[override]
        return [order for order in self.working.values() if order.state is not State.UNKNOWN]


class _CarelessProtection(Protection):
    """Believe that this process will always be there to sell."""

    __slots__ = ()

    def review(self, sales: Collection[OrderKind]) -> None:
        """Guard nothing."""


class _ImpatientRestraint(Restraint):
    """Answer a refusal with the next order."""

    __slots__ = ()

    def waits(self, instrument: str, strategy: str, now_ns: int) -> bool:  # noqa: ARG002 - that is the bug
        """Let nobody wait."""
        return False


class _TrustingWatch(Watch):
    """Act on any quote there ever was."""

    __slots__ = ()

    def fresh(self, name: str) -> bool:
        return self._tapes[name].bid_ticks > 0


class _DeafConduct(Conduct):
    """Take a boot for a permission."""

    __slots__ = ()

    def permission_changed(self, event: events.PermissionChanged) -> None:
        super().permission_changed(msgspec.structs.replace(event, permitted=True, latched=False))


class _ForgetfulKeeper(Keeper):
    """Start with a clear latch whenever the contact is closed."""

    def restart(self) -> None:
        self._record_latched = self._record_latched and not self.contact_closed
        super().restart()


class _LyingDisk(Disk):
    """Acknowledge rows that are only in memory."""

    def write(self, row: Row) -> None:
        super().write(row)
        self._schedule.after(0, lambda: self._tell(JournalReached(row.sequence)))


def _forgetful_replay(rows: Sequence[Row]) -> Ledger:
    ledger = replay(rows)
    ledger.__class__ = _ForgetfulLedger
    return ledger


def _generous_replay(rows: Sequence[Row]) -> Ledger:
    ledger = replay(rows)
    book = ledger._appliers[records.Fill]  # noqa: SLF001 - as above

    def book_without_fee(fill: records.Fill, wall_ns: int, trace: int) -> None:
        book(fill, wall_ns, trace)
        ledger.cash_quanta += fill.fee_quanta

    ledger._appliers[records.Fill] = book_without_fee  # noqa: SLF001 - as above
    return ledger


def _careless_replay(rows: Sequence[Row]) -> Ledger:
    ledger = replay(rows)
    ledger.last_trade_ns = 0
    return ledger


def _impatient(config: Config, ledger: Ledger, now_ns: int, wall_ns: int) -> Trader:
    trader = honest_trader(config, ledger, now_ns, wall_ns)
    desk = trader._parts.desk  # noqa: SLF001 - as above
    settings = desk._settings  # noqa: SLF001 - as above
    desk._settings = settings._replace(grace_ns=-settings.deadline_ns)  # noqa: SLF001 - as above
    return trader


def _remembered_lease(_keeper: Keeper, trader: Trader) -> bool:
    return trader.watch.permitted


BUGS: tuple[Bug, ...] = (
    Bug(
        "latch cleared at boot",
        "a guardian that restarts believes the contact and not its record",
        HONEST._replace(keeper=_ForgetfulKeeper),
        frozenset({1, 2}),
    ),
    Bug(
        "stop ignored by the trader",
        "the trader takes every word of the guardian for a permission",
        spoiled(lambda trader: (trader.conduct, _DeafConduct)),
        frozenset({2}),
    ),
    Bug(
        "lease remembered",
        "the gate asks what the trader was last told, not the lease itself",
        HONEST._replace(lease=_remembered_lease),
        frozenset({1}),
    ),
    Bug(
        "sent again under a new id",
        "a timeout is taken for a refusal and tried again",
        with_desk(_ResendingDesk),
        frozenset({3, 4, 5, 12}),
    ),
    Bug("sent twice", "an order that fell silent is sent again", with_desk(_RepeatingDesk), frozenset({3, 5, 6, 12})),
    Bug(
        "asked too early",
        "not found is taken for never received before the deadline has passed",
        HONEST._replace(trader=_impatient),
        frozenset({3, 5, 12}),
    ),
    Bug(
        "unsynced journal",
        "rows are acknowledged before they are durable",
        HONEST._replace(disk=_LyingDisk),
        frozenset({6}),
    ),
    Bug(
        "sent before the sync",
        "an order leaves when its row is written, not when it is safe",
        with_desk(_HastyDesk),
        frozenset({6}),
    ),
    Bug(
        "executions not told apart",
        "an execution heard of twice is booked twice",
        with_desk(_DoubleBookingDesk),
        frozenset({3}),
    ),
    Bug(
        "unknown not counted",
        "an order that fell silent counts for nothing",
        HONEST._replace(replay=_forgetful_replay),
        frozenset({3, 5, 12}),
    ),
    Bug(
        "positions left bare",
        "no stop stands at the venue, so a dead box sells nothing",
        spoiled(lambda trader: (trader._parts.protection, _CarelessProtection)),  # noqa: SLF001 - as above
        frozenset({12}),
    ),
    Bug(
        "refusals answered at once",
        "the next order follows a refusal without a pause",
        spoiled(lambda trader: (trader._parts.restraint, _ImpatientRestraint)),  # noqa: SLF001 - as above
        frozenset({10}),
    ),
    Bug(
        "old quotes trusted",
        "the market is acted upon however old or disconnected",
        spoiled(lambda trader: (trader.watch, _TrustingWatch)),
        frozenset({10}),
    ),
    Bug(
        "fees forgotten",
        "cash is booked without the venue's fee",
        HONEST._replace(replay=_generous_replay),
        frozenset({4}),
    ),
    Bug(
        "restart forgets",
        "something the journal says is not taken over by the next life",
        HONEST._replace(replay=_careless_replay),
        frozenset({7}),
    ),
    *STOP_BUGS,
    *MODEL_BUGS,
    *REPORT_BUGS,
)
