"""Layer 3: sources of one price must agree: two thirds of those heard lately, within a tolerance of their median.

Sources may be venues, or a venue's trades beside its quotes. One source alone is not doubted for being alone.
"""

from statistics import median
from typing import Final

from appliance.core.values import PARTS_PER_MILLION
from appliance.market.quality.finding import FINE, Finding

AGREEING_PPM_MIN: Final = 660_000
SOURCES_MAX: Final = 16
SOURCES_MIN: Final = 2


class Consensus:
    """Keep the last price of each source."""

    __slots__ = ("_age_ns_max", "_heard", "_tolerance_ppm")

    def __init__(self, tolerance_ppm: int, age_ns_max: int) -> None:
        """Begin without a source."""
        self._tolerance_ppm = tolerance_ppm
        self._age_ns_max = age_ns_max
        self._heard: dict[str, tuple[int, int]] = {}

    def heard(self, source: str, price_ticks: int, now_ns: int) -> None:
        """Take a source's price; a new source beyond the limit is not taken."""
        if source in self._heard or len(self._heard) < SOURCES_MAX:
            self._heard[source] = (price_ticks, now_ns)

    def judge(self, now_ns: int) -> Finding:
        """Return how large a share of the sources agrees."""
        prices = {name: price for name, (price, at_ns) in self._heard.items() if now_ns - at_ns <= self._age_ns_max}
        if len(prices) < SOURCES_MIN:
            return FINE
        middle = median(prices.values())
        far = sorted(
            name
            for name, price in prices.items()
            if abs(price - middle) * PARTS_PER_MILLION > middle * self._tolerance_ppm
        )
        agreeing = len(prices) - len(far)
        if agreeing * PARTS_PER_MILLION >= len(prices) * AGREEING_PPM_MIN:
            return FINE
        return Finding(agreeing / len(prices) / 2.0, f"sources disagree: {', '.join(far)}")
