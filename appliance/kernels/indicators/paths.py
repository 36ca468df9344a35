"""Instructions that follow the price along a path: stops that turn over, legs, bricks, sessions."""

import numpy as np

from appliance.kernels.compiling import part
from appliance.kernels.indicators.layout import OUT, A, B, C, D, Floats, Integers, M, N, Rows


@part
def parabolic(regs: Rows, rows: int, s: Floats, code: Integers, par: Floats) -> None:
    """Follow Wilder's parabolic stop; with M, a short one's is negative.

    Parameters: start value, offset on reverse, then first, step and greatest acceleration of long and of short.
    """
    high, low, out = regs[code[A]], regs[code[B]], regs[code[OUT]]
    seen, long, stop, far, speed, h, w = int(s[0]), s[1] > 0.0, s[2], s[3], s[4], s[5], s[6]
    for i in range(rows):
        hi, lo = high[i], low[i]
        out[i] = np.nan
        if hi != hi or lo != lo:
            continue
        seen += 1
        if seen == 1:
            h, w = hi, lo
            continue
        if seen == 2:
            rise, fall = hi - h, w - lo
            long = par[0] > 0.0 or (par[0] == 0.0 and not (fall > 0.0 and fall > rise))
            far, speed = (hi, par[2]) if long else (lo, par[5])
            stop = abs(par[0]) if par[0] != 0.0 else (w if long else h)
            h, w = hi, lo
        turned = lo <= stop if long else hi >= stop
        if turned:
            long = not long
            stop = min(far, w, lo) if long else max(far, h, hi)
            stop += stop * (-par[1] if long else par[1])
            speed, far = (par[2], hi) if long else (par[5], lo)
            out[i] = stop if long or code[M] == 0 else -stop
        else:
            out[i] = stop if long or code[M] == 0 else -stop
            if long and hi > far:
                far, speed = hi, min(speed + par[3], par[4])
            elif not long and lo < far:
                far, speed = lo, min(speed + par[6], par[7])
        stop += speed * (far - stop)
        stop = min(stop, w, lo) if long else max(stop, h, hi)
        h, w = hi, lo
    s[0], s[1], s[2], s[3], s[4], s[5], s[6] = min(seen, 3), long, stop, far, speed, h, w


@part
def supertrend(regs: Rows, rows: int, s: Floats, code: Integers, par: Floats) -> None:
    """Follow a band of so many average ranges about the middle price; return the stop and the trend."""
    middle, reach, close = regs[code[A]], regs[code[B]], regs[code[C]]
    line, trend = regs[code[OUT]], regs[code[OUT] + 1]
    seen, upper, lower, last, side = s[0], s[1], s[2], s[3], s[4]
    for i in range(rows):
        line[i] = trend[i] = np.nan
        c, band = close[i], par[0] * reach[i]
        if band != band or c != c:
            continue
        above, below = middle[i] + band, middle[i] - band
        if seen == 0.0:
            upper, lower, side = above, below, 1.0
        else:
            upper = above if above < upper or last > upper else upper
            lower = below if below > lower or last < lower else lower
            if side > 0.0 and c < lower:
                side = -1.0
            elif side <= 0.0 and c > upper:
                side = 1.0
        seen, last = 1.0, c
        line[i], trend[i] = (lower if side > 0.0 else upper), side
    s[0], s[1], s[2], s[3], s[4] = seen, upper, lower, last, side


@part
def heikin(regs: Rows, rows: int, s: Floats, code: Integers) -> None:
    """Return the averaged open of Heikin-Ashi from open and averaged close."""
    opened, close, out = regs[code[A]], regs[code[B]], regs[code[OUT]]
    seen, value, last = s[0], s[1], s[2]
    for i in range(rows):
        o, c = opened[i], close[i]
        if o != o or c != c:
            out[i] = np.nan
            continue
        value = 0.5 * (value + last) if seen > 0.0 else o
        seen, last = 1.0, c
        out[i] = value
    s[0], s[1], s[2] = seen, value, last


