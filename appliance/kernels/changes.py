"""Two searches for change points: Bayesian online detection, a value at a time, and PELT over a window.

Bayes (Adams and MacKay, 2007): each possible length of the present stretch is a row of what it believes: its weight,
then mean, weight, shape and scale of a normal and inverse gamma belief. The number of a row is the length, so a value
moves each row on by one. Rows beyond the limit share the last place.

PELT (Killick, Fearnhead and Eckley, 2012): the best cut of a window into stretches of one mean and one variance each; a
start that can no longer be the best is dropped.

Sums run from the first to the last, as they are written down, so that a replay yields the same bits.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from appliance.kernels.compiling import kernel

LENGTHS_MAX: Final = 48
HAZARD: Final = 1.0 / 150.0
YOUNG: Final = 4
YOUNG_WEIGHT: Final = 0.6
SETTLED: Final = 16

STRETCH_MIN: Final = 5
PENALTY: Final = 4.0
VARIANCE_MIN: Final = 0.05

WEIGHT, MEAN, COUNT, SHAPE, SCALE = range(5)
FIELDS: Final = 5
# Behind the rows: how many there are, and whether the present stretch is an old one.
LENGTHS, IS_SETTLED = 0, 1

Floats = npt.NDArray[np.float64]


def _height(freedom: float) -> float:
    return math.exp(math.lgamma((freedom + 1.0) / 2.0) - math.lgamma(freedom / 2.0)) / math.sqrt(freedom * math.pi)


# The height of Student's t at its middle; a place has always learned from as many values as its number.
HEIGHTS: Final = np.array([_height(2.0 + place) for place in range(LENGTHS_MAX + 1)])


def beliefs() -> Floats:
    """Return the rows of a stretch that has just begun."""
    rows = np.zeros((LENGTHS_MAX + 2, FIELDS))
    rows[0] = 1.0, 0.0, 1.0, 1.0, 1.0
    rows[-1, LENGTHS] = 1.0
    return rows


@kernel
def bayes(rows: Floats, value: float) -> bool:
    """Take a value, and tell whether a settled stretch has just ended."""
    last = rows.shape[0] - 1
    count = int(rows[last, LENGTHS])
    begun = 0.0
    for place in range(count - 1, -1, -1):
        mean, weight, shape, scale = rows[place, MEAN], rows[place, COUNT], rows[place, SHAPE], rows[place, SCALE]
        freedom, error, more = 2.0 * shape, value - mean, weight + 1.0
        spread = scale * more / (shape * weight)
        density = (
            HEIGHTS[place]
            / math.sqrt(spread)
            * math.pow(1.0 + error * error / spread / freedom, -(freedom + 1.0) / 2.0)
        )
        rows[place + 1, WEIGHT] = rows[place, WEIGHT] * density
        rows[place + 1, MEAN] = mean + error / more
        rows[place + 1, COUNT] = more
        rows[place + 1, SHAPE] = shape + 0.5
        rows[place + 1, SCALE] = scale + weight * error * error / (2.0 * more)
    for place in range(1, count + 1):
        begun += rows[place, WEIGHT]
        rows[place, WEIGHT] *= 1.0 - HAZARD
    rows[0, WEIGHT], rows[0, MEAN] = HAZARD * begun, 0.0
    rows[0, COUNT] = rows[0, SHAPE] = rows[0, SCALE] = 1.0
    if count < LENGTHS_MAX:
        count += 1
    else:
        rows[count - 1, WEIGHT] += rows[count, WEIGHT]
    total = 0.0
    for place in range(count):
        total += rows[place, WEIGHT]
    if total > 0.0:
        for place in range(count):
            rows[place, WEIGHT] /= total
    else:
        count = 1
        rows[0, WEIGHT] = 1.0
    likeliest = 0
    young = 0.0
    for place in range(count):
        if rows[place, WEIGHT] > rows[likeliest, WEIGHT]:
            likeliest = place
        if place <= YOUNG:
            young += rows[place, WEIGHT]
    changed = young > YOUNG_WEIGHT and rows[last, IS_SETTLED] != 0.0
    rows[last, LENGTHS] = count
    rows[last, IS_SETTLED] = 1.0 if likeliest >= SETTLED and not changed else 0.0
    return changed


@kernel
def last_change(ring: Floats, first: int) -> int:
    """Return where the newest stretch of the best cut begins, counted from the oldest value; 0 without a change."""
    length = ring.shape[0]
    sums, squares, best, costs = np.zeros((4, length + 1))
    before, starts = np.zeros((2, length + 1), np.int64)
    for place in range(length):
        value = ring[(first + place) % length]
        sums[place + 1] = sums[place] + value
        squares[place + 1] = squares[place] + value * value
    penalty = PENALTY * math.log(length)
    best[0] = -penalty
    starts_count = 1
    for end in range(STRETCH_MIN, length + 1):
        least = np.inf
        for number in range(starts_count):
            start = starts[number]
            count = end - start
            mean = (sums[end] - sums[start]) / count
            variance = (squares[end] - squares[start]) / count - mean * mean
            costs[number] = best[start] + count * math.log(max(variance, VARIANCE_MIN))
            if costs[number] < least:
                least = costs[number]
                before[end] = start
        best[end] = least + penalty
        kept = 0
        for number in range(starts_count):
            if costs[number] <= best[end]:
                starts[kept] = starts[number]
                kept += 1
        if end + 1 - STRETCH_MIN >= STRETCH_MIN:
            starts[kept] = end + 1 - STRETCH_MIN
            kept += 1
        starts_count = kept
    return int(before[length])
