"""Bars of several kinds at once from the trades of one instrument: one pass, integers only, the same for one or many.

Each row of `series` is one kind of bar and its open bar. A time bar closes when something later than its end is seen;
a bar of trades, volume or value closes with the trade that fills it, which is never split. A trade that belongs before
the open bar of a kind comes too late for it: it is counted there and folded into nothing. The live step hands trades
over one at a time and a batch hands over a day: both run these very lines, so the bars cannot differ.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from appliance.kernels.compiling import kernel, part

TIME: Final = 0
TRADES: Final = 1
VOLUME: Final = 2
VALUE: Final = 3

# A row of series: what it measures and closes at, the open bar, the end of the last closed one, and counts.
MEASURE, LENGTH, START, LAST, OPEN, HIGH, LOW, CLOSE, LOTS, COUNT, TICKLOTS, LATE, CLOSED = range(13)
SERIES_LENGTH: Final = 13
# A closed bar: the row it belongs to, when it began and its last trade or its period ended, then what it holds.
SERIES, BEGAN, ENDED, FIRST, MOST, LEAST, FINAL, SUM, TALLY, WORTH, GAP = range(11)
BAR_LENGTH: Final = 11
NEVER: Final = -1
VALUE_MAX: Final = 4_000_000_000_000_000_000

Ints = npt.NDArray[np.int64]


@part
def close_bar(series: Ints, row: int, ended_ns: int, gap: int, out: Ints, at: int) -> None:
    """Write the open bar of a row out and begin the next one."""
    out[at, SERIES] = row
    out[at, BEGAN] = series[row, START]
    out[at, ENDED] = ended_ns
    out[at, FIRST] = series[row, OPEN]
    out[at, MOST] = series[row, HIGH]
    out[at, LEAST] = series[row, LOW]
    out[at, FINAL] = series[row, CLOSE]
    out[at, SUM] = series[row, LOTS]
    out[at, TALLY] = series[row, COUNT]
    out[at, WORTH] = series[row, TICKLOTS]
    out[at, GAP] = gap
    series[row, LAST] = series[row, START] if series[row, MEASURE] == TIME else ended_ns
    series[row, START] = NEVER
    series[row, LOTS] = 0
    series[row, COUNT] = 0
    series[row, TICKLOTS] = 0
    series[row, CLOSED] += 1


@kernel
def pass_time(series: Ints, now_ns: int, out: Ints, at: int) -> int:
    """Close every time bar that the venue's time has left behind; return how many bars `out` holds now."""
    for row in range(series.shape[0]):
        length = series[row, LENGTH]
        if series[row, MEASURE] != TIME or series[row, COUNT] == 0 or now_ns < series[row, START] + length:
            continue
        gap = 0
        if series[row, LAST] >= 0:
            gap = (series[row, START] - series[row, LAST]) // length - 1
        close_bar(series, row, series[row, START] + length, gap, out, at)
        at += 1
    return at


@kernel
def fold(series: Ints, price: int, lots: int, venue_ns: int, out: Ints, at: int) -> int:
    """Fold one trade into every row, after closing what its time closes; return how many bars `out` holds now."""
    at = pass_time(series, venue_ns, out, at)
    value = price * lots
    too_large = float(price) * float(lots) > VALUE_MAX
    for row in range(series.shape[0]):
        measure = series[row, MEASURE]
        start = venue_ns - venue_ns % series[row, LENGTH] if measure == TIME else venue_ns
        # A period that is closed takes no more; the end of another kind of bar is one of its own trades.
        late = start <= series[row, LAST] if measure == TIME else start < series[row, LAST]
        if start < series[row, START] or late or too_large:
            series[row, LATE] += 1
            continue
        if series[row, COUNT] == 0:
            series[row, START] = start
            series[row, OPEN] = price
            series[row, HIGH] = price
            series[row, LOW] = price
        series[row, HIGH] = max(series[row, HIGH], price)
        series[row, LOW] = min(series[row, LOW], price)
        series[row, CLOSE] = price
        series[row, LOTS] += lots
        series[row, COUNT] += 1
        # It stops growing before it could turn around, which is beyond any length a bar of value may have.
        series[row, TICKLOTS] = min(VALUE_MAX, series[row, TICKLOTS]) + value
        full = (
            (measure == TRADES and series[row, COUNT] >= series[row, LENGTH])
            or (measure == VOLUME and series[row, LOTS] >= series[row, LENGTH])
            or (measure == VALUE and series[row, TICKLOTS] >= series[row, LENGTH])
        )
        if full:
            close_bar(series, row, venue_ns, 0, out, at)
            at += 1
    return at


@kernel
def fold_many(series: Ints, prices: Ints, lots: Ints, venue_ns: Ints, out: Ints) -> tuple[int, int]:
    """Fold trades until there is no more room for what one of them may close; return the bars and the trades folded."""
    at = 0
    for number in range(prices.shape[0]):
        if at + 2 * series.shape[0] > out.shape[0]:
            return at, number
        at = fold(series, prices[number], lots[number], venue_ns[number], out, at)
    return at, prices.shape[0]