@part
def zigzag(regs: Rows, rows: int, s: Floats, code: Integers, par: Floats) -> None:
    """Return the last confirmed turn, the direction of the leg since, and the leg's extreme so far.

    A turn is confirmed when price has come back from the extreme by the given share; nothing is ever redrawn.
    """
    high, low, at, share = regs[code[A]], regs[code[B]], code[OUT], par[0]
    seen, side, top, bottom, turn = s[0], s[1], s[2], s[3], s[4]
    for i in range(rows):
        h, w = high[i], low[i]
        regs[at, i] = regs[at + 1, i] = regs[at + 2, i] = np.nan
        if h != h or w != w:
            continue
        if seen == 0.0:
            top, bottom, turn = h, w, np.nan
        seen = 1.0
        raised, sunk = h > top, w < bottom
        if side >= 0.0:
            top = max(top, h)
        if side <= 0.0:
            bottom = min(bottom, w)
        # A bar that reached further first and came back as well is taken to have come back the next time.
        if side >= 0.0 and not raised and w <= top * (1.0 - share):
            turn, side, bottom = top, -1.0, w
        elif side <= 0.0 and not sunk and h >= bottom * (1.0 + share):
            turn, side, top = bottom, 1.0, h
        if side != 0.0:
            regs[at, i], regs[at + 1, i], regs[at + 2, i] = turn, side, (top if side > 0.0 else bottom)
    s[0], s[1], s[2], s[3], s[4] = seen, side, top, bottom, turn


@part
def renko(regs: Rows, rows: int, s: Floats, code: Integers) -> None:
    """Return the level of the last brick, its direction, and how many bricks the row made.

    A brick is as high as the second register said when the last one was laid; turning takes two of them.
    """
    close, size, at = regs[code[A]], regs[code[B]], code[OUT]
    seen, level, side, brick = s[0], s[1], s[2], s[3]
    for i in range(rows):
        c, height = close[i], size[i]
        regs[at, i] = regs[at + 1, i] = regs[at + 2, i] = np.nan
        if c != c or height != height:
            continue
        if seen == 0.0:
            seen, level, side, brick = 1.0, c, 0.0, height
        made = 0.0
        if brick > 0.0:
            away = (c - level) / brick
            turning = (away > 0.0) != (side > 0.0) and side != 0.0
            made = np.floor(abs(away) + 1e-9) - (1.0 if turning else 0.0)
            if made >= 1.0:
                step_side = 1.0 if away > 0.0 else -1.0
                level += step_side * brick * (made + (1.0 if turning else 0.0))
                side = step_side
            else:
                made = 0.0
        if made > 0.0 or brick <= 0.0:
            brick = height
        regs[at, i], regs[at + 1, i], regs[at + 2, i] = level, side, made
    s[0], s[1], s[2], s[3] = seen, level, side, brick


@part
def session(regs: Rows, rows: int, s: Floats, code: Integers) -> None:
    """Return high, low and close of the last whole session of n rows, and the open of the present one."""
    opened, high, low, close, at, n = regs[code[A]], regs[code[B]], regs[code[C]], regs[code[D]], code[OUT], code[N]
    seen, whole, first = int(s[0]), s[1] > 0.0, s[2]
    for i in range(rows):
        o, h, w, c = opened[i], high[i], low[i], close[i]
        regs[at, i] = regs[at + 1, i] = regs[at + 2, i] = regs[at + 3, i] = np.nan
        if o + h + w + c != o + h + w + c:
            continue
        if seen == 0:
            first, s[3], s[4] = o, h, w
        s[3], s[4], s[5] = max(s[3], h), min(s[4], w), c
        if whole:
            regs[at, i], regs[at + 1, i], regs[at + 2, i], regs[at + 3, i] = s[6], s[7], s[8], first
        seen += 1
        if seen == n:
            seen, whole = 0, True
            s[6], s[7], s[8] = s[3], s[4], s[5]
    s[0], s[1], s[2] = seen, whole, first


