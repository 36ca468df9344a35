"""Instructions over the last n rows that have to look at each of them again: extremes, ranks, weights."""

import numpy as np

from appliance.kernels.compiling import part
from appliance.kernels.indicators import layout, settled
from appliance.kernels.indicators.layout import OP, OUT, A, B, Floats, Integers, M, N, Rows


@part
def extreme(regs: Rows, rows: int, s: Floats, code: Integers, par: Floats) -> None:
    """Return how many rows ago the greatest (or, with a sign of -1, the least) of the last n values was.

    Among equals the latest counts, unless all the window had to be searched again and M is 0: then the earliest of it,
    as TA-Lib has it.
    """
    x, ago, n, latest, sign = regs[code[A]], regs[code[OUT]], code[N], code[M], par[0]
    seen, j, best, age, ring = int(s[0]), int(s[1]), s[2], int(s[3]), s[4:]
    for i in range(rows):
        v = sign * x[i]
        if v != v:
            ago[i] = np.nan
            continue
        ring[j] = v
        seen += 1
        age += 1
        j += 1
        if j == n:
            j = 0
        if seen < n:
            ago[i] = np.nan
            continue
        if age >= n or seen == n:
            best = -np.inf
            at = j
            for k in range(n):
                w = ring[at]
                at += 1
                if at == n:
                    at = 0
                if w > best or (latest > 0 and w == best):
                    best = w
                    age = n - 1 - k
        elif v >= best:
            best = v
            age = 0
        ago[i] = age
    s[0], s[1], s[2], s[3] = min(seen, n + 1), j, best, age


@part
def peak(regs: Rows, spare: Rows, rows: int, s: Floats, code: Integers, par: Floats) -> None:
    """Return the greatest (or, with a sign of -1, the least) of the last n values, from two parts like the sums."""
    x, out, n, sign = regs[code[A]], regs[code[OUT]], code[N], par[0]
    if s[2] > 0.0 and rows >= max(2 * n, settled.ROWS_MIN) and settled.known(x, rows):
        settled.peaks(x, out, spare, rows, s, n, sign)
        return
    j, newer, full, ring, older = int(s[0]), s[1], s[2] > 0.0, s[3 : 3 + n], s[3 + n : 3 + 2 * n]
    for i in range(rows):
        v = sign * x[i]
        if v - v != 0.0:
            out[i] = np.nan
            continue
        newer = v if j == 0 or v > newer else newer
        ring[j] = v
        j += 1
        value = newer
        if j == n:
            j, full, best = 0, True, v
            for k in range(n - 1, -1, -1):
                best = max(best, ring[k])
                older[k] = best
        elif full:
            value = max(newer, older[j])
        out[i] = sign * value if full else np.nan
    s[0], s[1], s[2] = j, newer, full


@part
def percentile(ring: Floats, sorted_: Floats, n: int, share: float) -> float:
    """Return the value of nearest rank."""
    for i in range(n):
        v = ring[i]
        k = i
        while k > 0 and sorted_[k - 1] > v:
            sorted_[k] = sorted_[k - 1]
            k -= 1
        sorted_[k] = v
    rank = int(np.ceil(share * n / 100.0 - 1e-9))
    return float(sorted_[min(max(rank, 1), n) - 1])


@part
def moment(ring: Floats, n: int, power: float) -> float:
    """Return a central moment in units of the deviation; nothing varies when there is none."""
    mean, squares, powers = 0.0, 0.0, 0.0
    for k in range(n):
        mean += ring[k]
    mean /= n
    for k in range(n):
        away = ring[k] - mean
        squares += away * away
        powers += away**power
    deviation = np.sqrt(squares / n)
    return powers / n / deviation**power if deviation > 0.0 else 0.0


