"""Tight loops over rows without holes, once an instruction is warm: what nearly all rows of an array are.

Each does what the loop row by row that calls it does, to nine digits and more: it may join several rows in one step, so
that no row waits for the one before. Who calls must know that the rows are finite, or look at what comes out: a hole
makes an average's last value not finite, and then nothing of it may be kept.
"""

from typing import Final

import numpy as np

from appliance.kernels.compiling import part
from appliance.kernels.indicators.layout import NEARLY_ZERO, Floats, Rows

# Fewer rows, as a live bar's one, are not worth the way in.
ROWS_MIN: Final = 8
# Nearer than this, in shares of itself, an average has reached what it follows.
STAYS: Final = 1e-9


@part
def known(x: Floats, rows: int) -> bool:
    """Tell whether every row is a finite number."""
    holes = np.int64(0)
    for i in range(rows):
        holes |= np.int64(x[i] - x[i] != 0.0)
    return bool(holes == 0)


@part
def average(x: Floats, out: Floats, rows: int, s: Floats, weight: float) -> bool:
    """Average exponentially, four rows a step, and tell whether all of it may be kept.

    Not when the average has all but reached a value that stays: then only last bits move, and they must not tremble.
    """
    value, keep, reached, stop = s[1], 1.0 - weight, np.int64(0), rows // 4 * 4
    keep2 = keep * keep
    keep3, keep4 = keep2 * keep, keep2 * keep2
    for i in range(0, stop, 4):
        a = weight * x[i]
        b = keep * a + weight * x[i + 1]
        c = keep * b + weight * x[i + 2]
        d = keep * c + weight * x[i + 3]
        out[i] = keep * value + a
        out[i + 1] = keep2 * value + b
        out[i + 2] = keep3 * value + c
        value = keep4 * value + d
        out[i + 3] = value
        reached |= np.int64(abs(x[i + 3] - value) <= STAYS * abs(value))
    for i in range(stop, rows):
        value += weight * (x[i] - value)
        out[i] = value
    kept = bool(reached == 0 and value - value == 0.0)
    if kept:
        s[1] = value
    return kept


@part
def strengths(x: Floats, out: Floats, rows: int, s: Floats, weight: float, less: float) -> bool:
    """Share out smoothed gains (less so much of the losses), and tell whether all of it may be kept."""
    last, gain, loss, keep = s[1], s[2], s[3], 1.0 - weight
    for i in range(rows):
        change = x[i] - last
        last = x[i]
        gain = keep * gain + weight * (max(0.0, change))
        loss = keep * loss + weight * (0.0 if change > 0.0 else -change)
        both = gain + loss
        moved = both > NEARLY_ZERO
        share = 100.0 * ((gain - less * loss) / (both if moved else 1.0))
        out[i] = share if moved else 0.0
    kept = bool(gain + loss - (gain + loss) == 0.0)
    if kept:
        s[1], s[2], s[3] = last, gain, loss
    return kept


@part
def distances(x: Floats, line: Floats, smooth: Floats, distance: Floats, rows: int, s: Floats, par: Floats) -> bool:
    """Follow two averages, their distance and its average, and tell whether all of it may be kept."""
    f, g, a = s[1], s[2], s[3]
    wf, ws, wa = par[0], par[1], par[2]
    kf, ks, ka = 1.0 - wf, 1.0 - ws, 1.0 - wa
    for i in range(rows):
        v = x[i]
        f = kf * f + wf * v
        g = ks * g + ws * v
        d = f - g
        a = ka * a + wa * d
        line[i] = d
        smooth[i] = a
        distance[i] = d - a
    kept = bool(a - a == 0.0)
    if kept:
        s[1], s[2], s[3] = f, g, a
    return kept


@part
def true_range(high: float, low: float, last: float) -> float:
    """Return the range of a row, the last close included."""
    return (max(last, high)) - (min(last, low))


