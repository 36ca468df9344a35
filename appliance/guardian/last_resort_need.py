"""When the trader can no longer be trusted to stop by itself.

While the latch is set: it did not answer, it fell silent, it never came, or it answered and has still not verified.
While it is not: it fell silent although it may have orders to buy at the venue. A silent trader whose process is still
there hangs: it is killed and cleared after at once. One that died may come back and settle its orders itself, so it is
given time first. What a crash leaves behind is cleared by the mildest policy; only a stop uses the one that was chosen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.guardian.enforcement import Outcome, Step, Unanswered
from appliance.guardian.last_resort_watch import Need
from appliance.guardian.trader_watch import TraderWatch
from appliance.safety.heartbeat import Heartbeat
from appliance.safety.lamps import Pulse
from appliance.safety.modes import Mode

RETURN_NS: Final = 5 * NANOSECONDS_PER_SECOND
ARRIVE_NS: Final = 15 * NANOSECONDS_PER_SECOND
VERIFY_NS: Final = 10 * NANOSECONDS_PER_SECOND
CRASH_POLICY: Final = "cancel"


@dataclass(frozen=True, slots=True)
class Stop:
    """Say what the latch is and whether the wait for its acknowledgement is over in vain."""

    latched: bool
    latch_sequence: int
    unanswered: bool


class NeedFinder:
    """Follow the trader and the latch."""

    def __init__(self, stop_policy: str, kill: Step, on_kill: Callable[[Outcome], None], now_ns: int) -> None:
        """Begin without a trader; `on_kill` hears what became of killing a silent one."""
        self._stop_policy = stop_policy
        self._kill = kill
        self._on_kill = on_kill
        self._alone_since_ns = now_ns
        self._lost_since_ns: int | None = None
        self._hung = False
        self._latch: tuple[int, int] | None = None

    def look(self, now_ns: int, stop: Stop, trader: TraderWatch) -> Need | None:
        """Return what must be cleared now, if anything."""
        missing = self._missing(now_ns, stop, trader)
        if not stop.latched:
            self._latch = None
            return Need(CRASH_POLICY, 0, missing) if missing else None
        if self._latch is None or self._latch[0] != stop.latch_sequence:
            self._latch = (stop.latch_sequence, now_ns)
        if trader.stop_verified(stop.latch_sequence):
            return None
        late = "the stop is not verified in time" if now_ns - self._latch[1] >= VERIFY_NS else ""
        reason = ("the stop is not acknowledged" if stop.unanswered else "") or missing or late
        return Need(self._stop_policy, stop.latch_sequence, reason) if reason else None

    def _missing(self, now_ns: int, stop: Stop, trader: TraderWatch) -> str:
        if trader.pulse is Pulse.FRESH:
            self._lost_since_ns = None
            return ""
        if trader.report is None:
            return "no trader has come" if now_ns - self._alone_since_ns >= ARRIVE_NS else ""
        if not may_be_open(trader.report):
            return ""
        if self._lost_since_ns is None:
            self._lost_since_ns = now_ns
            outcome = self._kill(Unanswered(stop.latch_sequence, trader.identity))
            self._hung = outcome.done
            self._on_kill(outcome)
        if self._hung:
            return "the trader hung"
        return "the trader died and has not come back" if now_ns - self._lost_since_ns >= RETURN_NS else ""


def may_be_open(report: Heartbeat) -> bool:
    """Tell whether a trader that went silent after this report may have left orders that add exposure."""
    at_rest = report.stopping or (report.mode is Mode.HALTED and report.verified_flat)
    return report.open_entries_count > 0 or not at_rest