@part
def weighed(regs: Rows, rows: int, s: Floats, code: Integers) -> None:
    """Return the mean and the variance of the price by volume since the session of n rows (0: the first row) began."""
    x, volume, mean, variance, n = regs[code[A]], regs[code[B]], regs[code[OUT]], regs[code[OUT] + 1], code[N]
    seen, weight, middle, squares = int(s[0]), s[1], s[2], s[3]
    for i in range(rows):
        v, w = x[i], volume[i]
        mean[i] = variance[i] = np.nan
        if v != v or w != w:
            continue
        if seen == n and n > 0:
            seen, weight, middle, squares = 0, 0.0, 0.0, 0.0
        seen = min(seen + 1, 1_000_000_000)
        weight += w
        if weight > 0.0:
            away = v - middle
            middle += away * w / weight
            squares += w * away * (v - middle)
            mean[i], variance[i] = middle, max(squares / weight, 0.0)
    s[0], s[1], s[2], s[3] = seen, weight, middle, squares


@part
def fractal(regs: Rows, rows: int, s: Floats, code: Integers, par: Floats) -> None:
    """Return the value M rows ago where it stands above (sign -1: below) N rows before and M after it, else zero."""
    x, out, before, after, sign = regs[code[A]], regs[code[OUT]], code[N], code[M], par[0]
    seen, j, n, ring = int(s[0]), int(s[1]), code[N] + code[M] + 1, s[2:]
    for i in range(rows):
        v = sign * x[i]
        out[i] = np.nan
        if v != v:
            continue
        ring[j] = v
        j = j + 1 if j + 1 < n else 0
        seen = min(seen + 1, n)
        if seen < n:
            continue
        middle, stands = ring[(j + before) % n], 1.0
        for k in range(before + after + 1):
            if k != before and ring[(j + k) % n] >= middle:
                stands = 0.0
        out[i] = stands * sign * middle
    s[0], s[1] = seen, j


@part
def mcginley(regs: Rows, rows: int, s: Floats, code: Integers, par: Floats) -> None:
    """Follow price with McGinley's dynamic, from the mean of the first n values on."""
    x, out, n = regs[code[A]], regs[code[OUT]], code[N]
    seen, value = int(s[0]), s[1]
    for i in range(rows):
        v = x[i]
        out[i] = np.nan
        if v != v or v <= 0.0:
            continue
        seen += 1
        if seen <= n:
            value += v / n
        else:
            ratio = v / value
            value += (v - value) / max(par[0] * n * ratio * ratio * ratio * ratio, 1.0)
        if seen >= n:
            out[i] = value
    s[0], s[1] = min(seen, n + 1), value


@part
def klinger(regs: Rows, rows: int, s: Floats, code: Integers) -> None:
    """Return Klinger's volume force."""
    high, low, close, volume = regs[code[A]], regs[code[B]], regs[code[C]], regs[code[D]]
    out = regs[code[OUT]]
    seen, last, side, reach, sum_ = s[0], s[1], s[2], s[3], s[4]
    for i in range(rows):
        key, today = high[i] + low[i] + close[i], high[i] - low[i]
        out[i] = np.nan
        if key != key or volume[i] != volume[i]:
            continue
        if seen > 0.0:
            turned = 1.0 if key > last else -1.0
            sum_ = sum_ + today if turned == side else reach + today
            side = turned
            share = abs(2.0 * today / sum_ - 1.0) if sum_ > 0.0 else 0.0
            out[i] = volume[i] * share * side * 100.0
        else:
            sum_ = today
        seen, last, reach = 1.0, key, today
    s[0], s[1], s[2], s[3], s[4] = seen, last, side, reach, sum_


@part
def indexed(regs: Rows, rows: int, s: Floats, code: Integers, par: Floats) -> None:
    """Multiply an index, which starts at the given value, by each ratio."""
    x, out = regs[code[A]], regs[code[OUT]]
    value = s[1] if s[0] > 0.0 else par[0]
    for i in range(rows):
        if x[i] == x[i]:
            value *= x[i]
            out[i] = value
        else:
            out[i] = np.nan
    s[0], s[1] = 1.0, value