@part
def average_range(high: Floats, low: Floats, close: Floats, out: Floats, rows: int, s: Floats, weight: float) -> bool:
    """Average true ranges, four rows a step, and tell whether all of it may be kept."""
    last, value, keep, swapped, stop = s[1], s[2], 1.0 - weight, np.int64(0), rows // 4 * 4
    keep2 = keep * keep
    keep3, keep4 = keep2 * keep, keep2 * keep2
    for i in range(0, stop, 4):
        a = weight * true_range(high[i], low[i], last)
        b = keep * a + weight * true_range(high[i + 1], low[i + 1], close[i])
        c = keep * b + weight * true_range(high[i + 2], low[i + 2], close[i + 1])
        d = keep * c + weight * true_range(high[i + 3], low[i + 3], close[i + 2])
        swapped |= np.int64(not (high[i] >= low[i])) | np.int64(not (high[i + 1] >= low[i + 1]))
        swapped |= np.int64(not (high[i + 2] >= low[i + 2])) | np.int64(not (high[i + 3] >= low[i + 3]))
        last = close[i + 3]
        out[i] = keep * value + a
        out[i + 1] = keep2 * value + b
        out[i + 2] = keep3 * value + c
        value = keep4 * value + d
        out[i + 3] = value
    for i in range(stop, rows):
        swapped |= np.int64(not (high[i] >= low[i]))
        value = keep * value + weight * true_range(high[i], low[i], last)
        last = close[i]
        out[i] = value
    # The last close is part of no range yet.
    kept = bool(swapped == 0 and value - value + last - last == 0.0)
    if kept:
        s[1], s[2] = last, value
    return kept


@part
def lag(x: Floats, out: Floats, rows: int, s: Floats, n: int) -> None:
    """Return the value n rows ago, where there are at least n rows."""
    j, ring = int(s[1]), s[2:]
    for k in range(n):
        out[k] = ring[(j + k) % n]
    for i in range(n, rows):
        out[i] = x[i - n]
    for k in range(n):
        ring[k] = x[rows - n + k]
    s[1] = 0


@part
def refill(ring: Floats, x: Floats, rows: int) -> None:
    """Remember the last rows, the oldest first."""
    n = ring.shape[0]
    tail = x[rows - n : rows]
    for k in range(n):
        ring[k] = tail[k]


@part
def turn(ring: Floats, j: int, spare: Floats) -> None:
    """Turn a ring whose oldest value is at j so that this comes first."""
    n = ring.shape[0]
    for k in range(n):
        spare[k] = ring[(j + k) % n]
    for k in range(n):
        ring[k] = spare[k]


@part
def left_sums(ring: Floats, older: Floats) -> None:
    """Sum what is left of a window from each place on."""
    later = 0.0
    for k in range(ring.shape[0] - 1, -1, -1):
        later += ring[k]
        older[k] = later


@part
def gathered(to: Floats, now: Floats, first: int, width: int, digit: int) -> None:
    """Add one, two or three sums of a width that end at a row and before each other."""
    count = to.shape[0]
    one = now[first : first + count]
    if digit == 1:
        for k in range(count):
            to[k] += one[k]
        return
    two = now[first - width : first - width + count]
    if digit == 2:
        for k in range(count):
            to[k] += one[k] + two[k]
        return
    three = now[first - 2 * width : first - 2 * width + count]
    for k in range(count):
        to[k] += one[k] + two[k] + three[k]


@part
def windows(x: Floats, out: Floats, spare: Rows, rows: int, n: int, scale: float) -> bool:
    """Sum windows of n rows from sums of 1, 4, 16... rows, as n is written in powers of four; no row waits for another.

    Every sum is a fresh one. The first n-1 rows, whose windows begin before the block, are left as they are. Tell
    whether all sums are finite: with a hole in a row they are not.
    """
    width, taken, left, now, other, third = 1, 0, n, x, spare[0], spare[1]
    to, holes = out[n - 1 : rows], np.int64(0)
    for k in range(to.shape[0]):
        to[k] = 0.0
    while left > 0:
        if left & 3:
            gathered(to, now, n - 1 - taken, width, left & 3)
            taken += width * (left & 3)
        left >>= 2
        if left > 0:
            wide, a, b = other[3 * width : rows], now[3 * width : rows], now[2 * width : rows - width]
            c, d = now[width : rows - 2 * width], now[: rows - 3 * width]
            for k in range(wide.shape[0]):
                wide[k] = (a[k] + b[k]) + (c[k] + d[k])
            width *= 4
            now, other, third = other, third, other
    for k in range(to.shape[0]):
        to[k] *= scale
        holes |= np.int64(to[k] - to[k] != 0.0)
    return bool(holes == 0)


