"""Instructions whose last output is part of the next: averages, directional movement, totals."""

import numpy as np

from appliance.kernels.compiling import part
from appliance.kernels.indicators import settled
from appliance.kernels.indicators.layout import NEARLY_ZERO, OUT, A, B, C, Floats, Integers, M, N, Rows


@part
def average(x: Floats, out: Floats, rows: int, s: Floats, code: Integers, par: Floats) -> None:
    """Average exponentially, from the mean of the first n values on."""
    n, weight = code[N], par[0]
    if s[0] >= n and rows >= settled.ROWS_MIN and settled.average(x, out, rows, s, weight):
        return
    seen, value = int(s[0]), s[1]
    for i in range(rows):
        v = x[i]
        out[i] = np.nan
        if v - v != 0.0:
            continue
        if seen >= n:
            # In this form an average of one value is that value, to the last bit.
            value += weight * (v - value)
            out[i] = value
            continue
        seen += 1
        value += v
        if seen == n:
            value /= n
            out[i] = value
    s[0], s[1] = seen, value


@part
def average_range(high: Floats, low: Floats, close: Floats, out: Floats, rows: int, s: Floats, code: Integers) -> None:
    """Average true ranges after Wilder, from the mean of the first n on."""
    n, seen, weight = code[N], int(s[0]), 1.0 / code[N]
    if seen > n and rows >= settled.ROWS_MIN and settled.average_range(high, low, close, out, rows, s, weight):
        return
    last, value = s[1], s[2]
    for i in range(rows):
        h, w, c = high[i], low[i], close[i]
        flaw = h - w + c
        out[i] = np.nan
        if h < w or flaw - flaw != 0.0:
            continue
        reach, last = settled.true_range(h, w, last), c
        if seen > n:
            value += weight * (reach - value)
        elif seen > 0:
            value += reach
        seen = min(seen + 1, n + 2)
        if seen == n + 1:
            value /= n
        if seen > n:
            out[i] = value
    s[0], s[1], s[2] = seen, last, value


@part
def total(regs: Rows, rows: int, s: Floats, code: Integers) -> None:
    """Add up everything so far."""
    x, out = regs[code[A]], regs[code[OUT]]
    value = s[0]
    for i in range(rows):
        v = x[i]
        if v == v:
            value += v
            out[i] = value
        else:
            out[i] = np.nan
    s[0] = value


@part
def moves(x: Floats, out: Floats, rows: int, s: Floats, code: Integers) -> None:
    """Return Wilder's relative strength (or, with M of 1, Chande's momentum) from smoothed moves of n steps."""
    n, less, weight = code[N], float(code[M]), 1.0 / code[N]
    if s[0] > n and rows >= settled.ROWS_MIN and settled.strengths(x, out, rows, s, weight, less):
        return
    seen, last, gain, loss, keep = int(s[0]), s[1], s[2], s[3], 1.0 - weight
    for i in range(rows):
        v = x[i]
        out[i] = np.nan
        if v - v != 0.0:
            continue
        change = v - last
        last = v
        seen += 1
        up, down = max(change, 0.0), max(-change, 0.0)
        if seen > n + 1:
            gain = keep * gain + weight * up
            loss = keep * loss + weight * down
        elif seen > 1:
            gain += weight * up
            loss += weight * down
        if seen > n:
            both = gain + loss
            out[i] = 100.0 * ((gain - less * loss) / both) if both > NEARLY_ZERO else 0.0
    s[0], s[1], s[2], s[3] = min(seen, n + 1), last, gain, loss


@part
def macd(
    x: Floats, line: Floats, smooth: Floats, distance: Floats, rows: int, s: Floats, code: Integers, par: Floats
) -> None:
    """Return the distance of two averages, its own average, and their distance.

    The three recurrences share one loop because each alone only waits for its own last result. As in TA-Lib the fast
    average begins as late as the slow one: N is the slow length, M the fast, C the signal's.
    """
    slow, fast, signal = code[N], code[M], code[C]
    full = slow + signal - 1
    if s[0] >= full and settled.distances(x, line, smooth, distance, rows, s, par):
        return
    seen, f, g, a = int(s[0]), s[1], s[2], s[3]
    for i in range(rows):
        v = x[i]
        line[i] = smooth[i] = distance[i] = np.nan
        if v - v != 0.0:
            continue
        seen += 1
        if seen <= slow:
            g += v / slow
            f += v / fast if seen > slow - fast else 0.0
        else:
            f = (1.0 - par[0]) * f + par[0] * v
            g = (1.0 - par[1]) * g + par[1] * v
        if seen > full:
            a = (1.0 - par[2]) * a + par[2] * (f - g)
        elif seen >= slow:
            a += (f - g) / signal
        if seen >= full:
            line[i], smooth[i], distance[i] = f - g, a, f - g - a
    s[0], s[1], s[2], s[3] = min(seen, full), f, g, a


