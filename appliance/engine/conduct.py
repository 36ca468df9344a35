"""How the trader behaves: which mode it is in, why, and what each mode makes it do.

Boot, crash and restart are one path: the journal is replayed, orders left over are canceled, the books are compared
with the venue's, and only then does permission turn into trading. Losing permission runs the other way: cancel,
verify with the venue, halted. A mode never changes but through the table in safety/modes.
"""

from collections.abc import Collection
from typing import NamedTuple

from appliance.core import events
from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.commands import EndProcess
from appliance.core.require import require
from appliance.core.values import OrderKind
from appliance.engine.breaker_board import BreakerBoard
from appliance.engine.cascade_layers import Stopping
from appliance.engine.dead_man import DeadMan
from appliance.engine.portfolio import Portfolio
from appliance.engine.watch import Watch
from appliance.market.intake import STEPS_CHANGED
from appliance.risk.limits import Usage
from appliance.safety.health.verdict import Consequence
from appliance.safety.modes import Mode, Moved, may_guard, may_reduce, move
from appliance.trading import records
from appliance.trading.desk import Desk
from appliance.trading.reconcile import Reconciler, Verdict
from appliance.trading.scribe import Scribe

# More often than this a process that ends is taken for one that crashes.
ANEW_NS_MIN = 90 * NANOSECONDS_PER_SECOND
_MOVES_PER_REVIEW_MAX = 8
_INHERITED = "still there after a restart: "
_STOPPED = frozenset({Mode.EMERGENCY, Mode.HALTED})
_SELLING = frozenset({OrderKind.LIMIT, OrderKind.MARKET})
_CUTTING = frozenset({OrderKind.MARKET})
_TRADING = frozenset({Mode.NORMAL, Mode.REDUCED, Mode.PAUSED})


class ConductSettings(NamedTuple):
    """Choose how often things are checked, and how long is waited."""

    reconcile_interval_ns: int
    dead_man_s: int
    shutdown_patience_ns: int
    reduce_from_loss_ppm: int


