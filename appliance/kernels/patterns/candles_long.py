"""Patterns of four and five bars, and the hikkake, which waits for its confirmation.

`w` is the window; `n`, `o`, `a`, `b`, `c` the places of the last five bars, `fn` to `fc` what they are.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from appliance.kernels.compiling import part
from appliance.kernels.patterns.candle_flags import (
    BLACK,
    GAP_DOWN,
    GAP_UP,
    HIGHER,
    INSIDE,
    LONG_10,
    LONG_14,
    LOWER_TOO,
    NO_LOWER_10,
    NO_LOWER_11,
    NO_UPPER_10,
    NO_UPPER_11,
    OTHER_COLOUR,
    SHORT_11,
    SHORT_12,
    SHORT_13,
    SOME_UPPER_12,
    SOME_UPPER_13,
    WHITE,
    has,
)
from appliance.kernels.patterns.candle_window import (
    BODY,
    BOTTOM,
    CLOSE,
    COLOUR,
    COUNT,
    HIGH,
    HIKKAKE,
    LOW,
    MODIFIED,
    NEAR,
    NEAR_5,
    NEAR_6,
    OPEN,
    TOP,
    WIDTH,
    Floats,
    Place,
)

CONFIRMED_WITHIN_BARS: Final = 3
FIRST_HIKKAKE: Final = 2
FIRST_MODIFIED: Final = 7


@part
def _opens_near(w: Floats, before: Place, bar: Place, average: Place) -> bool:
    near = NEAR * w[before + average]
    return bool(w[bar + OPEN] >= w[before + BOTTOM] - near and w[bar + OPEN] <= w[before + TOP] + near)


@part
def three_line_strike(w: Floats, o: Place, a: Place, b: Place, c: Place, fa: int, fb: int, fc: int) -> int:
    """Find three bars of one colour in a row, and an opposite one over them all."""
    if (fa | fb) & OTHER_COLOUR or not has(fc, OTHER_COLOUR):
        return 0
    first, second, third = w[o + CLOSE], w[a + CLOSE], w[b + CLOSE]
    sign = 0
    if fb & WHITE:
        if third > second > first and w[c + OPEN] > third and w[c + CLOSE] < w[o + OPEN]:
            sign = 100
    elif third < second < first and w[c + OPEN] < third and w[c + CLOSE] > w[o + OPEN]:
        sign = -100
    return sign if sign != 0 and _opens_near(w, o, a, NEAR_5) and _opens_near(w, a, b, NEAR_6) else 0


@part
def concealing_baby_swallow(w: Floats, a: Place, b: Place, c: Place, fo: int, fa: int, fb: int, fc: int) -> int:
    """Find four black bars: two without shadows, one below a gap that reaches back, one that covers it."""
    if (
        has(fb, BLACK | GAP_DOWN | SOME_UPPER_12)
        and has(fo, BLACK | NO_LOWER_10 | NO_UPPER_10)
        and has(fa, BLACK | NO_LOWER_11 | NO_UPPER_11)
        and has(fc, BLACK)
        and w[b + HIGH] > w[a + CLOSE]
        and w[c + HIGH] > w[b + HIGH]
        and w[c + LOW] < w[b + LOW]
    ):
        return 100
    return 0


@part
def breakaway(w: Floats, n: Place, o: Place, c: Place, fn: int, fo: int, fa: int, fb: int, fc: int) -> int:
    """Find a move that gaps, runs on for two bars, and is taken back into the gap."""
    if not (has(fn, LONG_10) and has(fc, OTHER_COLOUR)):
        return 0
    close = w[c + CLOSE]
    if has(fn & fo & fb, BLACK) and has(fo, GAP_DOWN) and has(fa & fb, LOWER_TOO):
        return 100 if close > w[o + OPEN] and close < w[n + CLOSE] else 0
    if has(fn & fo & fb, WHITE) and has(fo, GAP_UP) and has(fa & fb, HIGHER):
        return -100 if close < w[o + OPEN] and close > w[n + CLOSE] else 0
    return 0


@part
def ladder_bottom(
    w: Floats, n: Place, o: Place, a: Place, b: Place, c: Place, fn: int, fo: int, fa: int, fb: int, fc: int
) -> int:
    """Find three falling black bars, a black one with an upper shadow, and a white one above it."""
    if (
        has(fn & fo & fa & fb, BLACK)
        and has(fb, SOME_UPPER_13)
        and has(fc, WHITE)
        and w[n + OPEN] > w[o + OPEN]
        and w[o + OPEN] > w[a + OPEN]
        and w[n + CLOSE] > w[o + CLOSE]
        and w[o + CLOSE] > w[a + CLOSE]
        and w[c + OPEN] > w[b + OPEN]
        and w[c + CLOSE] > w[b + HIGH]
    ):
        return 100
    return 0


@part
def mat_hold(w: Floats, n: Place, o: Place, a: Place, b: Place, c: Place, fo: int, fc: int, depth: float) -> int:
    """Find, after a long bar and three short ones, that they drifted back above its middle, and a new high."""
    if not has(fo, BLACK | GAP_UP) or not has(fc, WHITE) or w[n + COLOUR] < 0.0:
        return 0
    ceiling = w[n + CLOSE]
    floor = ceiling - w[n + BODY] * depth
    if (
        w[a + BOTTOM] < ceiling
        and w[b + BOTTOM] < ceiling
        and w[a + BOTTOM] > floor
        and w[b + BOTTOM] > floor
        and w[a + TOP] < w[o + OPEN]
        and w[b + TOP] < w[a + TOP]
        and w[c + OPEN] > w[b + CLOSE]
        and w[c + CLOSE] > max(w[o + HIGH], w[a + HIGH], w[b + HIGH])
    ):
        return 100
    return 0


@part
def _overlaps(w: Floats, bar: Place, of: Place) -> bool:
    return bool(w[bar + BOTTOM] < w[of + HIGH] and w[bar + TOP] > w[of + LOW])


@part
def three_methods(
    w: Floats, n: Place, o: Place, a: Place, b: Place, c: Place, fo: int, fa: int, fb: int, fc: int
) -> int:
    """Find, after a long bar and three short ones, that they went back within its range, and a long one goes on."""
    if not has(fo, OTHER_COLOUR) or (fa | fb) & OTHER_COLOUR or not has(fc, OTHER_COLOUR | LONG_14):
        return 0
    sign = w[n + COLOUR]
    if (
        _overlaps(w, o, n)
        and _overlaps(w, a, n)
        and _overlaps(w, b, n)
        and w[a + CLOSE] * sign < w[o + CLOSE] * sign
        and w[b + CLOSE] * sign < w[a + CLOSE] * sign
        and w[c + OPEN] * sign > w[b + CLOSE] * sign
        and w[c + CLOSE] * sign > w[n + CLOSE] * sign
    ):
        return 100 if sign > 0.0 else -100
    return 0


@part
def _found_or_confirmed(w: Floats, c: Place, sign: int, slot: int) -> int:
    """Remember a new find, or tell whether this bar confirms the last; `slot` is where the state keeps it."""
    bar = int(w[COUNT]) - 1
    if sign != 0:
        w[slot] = bar
        w[slot + 1] = sign
        return 100 * sign
    last = int(w[slot])
    if bar > last + CONFIRMED_WITHIN_BARS or last == 0:
        return 0
    inner = c - np.uint64((bar - last + 1) * WIDTH)
    sign = int(w[slot + 1])
    if (sign > 0 and w[c + CLOSE] > w[inner + HIGH]) or (sign < 0 and w[c + CLOSE] < w[inner + LOW]):
        w[slot] = 0
        return 200 * sign
    return 0


@part
def hikkake(w: Floats, c: Place, fb: int, fc: int) -> int:
    """Find a bar that leaves an inside bar, and 200 where it is taken back within three bars."""
    if w[COUNT] <= FIRST_HIKKAKE:
        return 0
    sign = 0
    if has(fb, INSIDE):
        sign = 1 if has(fc, LOWER_TOO) else -1 if has(fc, HIGHER) else 0
    return _found_or_confirmed(w, c, sign, HIKKAKE)


@part
def hikkake_modified(w: Floats, a: Place, c: Place, fa: int, fb: int, fc: int) -> int:
    """Find a hikkake after two inside bars, the first of which closed near the end that is then left."""
    if w[COUNT] <= FIRST_MODIFIED:
        return 0
    sign = 0
    if has(fa & fb, INSIDE):
        near = NEAR * w[a + NEAR_5]
        if has(fc, LOWER_TOO) and w[a + CLOSE] <= w[a + LOW] + near:
            sign = 1
        elif has(fc, HIGHER) and w[a + CLOSE] >= w[a + HIGH] - near:
            sign = -1
    return _found_or_confirmed(w, c, sign, MODIFIED)


@part
def judge_long(
    w: Floats, c: Place, fn: int, fo: int, fa: int, fb: int, fc: int, hold: float, out: npt.NDArray[np.int16]
) -> None:
    """Write what each of these patterns finds, at its place in the catalogue."""
    b = c - np.uint64(WIDTH)
    a = b - np.uint64(WIDTH)
    o = a - np.uint64(WIDTH)
    n = o - np.uint64(WIDTH)
    out[3] = three_line_strike(w, o, a, b, c, fa, fb, fc)
    out[10] = breakaway(w, n, o, c, fn, fo, fa, fb, fc)
    out[12] = concealing_baby_swallow(w, a, b, c, fo, fa, fb, fc)
    out[28] = hikkake(w, c, fb, fc)
    out[29] = hikkake_modified(w, a, c, fa, fb, fc)
    out[36] = ladder_bottom(w, n, o, a, b, c, fn, fo, fa, fb, fc)
    out[41] = out[47] = 0
    if has(fn, LONG_10) and has(fo, SHORT_11) and has(fa, SHORT_12) and has(fb, SHORT_13):
        out[41] = mat_hold(w, n, o, a, b, c, fo, fc, hold)
        out[47] = three_methods(w, n, o, a, b, c, fo, fa, fb, fc)