@part
def direction(regs: Rows, rows: int, s: Floats, code: Integers) -> None:
    """Return Wilder's movements and indicators, up and down, their index and its average, over n rows."""
    high, low, close, n, at = regs[code[A]], regs[code[B]], regs[code[C]], code[N], code[OUT]
    up, down, up_share, down_share, index, smooth = (
        regs[at], regs[at + 1], regs[at + 2], regs[at + 3], regs[at + 4], regs[at + 5]
    )  # fmt: skip
    settles = s[0] > 2 * n and n > 1 and rows >= settled.ROWS_MIN
    if settles and settled.known(high, rows) and settled.known(low, rows) and settled.known(close, rows):
        settled.direction(high, low, close, regs[at : at + 6], rows, s, n)
        return
    seen, h, w, c = int(s[0]), s[1], s[2], s[3]
    plus, minus, reach, dx, adx = s[4], s[5], s[6], s[7], s[8]
    keep, weight = 1.0 - 1.0 / n, 1.0 / n
    for i in range(rows):
        hi, lo, cl = high[i], low[i], close[i]
        up[i] = down[i] = up_share[i] = down_share[i] = index[i] = smooth[i] = np.nan
        if hi + lo + cl != hi + lo + cl:
            continue
        rise, fall = hi - h, w - lo
        true = max(hi - lo, abs(hi - c), abs(lo - c))
        h, w, c = hi, lo, cl
        seen += 1
        if seen == 1:
            continue
        rise, fall = (rise if rise > 0.0 and rise > fall else 0.0), (fall if fall > 0.0 and fall > rise else 0.0)
        if n == 1:
            plus, minus, reach = rise, fall, true
        elif seen <= n:
            plus, minus, reach = plus + rise, minus + fall, reach + true
        else:
            plus, minus, reach = keep * plus + rise, keep * minus + fall, keep * reach + true
        if seen >= n:
            up[i], down[i] = plus, minus
        if seen <= n:
            continue
        moved = reach > NEARLY_ZERO
        share = 100.0 / reach if moved else 0.0
        up_share[i], down_share[i] = plus * share, minus * share
        both = plus + minus
        known = moved and both * share > NEARLY_ZERO
        if known:
            dx = 100.0 * abs(plus - minus) / both
        index[i] = dx
        if seen > 2 * n:
            adx = keep * adx + weight * dx if known else adx
        else:
            adx += weight * dx if known else 0.0
        if seen >= 2 * n:
            smooth[i] = adx
    s[0], s[1], s[2], s[3] = min(seen, 2 * n + 1), h, w, c
    s[4], s[5], s[6], s[7], s[8] = plus, minus, reach, dx, adx


@part
def adapt(regs: Rows, rows: int, s: Floats, code: Integers) -> None:
    """Average with a weight of each row's own, from the value before (or, with M, at) the first known weight on."""
    x, weights, out, at_first = regs[code[A]], regs[code[B]], regs[code[OUT]], code[M]
    seen, last, value = s[0], s[1], s[2]
    for i in range(rows):
        v, weight = x[i], weights[i]
        out[i] = np.nan
        if v == v and weight == weight:
            if seen == 0.0:
                value = v if at_first > 0 else last
            seen = 1.0
            value += weight * (v - value)
            out[i] = value
        if v == v:
            last = v
    s[0], s[1], s[2] = seen, last, value


@part
def hold(regs: Rows, rows: int, s: Floats, code: Integers, par: Floats) -> None:
    """Repeat the last number where there is none but the second register has one."""
    x, y, out = regs[code[A]], regs[code[B]], regs[code[OUT]]
    value = s[1] if s[0] > 0.0 else par[0]
    for i in range(rows):
        if y[i] == y[i]:
            value = x[i] if x[i] == x[i] else value
            out[i] = value
        else:
            out[i] = np.nan
    s[0], s[1] = 1.0, value


@part
def recursive_filter(regs: Rows, rows: int, s: Floats, code: Integers, par: Floats) -> None:
    """Filter with three weights on inputs and two on outputs; before the first row all stood at its value."""
    x, out, n = regs[code[A]], regs[code[OUT]], code[N]
    seen, x1, x2, y1, y2 = int(s[0]), s[1], s[2], s[3], s[4]
    for i in range(rows):
        v = x[i]
        if v != v:
            out[i] = np.nan
            continue
        if seen == 0:
            x1 = x2 = v
            y1 = y2 = par[5] * v
        value = par[0] * v + par[1] * x1 + par[2] * x2 + par[3] * y1 + par[4] * y2
        x1, x2, y1, y2 = v, x1, value, y1
        seen += 1
        out[i] = value if seen > n else np.nan
    s[0], s[1], s[2], s[3], s[4] = min(seen, n + 1), x1, x2, y1, y2


@part
def streak(regs: Rows, rows: int, s: Floats, code: Integers) -> None:
    """Count how many rows the value rose (above zero) or fell (below zero) in a row."""
    x, out = regs[code[A]], regs[code[OUT]]
    seen, last, count = s[0], s[1], s[2]
    for i in range(rows):
        v = x[i]
        if v != v:
            out[i] = np.nan
            continue
        if seen == 0.0 or v == last:
            count = 0.0
        elif v > last:
            count = max(count, 0.0) + 1.0
        else:
            count = min(count, 0.0) - 1.0
        seen, last = 1.0, v
        out[i] = count
    s[0], s[1], s[2] = seen, last, count
