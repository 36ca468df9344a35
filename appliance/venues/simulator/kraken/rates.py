"""The venue's two kinds of rate limit: counters that rise with every request and decay with time.

The trading counter is kept for each pair (docs: "Spot Trading Rate Limits"): placing adds one, amending and canceling
add more the younger the order is. The other counts REST calls of a key (docs: "Spot REST Rate Limits").
"""

from typing import Final

import msgspec

from appliance.core.clock import NANOSECONDS_PER_SECOND

_MILLI: Final = 1_000
_CANCEL_COSTS: Final = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))
_AMEND_COSTS: Final = ((5, 3), (10, 2), (15, 1))


class RateTier(msgspec.Struct, frozen=True):
    """Hold what an account's tier allows."""

    trading_max: int = 180
    trading_decay_milli_per_s: int = 3_750
    rest_max: int = 20
    rest_decay_milli_per_s: int = 1_000


PRO: Final = RateTier()
INTERMEDIATE: Final = RateTier(125, 2_340, 20, 500)
STARTER: Final = RateTier(60, 1_000, 15, 330)


class RateCounter:
    """Count up with requests and down with time."""

    def __init__(self, count_max: int, decay_milli_per_s: int) -> None:
        """Start at nothing."""
        self._milli_max = count_max * _MILLI
        self._decay = decay_milli_per_s
        self._milli = 0
        self._at_ns = 0

    def admits(self, now_ns: int, cost: int) -> bool:
        """Add a cost if it fits, or tell that it does not."""
        self._settle(now_ns)
        if self._milli + cost * _MILLI > self._milli_max:
            return False
        self._milli += cost * _MILLI
        return True

    def charge(self, now_ns: int, cost: int) -> None:
        """Add a cost that is never refused."""
        self._settle(now_ns)
        self._milli += cost * _MILLI

    def _settle(self, now_ns: int) -> None:
        self._milli = max(0, self._milli - (now_ns - self._at_ns) * self._decay // NANOSECONDS_PER_SECOND)
        self._at_ns = now_ns


def cancel_cost(age_ns: int) -> int:
    """Return what canceling an order of that age costs."""
    return _cost(_CANCEL_COSTS, age_ns)


def amend_cost(age_ns: int) -> int:
    """Return what amending an order of that age costs."""
    return 1 + _cost(_AMEND_COSTS, age_ns)


def _cost(table: tuple[tuple[int, int], ...], age_ns: int) -> int:
    return next((cost for age_s, cost in table if age_ns < age_s * NANOSECONDS_PER_SECOND), 0)
