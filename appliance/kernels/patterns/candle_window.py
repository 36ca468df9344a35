"""The last bars as candlestick patterns see them: a row of figures a bar, in one flat array of fixed size.

TA-Lib judges "long", "short", "doji" and "near" against the average of the bars *before* the one judged, and keeps
each average as a running total per pattern. A running total carries the rounding of everything it ever added, so two
patterns that start at different bars can differ in the last bit for ever, and a comparison can then fall either way.
To agree on every bar, each total that differs by kind or by first bar is kept here once (`TOTALS`), added up in the
same order; its average stands in the row of the bar it judges. An average's name says its kind and its first bar.

Rows lie one after the other; a place is the index of a row's first figure, unsigned because numba then leaves out the
test for an index from the end. When the array is full, the rows still needed move to its front.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from appliance.kernels.compiling import kernel, part

Floats = npt.NDArray[np.float64]
Place = np.uint64

# A bar's figures; TOP and BOTTOM are the ends of its body.
OPEN, HIGH, LOW, CLOSE, BODY, RANGE, SHADOWS, COLOUR, UPPER, LOWER, TOP, BOTTOM = (np.uint64(n) for n in range(12))
# Averages: of bodies over ten bars, of ranges over ten, of both shadows over ten, of ranges over five.
BODY_10, BODY_11, BODY_12, BODY_13, BODY_14 = (np.uint64(n) for n in range(12, 17))
RANGE_10, RANGE_11, RANGE_12, RANGE_13 = (np.uint64(n) for n in range(17, 21))
SHADOWS_10, SHADOWS_11, SHADOWS_12 = (np.uint64(n) for n in range(21, 24))
NEAR_5, NEAR_6, NEAR_10, NEAR_11 = (np.uint64(n) for n in range(24, 28))
# Everything that the bar is, as bits of an integer.
FLAGS: Final = np.uint64(28)
WIDTH: Final = 29

# The figure averaged, over how many bars, and the first bar judged by it; in the order of the averages above.
TOTALS: Final = np.array(
    [[4, 10, first] for first in range(10, 15)]
    + [[5, 10, first] for first in range(10, 14)]
    + [[6, 10, first] for first in range(10, 13)]
    + [[5, 5, first] for first in (5, 6, 10, 11)],
    np.int64,
)
FIRST_AVERAGE: Final = 12
LAST_FIRST_BAR: Final = 14
# Beyond it a total of ranges could overflow.
PRICE_MAX: Final = 1e300

# TA-Lib's candle settings: what share of the average each word means. Long and short bodies are the average itself.
VERY_LONG_SHADOW: Final = 2.0
DOJI: Final = 0.1
VERY_SHORT_SHADOW: Final = 0.1
SHORT_SHADOWS: Final = 2.0
NEAR: Final = 0.2
FAR: Final = 0.6
EQUAL: Final = 0.05

# The state: a header, the totals, the rows.
COUNT, AT = range(2)
# The bar of the last hikkake that waits for its confirmation, and behind it its sign; so for the modified one.
HIKKAKE, MODIFIED = 2, 4
FIRST_DEPTH: Final = 6
DEPTHS_COUNT: Final = 7
FIRST_TOTAL: Final = FIRST_DEPTH + DEPTHS_COUNT
FIRST_ROW: Final = FIRST_TOTAL + 16
ROWS_KEPT: Final = 12
ROWS: Final = 64
STATE_LENGTH: Final = FIRST_ROW + ROWS * WIDTH


@kernel
def restart(state: Floats) -> None:
    """Forget every bar; the depths stay."""
    for index in range(FIRST_DEPTH):
        state[index] = 0.0
    for index in range(FIRST_TOTAL, STATE_LENGTH):
        state[index] = np.nan
    for row in range(ROWS):
        state[FIRST_ROW + row * WIDTH + int(FLAGS)] = 0.0
    state[AT] = FIRST_ROW + ROWS_KEPT * WIDTH


@part
def is_bar(open_: float, high: float, low: float, close: float) -> bool:
    """Tell whether four numbers are finite, none beyond all bounds, and the high is not below the low."""
    largest = max(abs(open_), abs(high), abs(low), abs(close))
    finite = np.isfinite(open_) and np.isfinite(high) and np.isfinite(low) and np.isfinite(close)
    return bool(finite and largest <= PRICE_MAX and high >= low)


@part
def add_bar(state: Floats, open_: float, high: float, low: float, close: float) -> int:
    """Write a bar's row behind the others and return its place."""
    place = int(state[AT])
    if place == STATE_LENGTH:
        place = FIRST_ROW + ROWS_KEPT * WIDTH
        moved = STATE_LENGTH - place
        for index in range(FIRST_ROW, place):
            state[index] = state[index + moved]
    state[AT] = place + WIDTH
    at = np.uint64(place)
    rising = close >= open_
    state[at + OPEN] = open_
    state[at + HIGH] = high
    state[at + LOW] = low
    state[at + CLOSE] = close
    state[at + BODY] = abs(close - open_)
    state[at + RANGE] = high - low
    state[at + COLOUR] = 1.0 if rising else -1.0
    state[at + TOP] = close if rising else open_
    state[at + BOTTOM] = open_ if rising else close
    state[at + UPPER] = high - state[at + TOP]
    state[at + LOWER] = state[at + BOTTOM] - low
    state[at + SHADOWS] = state[at + UPPER] + state[at + LOWER]
    count = int(state[COUNT])
    state[COUNT] = count + 1
    _average(state, place, count)
    return place


@part
def _average(state: Floats, place: int, count: int) -> None:
    """Bring each total forward by one bar and write its average into the row at a place."""
    for number in range(TOTALS.shape[0]):
        figure = TOTALS[number, 0]
        bars = TOTALS[number, 1]
        first = TOTALS[number, 2]
        if count > first:
            last = place - WIDTH + figure
            state[FIRST_TOTAL + number] += state[last] - state[last - bars * WIDTH]
        elif count == first:
            total = 0.0
            for back in range(bars, 0, -1):
                total += state[place - back * WIDTH + figure]
            state[FIRST_TOTAL + number] = total
        state[place + FIRST_AVERAGE + number] = state[FIRST_TOTAL + number] / bars


@part
def within(value: float, middle: float, reach: float) -> bool:
    """Tell whether a value is no further from a middle than so much."""
    return value <= middle + reach and value >= middle - reach
