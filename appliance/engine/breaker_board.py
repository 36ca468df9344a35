"""The breakers of a trader: what they are told, what they forbid, and what of it is written down.

They only ever stand in the way of entries. Cancels and reductions do not come by here, so nothing that lessens
exposure can be held up. Every change of state is a record; the last one of each component and cause is the state that
a restart begins with, and a breaker that was open or half open is open again after it.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from appliance.core.events import QuoteChanged, TradePrinted
from appliance.market.tape import Tape
from appliance.risk.limits import Usage
from appliance.safety.breakers.breaker import Breaker, BreakerSettings, Change
from appliance.safety.breakers.circuit import Cause, State, Stimulus
from appliance.safety.breakers.flow import Flow, FlowSettings
from appliance.safety.breakers.gauges import Level, Pace, Share, level_of
from appliance.safety.breakers.network import GLOBAL, VENUE, Network
from appliance.safety.breakers.tuning import Odds
from appliance.trading import records
from appliance.trading.orders import State as OrderState
from appliance.trading.scribe import Scribe

OUTCOMES_WINDOW = 20
OUTCOMES_MIN = 8
SLOW_SHARE_PPM = 500_000
API_WINDOW_NS = 60 * 1_000_000_000
AWAITED_MAX = 256
# A limit that was exceeded is free again below this part of it.
_FREE_OF_TEN = 9
_SETTLED_WELL = frozenset({OrderState.OPEN, OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED})
_SETTLED_BADLY = frozenset({OrderState.REFUSED, OrderState.UNKNOWN})


class BoardSettings(NamedTuple):
    """Bound everything that trips a breaker."""

    breaker: BreakerSettings
    flow: FlowSettings
    error_ppm_max: int
    latency_ns_max: int
    api_errors_max: int
    hold_open: bool


class BreakerBoard:
    """Watch over entries."""

    __slots__ = (
        "_api_errors",
        "_awaited",
        "_errors",
        "_flows",
        "_limits_held",
        "_scribe",
        "_settings",
        "_slow",
        "_tapes",
        "network",
    )

    def __init__(self, scribe: Scribe, tapes: Mapping[str, Tape], settings: BoardSettings) -> None:
        """Watch the markets of these tapes at one venue."""
        self._scribe = scribe
        self._tapes = tapes
        self._settings = settings
        self.network = Network({VENUE: GLOBAL} | dict.fromkeys(tapes, VENUE), settings.breaker)
        self._flows = {name: Flow(settings.flow) for name in tapes}
        self._errors = Share(OUTCOMES_WINDOW, OUTCOMES_MIN)
        self._slow = Share(OUTCOMES_WINDOW, OUTCOMES_MIN)
        self._api_errors = Pace(API_WINDOW_NS, settings.api_errors_max + 1)
        self._awaited: dict[str, int] = {}
        self._limits_held: set[str] = set()

    def adopt(self) -> None:
        """Take over what the last run wrote down, and the owner's word of today."""
        now_ns = self._scribe.now_ns
        for document in list(self._scribe.ledger.breakers.values()):
            record = msgspec.convert(document, records.Breaker)
            breaker = self.network.breakers.get(record.component)
            if breaker is not None:
                self._adopt_one(now_ns, breaker, record)
        root = self.network.breakers[GLOBAL]
        held = self._settings.hold_open
        self._note(root.hold(now_ns, Cause.MANUAL) if held else root.release(now_ns, Cause.MANUAL))

    def _adopt_one(self, now_ns: int, breaker: Breaker, record: records.Breaker) -> None:
        """Take one record over; a component's records come in order, so its last one decides."""
        cause = Cause(record.cause)
        breaker.odds[cause] = Odds(record.confirmed_count, record.blip_count)
        self._tune(breaker, cause)
        breaker.forget()
        if record.new != State.CLOSED.name:
            breaker.resume(now_ns, cause)

    # What is seen of the market

    def quoted(self, event: QuoteChanged) -> bool:
        """Look at the spread and tell whether a breaker changed."""
        name = event.instrument
        tape = self._tapes[name]
        if tape.crossed or not self._flows[name].quoted(tape.bid_ticks, tape.ask_ticks):
            return False
        return self._look(name)

    def traded(self, event: TradePrinted) -> bool:
        """Look at a believed trade and tell whether a breaker changed."""
        flow, now_ns = self._flows[event.instrument], self._scribe.now_ns
        wanted = flow.traded(now_ns, event.venue_ns, event.size_lots, event.taker_side.sign)
        return wanted and self._look(event.instrument)

    def _look(self, name: str) -> bool:
        breaker, now_ns, changed = self.network.breakers[name], self._scribe.now_ns, False
        for cause, level in self._flows[name].levels(now_ns):
            if level is Level.TRIPPED:
                changed |= self._note(breaker.trip(now_ns, cause))
            elif level is Level.EXCITED:
                breaker.excite(now_ns)
        return changed

    # What is seen of the venue

    def sent(self, client_id: str) -> None:
        """Begin to wait for the venue's word about an order."""
        if len(self._awaited) >= AWAITED_MAX:
            del self._awaited[next(iter(self._awaited))]
        self._awaited[client_id] = self._scribe.now_ns

    def settle(self, client_id: str) -> None:
        """Learn from what became of an order, once."""
        order = self._scribe.ledger.orders.get(client_id)
        state = OrderState.NEVER if order is None else order.state
        now_ns = self._scribe.now_ns
        if state in _SETTLED_WELL or state in _SETTLED_BADLY:
            good = state in _SETTLED_WELL
            self._judge(client_id, now_ns, good=good)
            for change in self.network.end_trial(now_ns, client_id, good=good):
                self._note(change)
        elif state is OrderState.NEVER:
            self._awaited.pop(client_id, None)
            self.network.return_trial(client_id)

    def _judge(self, client_id: str, now_ns: int, *, good: bool) -> None:
        sent_ns = self._awaited.pop(client_id, None)
        if sent_ns is None:
            return
        venue, settings = self.network.breakers[VENUE], self._settings
        self._errors.add(bad=not good)
        slow = now_ns - sent_ns > venue.odds_of(Cause.LATENCY).threshold(settings.latency_ns_max)
        self._slow.add(bad=slow)
        allowed_ppm = venue.odds_of(Cause.ERROR_RATE).threshold(settings.error_ppm_max)
        if level_of(self._errors.ppm, allowed_ppm) is Level.TRIPPED:
            self._note(venue.trip(now_ns, Cause.ERROR_RATE))
        if self._slow.ppm > SLOW_SHARE_PPM:
            self._note(venue.trip(now_ns, Cause.LATENCY))

    def link_lost(self) -> None:
        """Take that a connection to the venue broke."""
        now_ns, venue = self._scribe.now_ns, self.network.breakers[VENUE]
        self._api_errors.add(now_ns)
        for flow in self._flows.values():
            flow.forget_quote()
        allowed = venue.odds_of(Cause.API_ERRORS).threshold(self._settings.api_errors_max)
        if self._api_errors.count(now_ns) > allowed:
            self._note(venue.trip(now_ns, Cause.API_ERRORS))

    # What time and the account bring about

    def on_time(self, usages: Iterable[Usage]) -> None:
        """Do what is due, and look at the limits of the account."""
        now_ns, network = self._scribe.now_ns, self.network
        for client_id in [*self._awaited, *network.followed()]:
            self.settle(client_id)
        for name in self._flows:
            if network.breakers[name].state is not State.CLOSED:
                self._look(name)
        self._hold_limits(now_ns, usages)
        for change in network.pass_time(now_ns):
            self._note(change)

    def _hold_limits(self, now_ns: int, usages: Iterable[Usage]) -> None:
        usages = tuple(usages)
        if not usages:
            return
        root = self.network.breakers[GLOBAL]
        inherited = Cause.RISK_LIMIT in root.held and not self._limits_held
        for usage in usages:
            well_below = usage.used * 10 <= usage.allowed * _FREE_OF_TEN
            if usage.exceeded or (inherited and not well_below):
                self._limits_held.add(usage.name)
            elif well_below:
                self._limits_held.discard(usage.name)
        if self._limits_held:
            self._note(root.hold(now_ns, Cause.RISK_LIMIT))
        else:
            self._note(root.release(now_ns, Cause.RISK_LIMIT))

    # What is forbidden

    def admits(self, instrument: str) -> bool:
        """Tell whether one more entry may be planned."""
        return self.network.admits(instrument)

    def opened(self, instrument: str) -> bool:
        """Tell whether an entry that was planned must stay here."""
        return self.network.opened(instrument)

    def planned(self, instrument: str, client_id: str) -> None:
        """Count an entry as a trial wherever one is wanted."""
        self.network.begin_trial(instrument, client_id)

    def reasons_to_pause(self) -> list[str]:
        """Return why nothing at all may be opened."""
        network = self.network
        if not all(network.opened(name) for name in self._flows):
            return []
        reasons = list[str]()
        for breaker in network.breakers.values():
            if breaker.state is State.OPEN:
                reasons += self._reasons(breaker)
        return reasons

    def reason_to_reduce(self) -> str:
        """Return why less than usual is opened, if it is."""
        for breaker in self.network.breakers.values():
            if breaker.state is not State.CLOSED:
                return f"the breaker of {breaker.name} is {_words(breaker.state)}: {breaker.cause}"
        return ""

    def _reasons(self, breaker: Breaker) -> list[str]:
        if breaker.held == {Cause.RISK_LIMIT}:
            return [f"{name} limit" for name in sorted(self._limits_held)] or ["a limit before the restart"]
        return [f"the breaker of {breaker.name} is open: {breaker.cause}"]

    # What is written down

    def _note(self, change: Change | None) -> bool:
        if change is None:
            return False
        breaker = self.network.breakers[change.component]
        odds = breaker.odds_of(change.cause)
        self._scribe.write(
            records.Breaker(change.component, change.old.name, change.new.name, change.cause, change.stimulus, *odds)
        )
        self._tune(breaker, change.cause)
        if change.stimulus is Stimulus.COOLED and change.component == VENUE:
            self._errors.clear()
            self._slow.clear()
            self._api_errors.clear()
        return True

    def _tune(self, breaker: Breaker, cause: Cause) -> None:
        flow = self._flows.get(breaker.name)
        if flow is not None:
            flow.tune(cause, breaker.odds_of(cause))


def _words(state: State) -> str:
    return state.name.lower().replace("_", " ")