@part
def judged(op: int, ring: Floats, rest: Floats, j: int, n: int, v: float, w: float, par: Floats) -> float:
    """Look at a full window, whose oldest value is at j, and return one number."""
    total = 0.0
    if op == layout.MIDDLE:
        return percentile(ring, rest, n, par[0])
    if op == layout.DEVIATION:
        for k in range(n):
            total += ring[k]
        mean, total = total / n, 0.0
        for k in range(n):
            total += abs(ring[k] - mean)
        return total / n
    if op == layout.MOMENT:
        return moment(ring, n, par[0])
    if op == layout.RANK:
        for k in range(n):
            total += 1.0 if ring[k] < v or (ring[k] == v and par[0] > 0.0) else 0.0
        return 100.0 * (total - par[0]) / (n - 1) if n > 1 else np.nan
    if op == layout.VARIABLE:
        last = min(max(int(w), int(par[0])), n)
        for k in range(n - last, n):
            total += ring[(j + k) % n]
        return total / last
    # The weights stand behind the ring, the oldest value's first.
    for k in range(n - j):
        total += ring[j + k] * rest[k]
    for k in range(j):
        total += ring[k] * rest[n - j + k]
    return total


@part
def gaussian_weights(weights: Floats, n: int, offset: float, sigma: float) -> None:
    """Fill in the weights of Arnaud Legoux's average."""
    total = 0.0
    for k in range(n):
        away = (k - offset * (n - 1)) * sigma / n
        weights[k] = np.exp(-0.5 * away * away)
        total += weights[k]
    for k in range(n):
        weights[k] /= total


@part
def scan(regs: Rows, rows: int, s: Floats, code: Integers, par: Floats) -> None:
    """Judge each full window of n values."""
    op, x, y, out, n = code[OP], regs[code[A]], regs[code[B]], regs[code[OUT]], code[N]
    seen, j, ring, rest = int(s[0]), int(s[1]), s[2 : 2 + n], s[2 + n : 2 + 2 * n]
    if op == layout.WEIGHTED and seen == 0:
        gaussian_weights(rest, n, par[0], par[1])
    for i in range(rows):
        v = x[i]
        if v != v or y[i] != y[i]:
            out[i] = np.nan
            continue
        ring[j] = v
        seen += 1
        j += 1
        if j == n:
            j = 0
        out[i] = judged(op, ring, rest, j, n, v, y[i], par) if seen >= n else np.nan
    s[0], s[1] = min(seen, n), j


@part
def profile(regs: Rows, rows: int, s: Floats, code: Integers, par: Floats) -> None:
    """Return where volume lay over the last n rows: the fullest price bin's middle and the value area's two ends."""
    x, y, at, n, bins = regs[code[A]], regs[code[B]], code[OUT], code[N], code[M]
    seen, j, ring, volumes, held = int(s[0]), int(s[1]), s[2 : 2 + n], s[2 + n : 2 + 2 * n], s[2 + 2 * n :]
    for i in range(rows):
        v, w = x[i], y[i]
        regs[at, i] = regs[at + 1, i] = regs[at + 2, i] = np.nan
        if v != v or w != w:
            continue
        ring[j], volumes[j] = v, w
        seen += 1
        j += 1
        if j == n:
            j = 0
        if seen < n:
            continue
        low, high, total = ring[0], ring[0], 0.0
        for k in range(n):
            low, high = min(low, ring[k]), max(high, ring[k])
            total += volumes[k]
        width = (high - low) / bins
        for k in range(bins):
            held[k] = 0.0
        for k in range(n):
            held[min(int((ring[k] - low) / width), bins - 1) if width > 0.0 else 0] += volumes[k]
        first = 0
        for k in range(1, bins):
            first = k if held[k] > held[first] else first
        last = first
        regs[at, i] = low + (first + 0.5) * width
        inside = held[first]
        while inside < par[0] * total and (first > 0 or last < bins - 1):
            below = held[first - 1] if first > 0 else -1.0
            above = held[last + 1] if last < bins - 1 else -1.0
            if above >= below:
                last += 1
                inside += above
            else:
                first -= 1
                inside += below
        regs[at + 1, i] = low + first * width
        regs[at + 2, i] = low + (last + 1) * width
    s[0], s[1] = min(seen, n), j
