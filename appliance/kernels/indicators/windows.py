"""Instructions over the last n rows: sums, moments and lines, each a fresh sum of two parts (see the package's page).

Moments are taken about a pivot inside the window, the last value of the older part: |mean - pivot| cannot exceed the
window's own range, so the cancellation in a variance costs at most a factor of the window's length, whatever the level
of the prices. When a block is full the pivot is no longer inside: first the sums are made anew, then looked at.
"""

import numpy as np

from appliance.kernels.compiling import part
from appliance.kernels.indicators import settled
from appliance.kernels.indicators.layout import OUT, A, B, Floats, Integers, N, Rows


@part
def lag(regs: Rows, rows: int, s: Floats, code: Integers) -> None:
    """Return the value n rows ago."""
    x, out, n = regs[code[A]], regs[code[OUT]], code[N]
    seen, j, ring = s[0], int(s[1]), s[2:]
    if seen >= n and rows >= max(n, settled.ROWS_MIN) and settled.known(x, rows):
        settled.lag(x, out, rows, s, n)
        return
    for i in range(rows):
        v = x[i]
        if v != v:
            out[i] = np.nan
            continue
        out[i] = ring[j] if seen >= n else np.nan
        ring[j] = v
        seen += 1.0
        j += 1
        if j == n:
            j = 0
    s[0], s[1] = min(seen, n), j


@part
def skip(regs: Rows, rows: int, s: Floats, code: Integers) -> None:
    """Hide the first n values."""
    x, out, n = regs[code[A]], regs[code[OUT]], code[N]
    seen = s[0]
    for i in range(rows):
        v = x[i]
        if seen < n and v == v:
            seen += 1.0
            v = np.nan
        out[i] = v
    s[0] = seen


@part
def window_sum(x: Floats, out: Floats, spare: Rows, rows: int, s: Floats, code: Integers, par: Floats) -> None:
    """Sum the last n values and scale the sum."""
    n, scale = code[N], par[0]
    if s[2] > 0.0 and rows >= max(2 * n, settled.ROWS_MIN) and settled.sums(x, out, spare, rows, s, n, scale):
        return
    j, newer, full = int(s[0]), s[1], s[2] > 0.0
    ring, older = s[3 : 3 + n], s[3 + n : 4 + 2 * n]
    for i in range(rows):
        v = x[i]
        if v - v != 0.0:
            out[i] = np.nan
            continue
        ring[j] = v
        newer += v
        j += 1
        value = (newer + older[j]) * scale
        if j == n:
            j, newer, full, fresh = 0, 0.0, True, 0.0
            for k in range(n - 1, -1, -1):
                fresh += ring[k]
                older[k] = fresh
        out[i] = value if full else np.nan
    s[0], s[1], s[2] = j, newer, full


@part
def spread(regs: Rows, rows: int, s: Floats, code: Integers) -> None:
    """Return mean and variance (of the population) of the last n values."""
    x, mean, variance, n = regs[code[A]], regs[code[OUT]], regs[code[OUT] + 1], code[N]
    j, newer, newer2, full, pivot, share = int(s[0]), s[1], s[2], s[3] > 0.0, s[4], 1.0 / n
    ring, older, older2 = s[5 : 5 + n], s[5 + n : 6 + 2 * n], s[6 + 2 * n : 7 + 3 * n]
    for i in range(rows):
        v = x[i]
        if v - v != 0.0:
            mean[i] = variance[i] = np.nan
            continue
        if not full and j == 0:
            pivot = v
        ring[j] = v
        d = v - pivot
        newer += d
        newer2 += d * d
        j += 1
        if j == n:
            j, newer, newer2, full, pivot = 0, 0.0, 0.0, True, v
            fresh = fresh2 = 0.0
            for k in range(n - 1, -1, -1):
                d = ring[k] - pivot
                fresh += d
                fresh2 += d * d
                older[k] = fresh
                older2[k] = fresh2
        total, squares = newer + older[j], newer2 + older2[j]
        about = total * share
        if full:
            mean[i] = pivot + about
            variance[i] = max((squares - total * about) * share, 0.0)
        else:
            mean[i] = variance[i] = np.nan
    s[0], s[1], s[2], s[3], s[4] = j, newer, newer2, full, pivot


