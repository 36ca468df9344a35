"""How fast we may ask the venue: a token bucket with a reserve that only what lessens risk may touch.

An entry that finds the bucket too low is given up, not queued: its price would be old. Questions are repeated anyway.
Cancels, cancel-all, reductions and the dead-man timer may use the bucket to its bottom.
"""

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.commands import AskAccount, AskOrder, SendOrder, VenueCommand


class TokenBucket:
    """Count requests in billionths of a token, so that no rounding is lost."""

    __slots__ = ("_burst", "_filled_ns", "_level", "_rate", "_reserve", "refused_count")

    def __init__(self, rate_per_s: int, burst_count: int, reserve_count: int, now_ns: int) -> None:
        """Begin full."""
        self._rate = rate_per_s
        self._burst = burst_count * NANOSECONDS_PER_SECOND
        self._reserve = reserve_count * NANOSECONDS_PER_SECOND
        self._level = self._burst
        self._filled_ns = now_ns
        self.refused_count = 0

    def admits(self, command: VenueCommand, now_ns: int) -> bool:
        """Take a token for a command, or tell that there is none for it."""
        self._level = min(self._burst, self._level + max(now_ns - self._filled_ns, 0) * self._rate)
        self._filled_ns = max(now_ns, self._filled_ns)
        kept = self._reserve if _may_wait(command) else 0
        if self._level - NANOSECONDS_PER_SECOND < kept:
            self.refused_count += 1
            return False
        self._level -= NANOSECONDS_PER_SECOND
        return True


def _may_wait(command: VenueCommand) -> bool:
    return isinstance(command, AskOrder | AskAccount) or (isinstance(command, SendOrder) and not command.reduce_only)
