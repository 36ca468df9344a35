"""The guardian's loop: inputs in, permission, lamp and record out.

Order within one turn. The ticket for the renewal is drawn first, then the pins are read, then the edges are drained;
what happens after that voids the ticket. A latch takes effect in memory, on the lease and on the lamp before anything
is written to the disk, and a start only after the disk has kept it: power may fail between any two lines, and either
way the appliance comes back on the safe side. The writing is the keeper's; no turn waits for it. A start that is
being written counts as latched, and whatever latches meanwhile is written after it.
"""

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, Clock
from appliance.guardian.edges import Edge, Edges
from appliance.guardian.enforcement import Enforcer, Outcome, kill_trader
from appliance.guardian.keeper import Keeper
from appliance.guardian.last_resort_need import NeedFinder, Stop
from appliance.guardian.last_resort_watch import LastResortWatch
from appliance.guardian.latch import LatchRecord
from appliance.guardian.remote_stop import RemoteStopWatch
from appliance.guardian.trader_watch import TraderWatch
from appliance.hardware.pins import Contact, Pins
from appliance.safety.audit_chain import Detail
from appliance.safety.button import Button, Effect, State
from appliance.safety.lamps import PATTERNS, Lamp, Pulse, View, lamp
from appliance.safety.lease import LatchCause, LatchState, LeaseInformation, LeaseWriter, RelayState
from appliance.safety.modes import Mode
from appliance.safety.remote_stop import Refusal, RemoteStop

_PULSE_NS: Final = 100 * NANOSECONDS_PER_MILLISECOND
# The trader's cascade takes 4.5 s at most and drops the relay last; a stop that it cannot verify drops it all the same.
_RELAY_NS: Final = 5_000 * NANOSECONDS_PER_MILLISECOND
_SELDOM_NS: Final = 1000 * NANOSECONDS_PER_MILLISECOND
# Whoever brings messages must not be able to fill the log with them.
_REFUSED_NOTE_NS: Final = 60_000 * NANOSECONDS_PER_MILLISECOND
_TRADER_NOTE_NS: Final = 200 * NANOSECONDS_PER_MILLISECOND