@part
def slope(regs: Rows, rows: int, s: Floats, code: Integers) -> None:
    """Return the linearly weighted mean, the least-squares slope and the mean of the last n values."""
    x, weighted, steep, mean, n = regs[code[A]], regs[code[OUT]], regs[code[OUT] + 1], regs[code[OUT] + 2], code[N]
    j, newer, rising, full, pivot = int(s[0]), s[1], s[2], s[3] > 0.0, s[4]
    ring, older, falling = s[5 : 5 + n], s[5 + n : 6 + 2 * n], s[6 + 2 * n : 7 + 3 * n]
    weights, moment = 0.5 * n * (n + 1.0), 12.0 / (n * (n * n - 1.0)) if n > 1 else 0.0
    for i in range(rows):
        v = x[i]
        if v != v:
            weighted[i] = steep[i] = mean[i] = np.nan
            continue
        if not full and j == 0:
            pivot = v
        ring[j] = v
        d = v - pivot
        j += 1
        newer += d
        rising += j * d
        if j == n:
            j, newer, rising, full, pivot = 0, 0.0, 0.0, True, v
            fresh = fresh_falling = 0.0
            for k in range(n - 1, -1, -1):
                fresh += ring[k] - pivot
                fresh_falling += fresh
                older[k] = fresh
                falling[k] = fresh_falling
        total = newer + older[j]
        heavy = falling[j] + (n - j) * newer + rising
        if full:
            weighted[i] = pivot + heavy / weights
            steep[i] = (heavy - 0.5 * (n + 1.0) * total) * moment
            mean[i] = pivot + total / n
        else:
            weighted[i] = steep[i] = mean[i] = np.nan
    s[0], s[1], s[2], s[3], s[4] = j, newer, rising, full, pivot


@part
def relation(regs: Rows, rows: int, s: Floats, code: Integers) -> None:
    """Return the variances and the covariance of the last n pairs."""
    x, y, n, at = regs[code[A]], regs[code[B]], code[N], code[OUT]
    j, full, ring_x, ring_y = int(s[0]), s[1] > 0.0, s[9 : 9 + n], s[9 + n : 9 + 2 * n]
    newer, older = s[4:9], s[9 + 2 * n :]
    for i in range(rows):
        v, w = x[i], y[i]
        if v != v or w != w:
            regs[at, i] = regs[at + 1, i] = regs[at + 2, i] = np.nan
            continue
        if not full and j == 0:
            s[2], s[3] = v, w
        ring_x[j], ring_y[j] = v, w
        d, e = v - s[2], w - s[3]
        newer[0] += d
        newer[1] += e
        newer[2] += d * d
        newer[3] += e * e
        newer[4] += d * e
        j += 1
        if j == n:
            j, full, s[2], s[3] = 0, True, v, w
            for k in range(5):
                newer[k] = 0.0
            for k in range(n - 1, -1, -1):
                d, e = ring_x[k] - v, ring_y[k] - w
                older[5 * k] = older[5 * k + 5] + d
                older[5 * k + 1] = older[5 * k + 6] + e
                older[5 * k + 2] = older[5 * k + 7] + d * d
                older[5 * k + 3] = older[5 * k + 8] + e * e
                older[5 * k + 4] = older[5 * k + 9] + d * e
        k = 5 * j
        if full:
            d, e = (newer[0] + older[k]) / n, (newer[1] + older[k + 1]) / n
            regs[at, i] = max((newer[2] + older[k + 2]) / n - d * d, 0.0)
            regs[at + 1, i] = max((newer[3] + older[k + 3]) / n - e * e, 0.0)
            regs[at + 2, i] = (newer[4] + older[k + 4]) / n - d * e
        else:
            regs[at, i] = regs[at + 1, i] = regs[at + 2, i] = np.nan
    s[0], s[1] = j, full
