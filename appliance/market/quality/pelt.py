"""Change points, second witness: PELT over the last values (Killick, Fearnhead and Eckley, 2012).

The best cut of a short window into stretches of one mean and one variance each; a start that can no longer be the best
is dropped. It looks only every few bars, because a window has to be cut anew each time.
"""

import math
from collections import deque
from typing import Final

WINDOW: Final = 32
STRETCH_MIN: Final = 5
EVERY: Final = 8
PENALTY: Final = 4.0
VARIANCE_MIN: Final = 0.05


class Pelt:
    """Keep the last values."""

    __slots__ = ("_count", "_values")

    def __init__(self) -> None:
        """Begin without a value."""
        self._values: deque[float] = deque(maxlen=WINDOW)
        self._count = 0

    def update(self, deviations: float) -> bool:
        """Take a value, and tell whether the window was looked at now and changes within its newest stretches."""
        self._values.append(deviations)
        self._count += 1
        if len(self._values) < WINDOW or self._count % EVERY:
            return False
        last = last_change(tuple(self._values))
        return last > 0 and WINDOW - last <= EVERY + STRETCH_MIN


def last_change(values: tuple[float, ...]) -> int:
    """Return where the newest stretch of the best cut begins; 0 when nothing changes."""
    sums, squares = [0.0], [0.0]
    for value in values:
        sums.append(sums[-1] + value)
        squares.append(squares[-1] + value * value)
    penalty = PENALTY * math.log(len(values))
    best = [-penalty] + [math.inf] * len(values)
    before = [0] * (len(values) + 1)
    starts = [0]
    for end in range(STRETCH_MIN, len(values) + 1):
        costs = [best[start] + _cost(sums, squares, start, end) for start in starts]
        least = min(costs)
        best[end] = least + penalty
        before[end] = starts[costs.index(least)]
        starts = [start for start, cost in zip(starts, costs, strict=True) if cost <= best[end]]
        if end + 1 - STRETCH_MIN >= STRETCH_MIN:
            starts.append(end + 1 - STRETCH_MIN)
    return before[-1]


def _cost(sums: list[float], squares: list[float], start: int, end: int) -> float:
    count = end - start
    mean = (sums[end] - sums[start]) / count
    variance = (squares[end] - squares[start]) / count - mean * mean
    return count * math.log(max(variance, VARIANCE_MIN))
