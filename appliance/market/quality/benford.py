"""Layer 1: leading digits of volumes against Benford's law.

Volumes that span orders of magnitude begin with 1 in 30 % of cases, with 9 in 5 %; invented ones do not. The measure is
Nigrini's mean absolute deviation of the nine shares, less what chance alone makes of so small a sample. It is weak
evidence: a market of equal lots is honest and fails it, so it weighs little in the score.
"""

import math
from collections import deque
from typing import Final

from appliance.market.quality.finding import FINE, Finding

WINDOW: Final = 400
WARM: Final = 100
SHARES: Final = tuple(math.log10(1.0 + 1.0 / digit) for digit in range(1, 10))
# The mean absolute deviation of a normal deviate, in deviations; the excess at which nothing is left of the score.
MEAN_OF_ABSOLUTE: Final = 0.8
EXCESS_MAX: Final = 0.12
NOTABLE: Final = 0.5


def _chance(count: int) -> float:
    return MEAN_OF_ABSOLUTE * sum(math.sqrt(share * (1.0 - share) / count) for share in SHARES) / 9.0


# What chance alone makes of each number of volumes.
_CHANCES: Final = (0.0, *(_chance(count) for count in range(1, WINDOW + 1)))


class Benford:
    """Keep the leading digits of the last volumes."""

    __slots__ = ("_counts", "_digits")

    def __init__(self) -> None:
        """Begin without a volume."""
        self._digits: deque[int] = deque()
        self._counts = [0] * 9

    def update(self, volume_lots: int) -> Finding:
        """Add a bar's volume; one without a trade says nothing."""
        if volume_lots > 0:
            digit = int(str(volume_lots)[0])
            self._digits.append(digit)
            self._counts[digit - 1] += 1
            if len(self._digits) > WINDOW:
                self._counts[self._digits.popleft() - 1] -= 1
        count = len(self._digits)
        if count < WARM:
            return FINE
        deviation = sum(abs(n / count - share) for n, share in zip(self._counts, SHARES, strict=True)) / 9.0
        score = 1.0 - min(1.0, max(0.0, deviation - _CHANCES[count]) / EXCESS_MAX)
        return FINE if score > NOTABLE else Finding(score, "volumes do not begin with digits as volumes do")
