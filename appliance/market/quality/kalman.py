"""Layer 2: a Kalman filter follows the level of price, and tells gaps and prints that cannot be.

The state is the logarithm of price as a random walk seen through noise; its variances follow the squared surprises,
clipped, so that one bad print does not teach the filter to expect more. A bar so far off is not taken in, nor does it
move the level, unless the next ones agree with it: then it was the market that moved.
"""

import math
from typing import Final, NamedTuple

from appliance.market.bars import Bar
from appliance.market.quality.finding import FINE, Finding

WARM_BARS: Final = 30
MEMORY_BARS: Final = 100
# Surprises, in deviations, from which a bar is doubtful, and at which nothing is left of its score.
DOUBTFUL: Final = 7.0
IMPOSSIBLE: Final = 15.0
CLIPPED: Final = 4.0
AGREEING_BARS: Final = 3
NOISE_SHARE: Final = 0.2
# So little does a price move at least: a flat market must not make its first tick a wonder.
DEVIATION_MIN: Final = 1e-4
# A period without a trade makes no bar, so quiet markets always have gaps: what counts is one far longer than usual.
GAP_BARS: Final = 5.0
GAP_OF_USUAL: Final = 10.0


class Reading(NamedTuple):
    """Hold what the filter says of a bar's prices and of what is missing before it."""

    outlier: Finding
    gap: Finding


class Kalman:
    """Follow one instrument."""

    __slots__ = ("_bars", "_gap_usual", "_level", "_off", "_spread", "_variance")

    def __init__(self) -> None:
        """Begin without a level."""
        self._bars = 0
        self._level = 0.0
        self._variance = 0.0
        self._spread = DEVIATION_MIN**2
        self._off = 0
        self._gap_usual = 0.0

    def update(self, bar: Bar) -> Reading:
        """Look at a closed bar whose prices are positive."""
        return Reading(self._surprise(bar), self._missing(bar.gap_bars))

    def _missing(self, gap_bars: int) -> Finding:
        allowed = GAP_BARS + GAP_OF_USUAL * self._gap_usual
        self._gap_usual += (gap_bars - self._gap_usual) / min(self._bars, MEMORY_BARS)
        if self._bars <= WARM_BARS or gap_bars <= allowed:
            return FINE
        return Finding(allowed / gap_bars, f"{gap_bars} bars are missing")

    def _surprise(self, bar: Bar) -> Finding:
        close = math.log(bar.close_ticks)
        self._bars += 1
        if self._bars == 1:
            self._level = close
            return FINE
        steps = 1 + max(0, bar.gap_bars)
        predicted = self._variance + self._spread * steps
        total = predicted + NOISE_SHARE * self._spread
        deviation = max(math.sqrt(total), DEVIATION_MIN)
        # Between the level and the close prices may have been anywhere; what lies outside came and went within the bar.
        above = math.log(bar.high_ticks) - max(close, self._level)
        below = min(close, self._level) - math.log(bar.low_ticks)
        surprise = max(abs(close - self._level), above, below) / deviation
        moved = abs(close - self._level) / deviation
        warm = self._bars > WARM_BARS
        self._off = self._off + 1 if warm and moved > DOUBTFUL else 0
        if not warm or moved <= DOUBTFUL or self._off >= AGREEING_BARS:
            self._take_in(close, predicted, total, steps)
        if not warm or surprise <= DOUBTFUL:
            return FINE
        score = max(0.0, 1.0 - (surprise - DOUBTFUL) / (IMPOSSIBLE - DOUBTFUL))
        return Finding(score, f"a price {surprise:.0f} deviations off")

    def _take_in(self, close: float, predicted: float, total: float, steps: int) -> None:
        if self._off >= AGREEING_BARS:
            self._level, self._variance, self._off = close, predicted, 0
            return
        error = close - self._level
        gain = predicted / total
        self._level += gain * error
        self._variance = (1.0 - gain) * predicted
        clipped = min(error * error / steps, CLIPPED**2 * self._spread) if self._bars > WARM_BARS else error * error
        weight = 1.0 / min(self._bars, MEMORY_BARS)
        self._spread = max(self._spread + weight * (clipped - self._spread), DEVIATION_MIN**2)