class Conduct:
    """Hold the mode and carry out what it demands."""

    __slots__ = (
        "_board",
        "_books_doubted",
        "_desk",
        "_inherited_fault",
        "_portfolio",
        "_reconciled_ns",
        "_reconciler",
        "_scribe",
        "_settings",
        "_shutdown_ns",
        "_stopping",
        "_watch",
        "acknowledged_latch",
        "dead_man",
        "ended",
        "fault",
        "mode",
        "mode_reason",
        "mode_since_ns",
        "reconciled",
    )

    def __init__(
        self,
        scribe: Scribe,
        desk: Desk,
        watch: Watch,
        portfolio: Portfolio,
        board: BreakerBoard,
        reconciler: Reconciler,
        stopping: Stopping,
        settings: ConductSettings,
    ) -> None:
        """Begin in BOOT, whatever mode the last run was in; only a fault outlives a restart."""
        self._scribe = scribe
        self._desk = desk
        self._watch = watch
        self._portfolio = portfolio
        self._board = board
        self._reconciler = reconciler
        self._stopping = stopping
        self._settings = settings
        self._reconciled_ns = 0
        self._shutdown_ns: int | None = None
        self.dead_man = DeadMan(scribe, settings.dead_man_s)
        self.mode = Mode.BOOT
        self.mode_reason = "starting"
        self.mode_since_ns = 0
        self.reconciled = False
        self.ended = False
        self.acknowledged_latch = 0
        ledger = scribe.ledger
        faulty = ledger.mode == Mode.FAULT.name
        self._inherited_fault = _INHERITED + ledger.mode_reason.removeprefix(_INHERITED) if faulty else ""
        self.fault = self._inherited_fault
        self._books_doubted = faulty

    @property
    def stop_verified(self) -> bool:
        """Tell whether a stop is in force, verified with the venue, and ready to be told to the guardian."""
        return self.mode in _STOPPED and self._stopping.confirmed

    @property
    def guards(self) -> bool:
        """Tell whether the position is to be guarded at the venue, by orders that are sent now.

        Stopped, at fault, or on the way out, as well: an exchange of guard and sale may have been under way. But what a
        stopped box sends must rest on books that were compared since, and what one at fault sends on permission and
        books that no fault says anything against.
        """
        certain = self.reconciled or self.mode not in {Mode.HALTED, Mode.FAULT}
        if self.mode is Mode.FAULT:
            certain = certain and self._watch.permitted and not self._books_doubted
        return certain and may_guard(self.mode) and self._stopping.keeps_guards(ending=self._shutdown_ns is not None)

    @property
    def sales(self) -> Collection[OrderKind]:
        """Return with which kinds of orders a position may be sold now; a stop leaves room for cutting a loss alone."""
        if self.mode is Mode.EMERGENCY:
            return _CUTTING
        return _SELLING if may_reduce(self.mode) and self._shutdown_ns is None else ()

    @property
    def stopping(self) -> Stopping:
        """Return what a stop has stopped."""
        return self._stopping

    # What happened

    def permission_changed(self, event: events.PermissionChanged) -> None:
        """Take what the guardian's lease says now."""
        watch = self._watch
        if self.mode in _STOPPED and event.latched and event.latch_sequence > watch.latch_sequence:
            self._stopping.begin()
        watch.permission_heard = True
        watch.permitted = event.permitted
        watch.latch_sequence = event.latch_sequence
        watch.start_sequence = event.start_sequence
        watch.latched = event.latched
        # A start by a person answers for the last run's fault, never for one that this run has found.
        started = event.start_sequence > self._scribe.ledger.start_sequence and self.mode is Mode.BOOT
        if started and self.fault == self._inherited_fault:
            # Forgotten altogether: what is found from here on is this run's own.
            self.fault = self._inherited_fault = ""
            self._books_doubted = False
        self.review()
        self.acknowledged_latch = event.latch_sequence

    def feed_changed(self, event: events.FeedChanged) -> None:
        """Take the state of the market data connection."""
        if self._watch.feed_connected and not event.connected and not self._stopping.feeds_stopped:
            self._board.link_lost()
        self._watch.feed_changed(connected=event.connected)
        self.review()

    def orders_changed(self, event: events.OrderLinkChanged) -> None:
        """Take the state of the order connection; after a gap nothing is certain until it is compared."""
        if self._watch.orders_connected and not event.connected:
            self._board.link_lost()
        self._watch.orders_connected = event.connected
        self.dead_man.forget()
        if event.connected:
            self._desk.repeat_cancels()
            self._doubt()
        self.review()

    def dead_man_fired(self, _event: events.DeadManFired) -> None:
        """Compare the books before the timer is armed again: the venue canceled by itself."""
        self.dead_man.forget()
        self._doubt()
        self.review()

    def journal_failed(self, event: events.JournalFailed) -> None:
        """Stop for good: what cannot be written down must not be done."""
        self._fail(f"the journal failed: {event.reason}")
        self.review()

    def market_failed(self, reason: str) -> None:
        """Stop for a person: what the venue says of its market contradicts itself, and not by accident."""
        self._fail(reason, doubts_books=False)
        self.review()

    def terms_changed(self, instrument: str) -> None:
        """Give up the entries that were made on other terms, and compare before the next one."""
        for order in list(self._scribe.ledger.unsettled()):
            if order.instrument == instrument and order.working and not order.reduce_only:
                self._desk.cancel(order)
        self._doubt()
        self.review()

    def key_rejected(self, event: events.KeyRejected) -> None:
        """Stop until a person has given the appliance another key."""
        self._fail(f"the venue's key: {event.reason}")
        self.review()

    def health_changed(self, event: events.HealthChanged) -> None:
        """Take what is wrong with the machine; what demands a halt needs a person afterwards."""
        self._watch.health_issues = event.issues
        for issue in event.issues:
            if issue.consequence == Consequence.HALT:
                self._fail(f"{issue.check}: {issue.detail}")
        self.review()

    def shutdown_requested(self, _event: events.ShutdownRequested) -> None:
        """Cancel what is open and end when it is gone or patience is."""
        if self._shutdown_ns is None:
            self._shutdown_ns = self._scribe.now_ns
            self._stopping.cancel_working()
            self.review()
            self._end_when_done()

    def layer_stopped(self, event: events.LayerStopped) -> None:
        """Take how a part of the shell was stopped."""
        self._stopping.layer_stopped(event)
        self.review()

    def account_reported(self, event: events.AccountReported) -> None:
        """Compare the venue's view with ours."""
        verdict = self._reconciler.answered(event, self._desk)
        if verdict is Verdict.AGREED:
            self.reconciled = True
            self._reconciled_ns = self._scribe.now_ns
            self._desk.strangers.clear()
            self.dead_man.take_over()
        elif verdict is Verdict.DISAGREED:
            self._fail("the venue disagrees: " + "; ".join(self._reconciler.differences))
        self.review()

    def on_time(self) -> None:
        """Do what time alone brings about."""
        watch, settings = self._watch, self._settings
        if watch.booted_ns is None:
            watch.booted_ns = self._scribe.now_ns
        periodic = self.mode in _TRADING and not self._scribe.ledger.in_flight
        if periodic and self._scribe.now_ns - self._reconciled_ns >= settings.reconcile_interval_ns:
            self._reconciled_ns = self._scribe.now_ns
            self._reconciler.start()
        if watch.orders_connected:
            self._reconciler.on_time()
        self._board.on_time(self._account_usages())
        if watch.orders_connected:
            self.dead_man.refresh()
        self.review()
        self._start_anew_when_due()
        self._end_when_done()

    # Which mode that makes

    def review(self) -> None:
        """Move to the mode that the present conditions demand."""
        if self._desk.contradictions:
            self._fail(self._desk.contradictions[0])
            self._desk.contradictions.clear()
        if self.mode is Mode.EMERGENCY:
            self._stopping.advance()
        for _ in range(_MOVES_PER_REVIEW_MAX):
            wanted = self._wanted()
            if wanted is None or wanted[0] is self.mode:
                return
            self._enter(*wanted)

    def _fail(self, fault: str, *, doubts_books: bool = True) -> None:
        self._books_doubted = self._books_doubted or doubts_books
        if self.fault == self._inherited_fault:
            self.fault = fault

    def _wanted(self) -> tuple[Mode, str] | None:
        match self.mode:
            case Mode.FAULT:
                return None
            case Mode.BOOT:
                return self._wanted_at_boot()
            case Mode.EMERGENCY:
                return (Mode.HALTED, self._stopping.verified_by) if self._stopping.complete else None
            case Mode.HALTED:
                return (Mode.RECONCILING, "permission was given") if self._watch.permitted else None
            case Mode.RECONCILING | Mode.NORMAL | Mode.REDUCED | Mode.PAUSED:
                return self._wanted_while_running()

    def _wanted_at_boot(self) -> tuple[Mode, str] | None:
        if not self._watch.permission_heard:
            return None
        if self.fault:
            return Mode.FAULT, self.fault
        if self._watch.permitted:
            return Mode.RECONCILING, "the journal is replayed and permission is there"
        return (Mode.EMERGENCY, "no permission at boot") if self._watch.refused_at_boot() else None

    def _wanted_while_running(self) -> tuple[Mode, str]:
        watch = self._watch
        if not watch.permitted:
            return Mode.EMERGENCY, "the stop was pressed" if watch.latched else "the guardian's permission lapsed"
        if self.fault:
            return Mode.FAULT, self.fault
        if not self.reconciled:
            return Mode.RECONCILING, "the books must be compared with the venue's"
        usages = self._account_usages()
        pauses = self.reasons_to_pause(usages)
        if pauses:
            return Mode.PAUSED, "; ".join(pauses)
        reduced = self._reason_to_reduce(usages)
        return (Mode.REDUCED, reduced) if reduced else (Mode.NORMAL, "all inputs are good")

    def reasons_to_pause(self, usages: tuple[Usage, ...]) -> list[str]:
        """Return why nothing may be opened now, with so much used of the account's limits."""
        reasons = list(self._watch.reasons_to_pause())
        if self._desk.strangers:
            reasons.append(f"the venue knows {len(self._desk.strangers)} orders that we do not")
        if self._shutdown_ns is not None:
            reasons.append("shutting down")
        reasons += [f"{usage.name} limit" for usage in usages if usage.exceeded]
        reasons += self._board.reasons_to_pause()
        return list(dict.fromkeys(reasons))

    def _account_usages(self) -> tuple[Usage, ...]:
        """Measure the account's limits where they mean something: once it is known, and while it may trade."""
        known = self._scribe.ledger.funded and self.mode in _TRADING | {Mode.RECONCILING}
        return self._portfolio.account_usages() if known else ()

    def _reason_to_reduce(self, usages: tuple[Usage, ...]) -> str:
        for usage in usages:
            if usage.used * 1_000_000 > usage.allowed * self._settings.reduce_from_loss_ppm:
                return f"more than half of the {usage.name} limit is used"
        return self._board.reason_to_reduce()

    def _enter(self, mode: Mode, reason: str) -> None:
        moved = move(self.mode, mode, reason)
        require(isinstance(moved, Moved), f"the mode may not go from {self.mode.name} to {mode.name}")
        watch = self._watch
        self._scribe.write(
            records.Mode(self.mode.name, mode.name, reason, "trader", watch.latch_sequence, watch.start_sequence)
        )
        self.mode, self.mode_reason, self.mode_since_ns = mode, reason, self._scribe.now_ns
        match mode:
            case Mode.RECONCILING:
                self._doubt()
                self._stopping.resume()
            case Mode.EMERGENCY:
                self._doubt()
                self._stopping.begin()
                self._verify_at_once()
            case Mode.HALTED:
                self.dead_man.disarm()
            case Mode.FAULT:
                self._stopping.cancel_working()
            case _:
                pass

    # What the mode makes it do

    def _doubt(self) -> None:
        self.reconciled = False
        self._reconciler.start()

    def _verify_at_once(self) -> None:
        """Ask the venue now where its answer can count: with orders still working it would come too early."""
        if self._watch.orders_connected and not self._scribe.ledger.in_flight:
            self._reconciler.on_time()

    def _start_anew_when_due(self) -> None:
        """End, to be started again, once other steps are in force: a start is the one way in which all count in them.

        Never sooner than a while after the last start, for what the venue says at a start may lag behind.
        """
        watch, booted_ns = self._watch, self._watch.booted_ns
        running_ns = 0 if booted_ns is None else self._scribe.now_ns - booted_ns
        if self.mode is Mode.PAUSED and watch.steps_changed and running_ns >= ANEW_NS_MIN:
            self.shutdown_requested(events.ShutdownRequested(STEPS_CHANGED))

    def _end_when_done(self) -> None:
        if self._shutdown_ns is None or self.ended:
            return
        waited_ns = self._scribe.now_ns - self._shutdown_ns
        clean = not (self._scribe.ledger.in_flight or self._desk.canceling or self._stopping.running)
        if clean or waited_ns >= self._settings.shutdown_patience_ns:
            self.ended = True
            if clean:
                self.dead_man.disarm()
            self._scribe.ask(EndProcess(0, "ended in good order" if clean else "ended with orders still unsettled"))