_LATCH_STATES: Final = MappingProxyType(
    {
        State.CLEAR: LatchState.CLEAR,
        State.SUSPECT: LatchState.SUSPECT,
        State.PRESSED: LatchState.LATCHED,
        State.LATCHED: LatchState.LATCHED,
        State.HOLDING: LatchState.LATCHED,
        State.HELD: LatchState.READY,
        State.READY: LatchState.READY,
        State.TAPPING: LatchState.READY,
    }
)
_EVENTS: Final = MappingProxyType(
    {
        Effect.GLITCHED: "button-glitch",
        Effect.WIRING_ALARM: "wiring-alarm",
        Effect.READY: "reset-ready",
        Effect.EXPIRED: "start-window-closed",
        Effect.ABANDONED: "reset-abandoned",
    }
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Hold the loop's times and what is wired."""

    lease_expiry_ns: int
    lease_renew_ns: int
    lamp_test: bool
    yellow_fitted: bool
    stop_policy: str = "cancel"
    case_stops: bool = True


@dataclass(frozen=True, slots=True)
class Parts:
    """Hold what the loop joins."""

    clock: Clock
    pins: Pins
    lease: LeaseWriter
    edges: Edges
    button: Button
    trader: TraderWatch
    keeper: Keeper
    enforcer: Enforcer
    last_resort: LastResortWatch
    remote: RemoteStopWatch | None = None


class Guardian:
    """Run one turn after another."""

    def __init__(self, parts: Parts, limits: Limits, record: LatchRecord, boot_cause: LatchCause) -> None:
        """Begin with what the record and the contact say; `boot_cause` is why a start finds the latch set."""
        now_ns = parts.clock.monotonic_ns()
        self._parts = parts
        self._limits = limits
        self._record = record
        self._latched_ns = -_RELAY_NS
        self._starting: LatchRecord | None = None
        self._broken = ""
        self._wiring_alarm = False
        self._pulsing = False
        self._test_until_ns = now_ns + PATTERNS[Lamp.TEST].period_ms * NANOSECONDS_PER_MILLISECOND * limits.lamp_test
        self._lamp = Lamp.DARK
        self._lamp_since_ns = now_ns
        self._mode: Mode | None = None
        self._pulse = Pulse.NEVER
        self._information: LeaseInformation | None = None
        self._noted_ns: dict[str, int] = {}
        self._trader_note_ns = 0
        self._needs = NeedFinder(limits.stop_policy, kill_trader, self._note_silent, now_ns)
        self._note("guardian-started", {"latched": int(parts.button.latched)})
        if not limits.case_stops and parts.pins.fitted(Contact.CASE) and parts.pins.asserted(Contact.CASE):
            self._note("case-open-at-start", {})
        if parts.button.latched:
            self._latch(record.cause if record.latched else boot_cause, now_ns)
        self._look_at_disk(now_ns)

    @property
    def lamp(self) -> Lamp:
        """Return what the lamp says now."""
        return self._lamp

    @property
    def record(self) -> LatchRecord:
        """Return the latch as it is remembered."""
        return self._record

    @property
    def broken(self) -> str:
        """Say why the disk is not trusted any more, if it is not."""
        return self._broken

    def turn(self) -> int:
        """Do everything that is due and return when the next turn is."""
        parts = self._parts
        ticket = parts.lease.ticket()
        now_ns = parts.clock.monotonic_ns()
        self._read_contacts(now_ns)
        remote_ns = self._look_outside(now_ns)
        self._look_at_disk(now_ns)
        if parts.trader.look(now_ns) and self._latched:
            parts.enforcer.expect(self._record.latch_sequence, now_ns)
        self._grant(now_ns, ticket)
        self._show(now_ns)
        self._publish()
        self._enforce(now_ns)
        self._call_last_resort(now_ns)
        self._note_trader(now_ns)
        return min(now_ns + self._limits.lease_renew_ns, parts.button.deadline_ns(), remote_ns)

    def stop(self) -> None:
        """Withdraw permission, darken the lamp, end what is parked and record the end."""
        self._parts.lease.withdraw()
        self._parts.pins.close()
        self._parts.last_resort.close()
        self._note("guardian-stopped", {})

    @property
    def _latched(self) -> bool:
        return self._parts.button.latched or self._starting is not None

    @property
    def _state(self) -> State:
        """Return the button's state; a start that the disk has not kept yet is still only ready."""
        button = self._parts.button
        return State.READY if self._starting is not None and not button.latched else button.state

    @property
    def _relay(self) -> RelayState:
        if not self._parts.pins.relay_fitted:
            return RelayState.UNFITTED
        return RelayState.PULSING if self._pulsing else RelayState.DROPPED

    def _read_contacts(self, now_ns: int) -> None:
        parts = self._parts
        closed, reset_down = parts.pins.asserted(Contact.ESTOP), parts.pins.asserted(Contact.RESET)
        edges = parts.edges.drain()
        for edge in edges:
            self._take(edge)
        if parts.edges.overflowed():
            self._demand(LatchCause.EDGE_STORM, now_ns)
        # An edge is newer than the levels read before it; those say nothing then.
        if not edges:
            self._act(parts.button.sample(now_ns, closed=closed, reset_down=reset_down), LatchCause.BUTTON, now_ns)
        self._act(parts.button.elapse(now_ns), LatchCause.BUTTON, now_ns)

    def _take(self, edge: Edge) -> None:
        button = self._parts.button
        if edge.contact is Contact.ESTOP:
            self._act(button.contact(edge.at_ns, closed=edge.asserted), LatchCause.BUTTON, edge.at_ns)
        elif edge.contact is Contact.RESET:
            self._act(button.reset(edge.at_ns, down=edge.asserted), LatchCause.BUTTON, edge.at_ns)
        else:
            self._note_seldom("case-opened" if edge.asserted else "case-shut", {}, edge.at_ns)
            if edge.asserted and self._limits.case_stops:
                self._demand(LatchCause.CASE_OPENED, edge.at_ns)

    def _look_outside(self, now_ns: int) -> int:
        """Take the owner's remote stop, where one may come, and return when to look again."""
        remote = self._parts.remote
        if remote is None:
            return now_ns + self._limits.lease_renew_ns
        found = remote.look(now_ns, self._record.remote_ms)
        if isinstance(found, Refusal):
            self._note_seldom("remote-stop-refused", {"explanation": found.value}, now_ns, _REFUSED_NOTE_NS)
        elif found is not None:
            self._stop_remotely(found, remote.fingerprint, now_ns)
        return remote.due_ns(now_ns)

    def _stop_remotely(self, stop: RemoteStop, key: str, now_ns: int) -> None:
        """Latch as the button does; also one that finds the latch set is remembered, so that it never counts again."""
        latched, self._record = self._parts.button.latched, replace(self._record, remote_ms=stop.wall_ms)
        self._demand(LatchCause.REMOTE_STOP, now_ns)
        if latched:
            self._parts.keeper.keep(self._record)
        self._note("remote-stop", {"key": key, "signed_wall_ms": stop.wall_ms})

    def _demand(self, cause: LatchCause, now_ns: int) -> None:
        self._act(self._parts.button.demand(now_ns), cause, now_ns)

    def _act(self, effects: tuple[Effect, ...], cause: LatchCause, now_ns: int) -> None:
        for effect in effects:
            if effect is Effect.LATCHED:
                self._latch(cause, now_ns)
            elif effect is Effect.STARTED:
                self._ask_start()
            elif effect in _EVENTS:
                self._wiring_alarm |= effect is Effect.WIRING_ALARM
                self._note_seldom(_EVENTS[effect], {"glitch_count": self._parts.button.glitch_count}, now_ns)

    def _latch(self, cause: LatchCause, now_ns: int) -> None:
        """Latch in memory, on the lease and on the lamp first, then on the disk."""
        parts = self._parts
        parts.lease.withdraw()
        if not self._record.latched or self._starting is not None:
            self._latched_ns = now_ns
            self._record = self._record.set(cause, parts.clock.wall_ns())
        self._starting = None
        parts.enforcer.expect(self._record.latch_sequence, now_ns)
        self._show(now_ns)
        self._publish()
        parts.keeper.keep(self._record)
        detail: dict[str, str | int] = {
            "cause": self._record.cause.name,
            "latch_sequence": self._record.latch_sequence,
        }
        if cause is LatchCause.BUTTON:
            detail |= {"opened_ns": parts.button.opened_ns, "withdrawn_ns": parts.edges.withdrawn_ns}
        self._note("latched", detail)

    def _ask_start(self) -> None:
        """Hand a start to the disk; it counts once it was kept."""
        parts = self._parts
        if self._broken:
            parts.button.demand(parts.clock.monotonic_ns())
            return
        self._starting = self._record.cleared(parts.clock.wall_ns())
        parts.keeper.keep(self._starting)

    def _look_at_disk(self, now_ns: int) -> None:
        """Stop when the disk does not keep what it is given, and grant a start that it has kept."""
        parts = self._parts
        trouble = parts.keeper.trouble(now_ns)
        if trouble and not self._broken:
            self._broken = trouble
            self._demand(LatchCause.STORE_FAILED, now_ns)
        elif self._starting is not None and parts.button.state is State.CLEAR and parts.keeper.kept(self._starting):
            self._record, self._starting = self._starting, None
            parts.enforcer.settle()
            self._note("start-granted", {"start_sequence": self._record.start_sequence})

    def _grant(self, now_ns: int, ticket: int) -> None:
        parts = self._parts
        trader = parts.trader
        alive = trader.pulse is Pulse.FRESH and trader.report is not None and trader.report.mode is not Mode.FAULT
        if alive and parts.button.state is State.CLEAR and not self._record.latched:
            parts.lease.renew(now_ns + self._limits.lease_expiry_ns, ticket)
        else:
            parts.lease.withdraw()
        parts.lease.beat(now_ns)

    def _show(self, now_ns: int) -> None:
        parts = self._parts
        mode = parts.trader.report.mode if parts.trader.report is not None else None
        verified = parts.trader.stop_verified(self._record.latch_sequence)
        apart = self._record.latched and parts.last_resort.verified_latch == self._record.latch_sequence
        wanted = lamp(View(self._state, parts.trader.pulse, mode, verified, bool(self._broken), apart))
        if now_ns < self._test_until_ns:
            wanted = Lamp.TEST
        if wanted is not self._lamp:
            self._lamp, self._lamp_since_ns = wanted, now_ns
        elapsed_ms = (now_ns - self._lamp_since_ns) // NANOSECONDS_PER_MILLISECOND
        parts.pins.show(PATTERNS[wanted].at(elapsed_ms, yellow_fitted=self._limits.yellow_fitted))
        dropped = self._latched and (verified or now_ns - self._latched_ns >= _RELAY_NS)
        self._pulsing = parts.trader.pulse is Pulse.FRESH and not dropped
        parts.pins.pulse(high=self._pulsing and now_ns // _PULSE_NS % 2 == 0)

    def _publish(self) -> None:
        parts = self._parts
        information = LeaseInformation(
            latch_state=_LATCH_STATES[self._state],
            latch_cause=self._record.cause,
            latch_sequence=self._record.latch_sequence,
            start_sequence=self._record.start_sequence,
            lamp=self._lamp,
            case_open=parts.pins.fitted(Contact.CASE) and parts.pins.asserted(Contact.CASE),
            glitch_count=parts.button.glitch_count,
            wiring_alarm=self._wiring_alarm,
            relay=self._relay,
        )
        if information != self._information:
            self._information = information
            parts.lease.publish(information)

    def _enforce(self, now_ns: int) -> None:
        parts = self._parts
        if parts.trader.acknowledged(self._record.latch_sequence):
            parts.enforcer.settle()
        for outcome in parts.enforcer.check(now_ns, parts.trader.identity):
            detail: Detail = {"step": outcome.step, "done": int(outcome.done), "explanation": outcome.explanation}
            self._note("latch-unanswered", detail)

    def _call_last_resort(self, now_ns: int) -> None:
        """Say what is needed and record what came of it; nothing here waits for the process that does it."""
        parts = self._parts
        stop = Stop(self._latched, self._record.latch_sequence, parts.enforcer.unanswered)
        parts.last_resort.want(self._needs.look(now_ns, stop, parts.trader), now_ns)
        for event, detail in parts.last_resort.turn(now_ns):
            self._note(event, detail)

    def _note_silent(self, outcome: Outcome) -> None:
        self._note("trader-silent", {"killed": int(outcome.done), "explanation": outcome.explanation})

    def _note_trader(self, now_ns: int) -> None:
        trader = self._parts.trader
        mode = trader.report.mode if trader.report is not None else None
        if (trader.pulse is self._pulse and mode is self._mode) or now_ns < self._trader_note_ns:
            return
        self._trader_note_ns = now_ns + _TRADER_NOTE_NS
        old, self._pulse, self._mode = self._mode, trader.pulse, mode
        names = {"old": old.name if old else "unknown", "new": mode.name if mode else "unknown"}
        self._note("trader", {**names, "heartbeat": trader.pulse.name, "lamp": self._lamp.name})

    def _note_seldom(self, event: str, detail: Detail, now_ns: int, interval_ns: int = _SELDOM_NS) -> None:
        """Record what a bad contact can repeat at any rate: at most once a second each, the counts go on."""
        if now_ns - self._noted_ns.get(event, -interval_ns) >= interval_ns:
            self._noted_ns[event] = now_ns
            self._note(event, detail)

    def _note(self, event: str, detail: Detail) -> None:
        self._parts.keeper.note(event, detail)