@part
def sums(x: Floats, out: Floats, spare: Rows, rows: int, s: Floats, n: int, scale: float) -> bool:
    """Sum the last n values of each row, and tell whether all of it may be kept."""
    ring, older = s[3 : 3 + n], s[3 + n : 4 + 2 * n]
    if not windows(x, out, spare, rows, n, scale):
        return False
    if s[0] > 0.0:
        turn(ring, int(s[0]), spare[0])
        left_sums(ring, older)
    newer = 0.0
    for k in range(n - 1):
        newer += x[k]
        out[k] = (newer + older[k + 1]) * scale
    refill(ring, x, rows)
    left_sums(ring, older)
    s[0], s[1] = 0.0, 0.0
    return True


@part
def left_peaks(ring: Floats, older: Floats) -> None:
    """Find the greatest of what is left of a window from each place on."""
    n = ring.shape[0]
    best = ring[n - 1]
    for k in range(n - 1, -1, -1):
        best = max(best, ring[k])
        older[k] = best


@part
def peaks(x: Floats, out: Floats, spare: Rows, rows: int, s: Floats, n: int, sign: float) -> None:
    """Return the greatest of the last n values of each row, from those of 1, 2, 4... rows."""
    ring, older, width, now, other = s[3 : 3 + n], s[3 + n : 3 + 2 * n], 1, spare[0], spare[1]
    if s[0] > 0.0:
        turn(ring, int(s[0]), now)
        left_peaks(ring, older)
    newer = sign * x[0]
    for k in range(n - 1):
        v = sign * x[k]
        newer = max(newer, v)
        out[k] = sign * (max(older[k + 1], newer))
    for i in range(rows):
        now[i] = sign * x[i]
    refill(ring, now, rows)
    left_peaks(ring, older)
    while 2 * width <= n:
        later, before, wide = now[width:rows], now[: rows - width], other[width:rows]
        for k in range(wide.shape[0]):
            wide[k] = max(before[k], later[k])
        width *= 2
        now, other = other, now
    later, before, to = now[n - 1 : rows], now[width - 1 : rows - n + width], out[n - 1 : rows]
    for k in range(to.shape[0]):
        to[k] = sign * (max(before[k], later[k]))
    s[0] = 0.0


@part
def directions(high: Floats, low: Floats, close: Floats, to: Rows, rows: int, s: Floats, n: int) -> None:
    """Follow Wilder's movements up and down and the range; the range goes where the index's average will."""
    up, down, ranges, keep = to[0], to[1], to[5], 1.0 - 1.0 / n
    h, w, c, plus, minus, reach = s[1], s[2], s[3], s[4], s[5], s[6]
    for i in range(rows):
        hi, lo = high[i], low[i]
        rise, fall = hi - h, w - lo
        plus = keep * plus + (rise if rise > 0.0 and rise > fall else 0.0)
        minus = keep * minus + (fall if fall > 0.0 and fall > rise else 0.0)
        reach = keep * reach + true_range(hi, lo, c)
        h, w, c = hi, lo, close[i]
        up[i] = plus
        down[i] = minus
        ranges[i] = reach
    s[1], s[2], s[3], s[4], s[5], s[6] = h, w, c, plus, minus, reach


@part
def shares(to: Rows, rows: int) -> None:
    """Return movements as shares of the range, and how far apart they are; not a number where nothing moved."""
    up, down, up_share, down_share, index, ranges = to[0], to[1], to[2], to[3], to[4], to[5]
    for i in range(rows):
        moved = ranges[i] > NEARLY_ZERO
        share = 100.0 / (ranges[i] if moved else 1.0)
        share = share if moved else 0.0
        up_share[i] = up[i] * share
        down_share[i] = down[i] * share
        both = up[i] + down[i]
        apart = both * share > NEARLY_ZERO
        dx = 100.0 * abs(up[i] - down[i]) / (both if apart else 1.0)
        index[i] = dx if apart else np.nan


@part
def direction(high: Floats, low: Floats, close: Floats, to: Rows, rows: int, s: Floats, n: int) -> None:
    """Return Wilder's movements and indicators, up and down, their index and its average."""
    directions(high, low, close, to, rows, s, n)
    shares(to, rows)
    index, smooth, weight = to[4], to[5], 1.0 / n
    dx, adx, keep = s[7], s[8], 1.0 - 1.0 / n
    for i in range(rows):
        if index[i] == index[i]:
            dx = index[i]
            adx = keep * adx + weight * dx
        index[i] = dx
        smooth[i] = adx
    s[7], s[8] = dx, adx
