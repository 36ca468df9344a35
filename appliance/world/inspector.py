"""The inspector stands beside the process, is told of everything it does, and asks whether it may.

It also keeps what a run is remembered by: how often everything happened, a hash over every moment, event and command,
and, when asked for, the story in words.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from appliance.core import events
from appliance.core.clock import NANOSECONDS_PER_MILLISECOND
from appliance.core.commands import AnyCommand, AskModels, SendOrder
from appliance.core.config import Config
from appliance.core.events import AnyEvent
from appliance.core.records import Row
from appliance.core.values import VenueState
from appliance.engine.assembly import risk_limits
from appliance.engine.trader import Trader
from appliance.trading import records
from appliance.trading.ledger import Ledger
from appliance.world import invariants
from appliance.world.books import Books
from appliance.world.coverage import Coverage
from appliance.world.disk import Disk
from appliance.world.invariants import MarketSeen, Underway
from appliance.world.keeper import Keeper
from appliance.world.lamp_truth import lamp_is_true
from appliance.world.links import Connection
from appliance.world.opinions import Opinions
from appliance.world.schedule import Schedule
from appliance.world.shell import Shell
from appliance.world.told import Told
from appliance.world.venue import STRANGER, Venue

FOLD_EVERY_EVENTS = 4_096
FAULT_EXCUSED_BY_DISK = "the journal failed"
FAULT_EXCUSED_BY_KEY = "the venue's key"
FAULT_EXCUSED_BY_DEPOSIT = "the venue disagrees: cash"
FAULT_EXCUSED_BY_STRANGER = f"the venue lists order {STRANGER}"
FAULT_EXCUSED_BY_STRANGER_AT_FIRST = "flat and without orders"
_MARKET = frozenset({events.QuoteChanged, events.TradePrinted})
ABOUT_ORDERS = (
    events.OrderAcknowledged, events.OrderRefused, events.OrderTraded, events.OrderEnded, events.OrderReported,
    events.OrderAmended, events.AmendRefused, events.CancelRefused, events.SendTimedOut, events.SendFailed,
)  # fmt: skip
_IDLE = frozenset({events.TimePassed, events.JournalReached})
_encode = msgspec.msgpack.Encoder().encode


class Finding(NamedTuple):
    """Say which invariant broke, when and how."""

    invariant: int
    sentence: str
    time_ns: int


class Parts(NamedTuple):
    """Join what the inspector may look at."""

    shell: Shell
    venue: Venue
    orders: Connection
    disk: Disk
    keeper: Keeper


class Inspector:
    """Check every invariant at the moments at which it can break."""

    def __init__(self, schedule: Schedule, config: Config, story: Callable[[str], None] | None) -> None:
        """Begin with nothing seen; `story` is told what happens, in words."""
        self._schedule = schedule
        self._limits = risk_limits(config)
        self._age_ns_max = config.market.feed_age_ms_max * NANOSECONDS_PER_MILLISECOND
        self._story = story
        self._hash = hashlib.sha256()
        self._seen: dict[str, MarketSeen] = {}
        self._marks: dict[str, int] = {}
        self._sent: set[str] = set()
        self._synchronized = False
        self._apart_since_ns: int | None = None
        self._told_stopped = False
        self._faults_read = 0
        self._told = Told({})
        self.opinions = Opinions(config)
        self._fold_due_count = FOLD_EVERY_EVENTS
        self.books = Books()
        self.events: Counter[str] = Counter()
        self.events_count = 0
        self.coverage = Coverage()
        self.excuses: set[str] = set()
        self._rows: list[Row] = []
        self.finding: Finding | None = None
        self.parts: Parts

    @property
    def digest(self) -> str:
        """Return the hash over everything so far."""
        return self._hash.hexdigest()

    def note(self, what: str) -> None:
        """Take something that happened outside the process into the hash and the story."""
        self._hash.update(_encode((self._schedule.now_ns, what)))
        self._tell(what)

    def found(self, invariant: int, sentence: str) -> None:
        """Keep the first thing that is wrong."""
        if sentence and self.finding is None:
            self.finding = Finding(invariant, sentence, self._schedule.now_ns)
            self._tell(f"INVARIANT {invariant}: {sentence}")

    def stepping(self, trader: Trader, event: AnyEvent) -> None:
        """Count what an event meets: the mode, and the order it speaks of."""
        kind = type(event).__name__
        self.coverage.event_in_mode(trader.mode, kind)
        if isinstance(event, ABOUT_ORDERS):
            order = trader.ledger.orders.get(event.client_id)
            if order is not None:
                self.coverage.word_to_order(order.state, kind)
        elif isinstance(event, events.ModelsAnswered):
            self.opinions.heard(event, self._schedule.now_ns)

    def stepped(self, event: AnyEvent, commands: Sequence[AnyCommand]) -> None:
        """Take an event that was handled and what came of it."""
        self._hash.update(_encode((self._schedule.now_ns, event, commands)))
        self.events_count += 1
        kind = type(event)
        self.events[kind.__name__] += 1
        if kind in _MARKET:
            self._see_market(event)
            if not commands:
                return
        elif isinstance(event, events.TimePassed):
            self._synchronized = event.wall_synchronized
            self._look_at_clocks()
        elif isinstance(event, events.PermissionChanged):
            self._told_stopped = not event.permitted
        elif isinstance(event, events.FeedChanged):
            self._seen.clear()
        elif isinstance(event, events.MarketFrame):
            self._told.frame(event.text)
        elif isinstance(event, events.OrderRefused) or (
            isinstance(event, events.OrderReported) and event.state is VenueState.REFUSED
        ):
            self._told.refused(event.client_id, self._strategy(event.client_id), self._schedule.now_ns)
        if not commands and kind in _IDLE:
            # Nothing was written and nothing sent, so no book can have changed; time may have.
            self._check_stopped()
            return
        self._see_asks(commands, past=kind is events.HistoryTold)
        self._narrate(event, commands)
        self.check()

    def leaving(self, command: SendOrder) -> None:
        """Judge an order at the door."""
        parts, now_ns = self.parts, self._schedule.now_ns
        seen = self._seen.get(command.instrument)
        self.found(1, invariants.leaves_only_with_permission(parts.keeper, command))
        self.found(6, invariants.is_durable_and_new(command, self.books, parts.disk, self._sent))
        self.found(10, invariants.clocks_agree(command, parts.shell.around.clock))
        self.found(10, invariants.market_is_usable(command, seen, now_ns, self._age_ns_max, self._synchronized))
        self._sent.add(command.client_id)
        if not command.reduce_only:
            self.found(10, self._told.forbids(command, self._strategy(command.client_id), now_ns))
            self.found(10, invariants.would_meet_own(command, parts.venue.exchange))
            underway = [*self._underway(), Underway(command, now_ns, now_ns)]
            self.found(5, invariants.within_limits(parts.venue.exchange, self._marks, underway, self._limits))

    def written(self, row: Row) -> None:
        """Add a row up."""
        del self._rows[row.sequence - 1 :]
        self._rows.append(row)
        self.found(3, self.books.add(row, self.parts.venue.exchange, self.coverage))
        intent = self.books.last_intent
        if row.kind == "intent" and intent is not None:
            self.found(10, self._told.planned(intent.instrument, self._schedule.now_ns))
        if row.kind == "decision" and isinstance(record := records.decode(row), records.Decision):
            self.found(10, self.opinions.forbid(record, self._schedule.now_ns))
        for reason in self.books.faults[self._faults_read :]:
            self._faults_read += 1
            self.found(12, invariants.fault_is_excused(reason, frozenset(self.excuses)))

    def died(self, lost_rows: int) -> None:
        """Check what a crash left behind."""
        self.note(f"the process is gone, and with it {lost_rows} rows that were not synced")
        self.found(6, invariants.nothing_sent_is_forgotten(self.parts.disk, self.books, self._sent))

    def opening(self, damage: str) -> None:
        """Judge what the process makes of its journal: damage is found, and only damage."""
        disk = self.parts.disk
        if damage and not disk.damaged:
            self.found(11, f"the journal is what was written, and was refused: {damage}")
        elif not damage and (disk.damaged or disk.rows != self._rows[: len(disk.rows)]):
            self.found(11, "the process starts on a journal that is not what was written")
        if damage:
            self.note(f"the journal is refused: {damage}")

    def booted(self, ledger: Ledger) -> None:
        """Begin the books again from what the disk kept, as the process has."""
        self.note(f"the process starts at row {ledger.sequence}")
        self._seen.clear()
        self._told = Told(self.parts.venue.exchange.instruments)
        self.opinions.begin()
        self._synchronized = self._told_stopped = False
        self._apart_since_ns = None
        if self.books.shadow.sequence != len(self.parts.disk.rows):
            self.books = Books()
            for row in self.parts.disk.rows:
                self.found(3, self.books.add(row, self.parts.venue.exchange))
        self._faults_read = len(self.books.faults)
        self.found(7, invariants.restart_is_the_fold(ledger, self.books))

    def check(self) -> None:
        """Check everything that may be checked at any moment."""
        trader = self.parts.shell.trader
        if trader is None:
            return
        ledger, exchange = trader.ledger, self.parts.venue.exchange
        underway = list(self._underway())
        self._check_stopped()
        self.found(9, lamp_is_true(self.parts.keeper, trader, exchange, underway))
        self.found(3, invariants.positions_are_fills(ledger, self.books))
        self.found(3, invariants.equals_the_venue(ledger, exchange, underway, self.parts.venue.foreign_quanta))
        self.found(4, invariants.cash_is_conserved(ledger, self.books))
        self.found(5, invariants.exposure_is_counted(ledger, exchange, underway))
        if self.events_count >= self._fold_due_count:
            self._fold_due_count = self.events_count + FOLD_EVERY_EVENTS
            self.check_fold(ledger)

    def _check_stopped(self) -> None:
        trader = self.parts.shell.trader
        if trader is not None:
            self.found(2, invariants.stays_stopped(self.parts.keeper, trader, self._told_stopped))

    def _look_at_clocks(self) -> None:
        shell, now_ns = self.parts.shell, self._schedule.now_ns
        if not self.parts.orders.up or not shell.around.clock.too_far:
            self._apart_since_ns = None
        elif self._apart_since_ns is None:
            self._apart_since_ns = now_ns
        elif shell.trader is not None:
            self.found(10, invariants.heeds_the_clocks(shell.trader, now_ns - self._apart_since_ns))

    def check_fold(self, ledger: Ledger) -> None:
        """Check what is too slow for every event: the ledger as a whole, and the venue's own books."""
        self.found(7, invariants.restart_is_the_fold(ledger, self.books))
        self.found(4, "; ".join(self.parts.venue.exchange.audit()))

    def _strategy(self, client_id: str) -> tuple[str, str] | None:
        trader = self.parts.shell.trader
        order = trader.ledger.orders.get(client_id) if trader is not None else None
        return None if order is None or order.reduce_only else (order.instrument, order.strategy)

    def _underway(self) -> Iterator[Underway]:
        now_ns = self._schedule.now_ns
        for message in self.parts.orders.rising:
            if isinstance(message.command, SendOrder) and not message.lost:
                yield Underway(message.command, message.sent_ns, message.due_ns)
        for command, sent_ns in self.parts.venue.waiting:
            if isinstance(command, SendOrder) and not command.client_id.startswith(STRANGER):
                yield Underway(command, sent_ns, now_ns)

    def _see_market(self, event: AnyEvent) -> None:
        if not isinstance(event, events.QuoteChanged):
            return
        before = self._seen.get(event.instrument)
        if before is None or event.sequence > before.sequence:
            good = 0 < event.bid_ticks < event.ask_ticks
            self._seen[event.instrument] = MarketSeen(event.sequence, self._schedule.now_ns, good)
            if good:
                self._marks[event.instrument] = event.bid_ticks

    def _see_asks(self, commands: Sequence[AnyCommand], *, past: bool) -> None:
        for command in commands:
            if isinstance(command, AskModels):
                self.opinions.asked(command, self._schedule.now_ns, past=past)

    def _narrate(self, event: AnyEvent, commands: Sequence[AnyCommand]) -> None:
        if self._story is not None and (commands or not isinstance(event, events.TimePassed)):
            self._tell(f"  {event}")
            for command in commands:
                self._tell(f"    -> {command}")

    def _tell(self, what: str) -> None:
        if self._story is not None:
            self._story(f"{self._schedule.now_ns / 1e9:12.6f}  {what}")
