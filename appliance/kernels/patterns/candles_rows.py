"""Patterns of three bars that march in one colour.

`w` is the window; `o`, `a`, `b`, `c` the places of the last four bars, `fo` to `fc` what they are.
"""

import numpy as np
import numpy.typing as npt

from appliance.kernels.compiling import part
from appliance.kernels.patterns.candle_flags import (
    BLACK,
    LONG_10,
    LONG_11,
    LONG_12,
    LONG_LOWER,
    LONG_UPPER,
    NO_LOWER_10,
    NO_LOWER_11,
    NO_LOWER_12,
    NO_LOWER_13,
    NO_UPPER_10,
    NO_UPPER_11,
    NO_UPPER_12,
    SHADOWED_11,
    SHADOWED_12,
    SHORT_12,
    SHORT_UPPER_10,
    SOME_LOWER_11,
    WHITE,
    has,
)
from appliance.kernels.patterns.candle_window import (
    BODY,
    CLOSE,
    EQUAL,
    FAR,
    HIGH,
    LOW,
    NEAR,
    NEAR_10,
    NEAR_11,
    OPEN,
    Floats,
    Place,
    within,
)


@part
def _opens_near(w: Floats, before: Place, bar: Place, average: Place) -> bool:
    over = w[bar + OPEN] > w[before + OPEN]
    return bool(over and w[bar + OPEN] <= w[before + CLOSE] + NEAR * w[before + average])


@part
def _closes_fall(w: Floats, a: Place, b: Place, c: Place) -> bool:
    return bool(w[a + CLOSE] > w[b + CLOSE] and w[b + CLOSE] > w[c + CLOSE])


@part
def three_black_crows(w: Floats, o: Place, a: Place, b: Place, c: Place, fo: int, fa: int, fb: int, fc: int) -> int:
    """Find three falling black bars that open inside the last body and close at their lows, after a white one."""
    if (
        has(fo, WHITE)
        and has(fa, NO_LOWER_11)
        and has(fb, NO_LOWER_12)
        and has(fc, NO_LOWER_13)
        and w[b + OPEN] < w[a + OPEN]
        and w[b + OPEN] > w[a + CLOSE]
        and w[c + OPEN] < w[b + OPEN]
        and w[c + OPEN] > w[b + CLOSE]
        and w[o + HIGH] > w[a + CLOSE]
        and _closes_fall(w, a, b, c)
    ):
        return -100
    return 0


@part
def identical_three_crows(w: Floats, a: Place, b: Place, c: Place, fa: int, fb: int, fc: int) -> int:
    """Find three falling black bars, each opening where the last closed."""
    if (
        has(fa, NO_LOWER_10)
        and has(fb, NO_LOWER_11)
        and has(fc, NO_LOWER_12)
        and _closes_fall(w, a, b, c)
        and within(w[b + OPEN], w[a + CLOSE], EQUAL * w[a + NEAR_10])
        and within(w[c + OPEN], w[b + CLOSE], EQUAL * w[b + NEAR_11])
    ):
        return -100
    return 0


@part
def three_stars_in_south(w: Floats, a: Place, b: Place, c: Place, fa: int, fb: int, fc: int) -> int:
    """Find three black bars that shrink into each other while their lows rise."""
    if (
        has(fa, LONG_10 | LONG_LOWER)
        and has(fb, SOME_LOWER_11)
        and has(fc, SHORT_12 | NO_LOWER_12 | NO_UPPER_12)
        and w[b + BODY] < w[a + BODY]
        and w[b + OPEN] > w[a + CLOSE]
        and w[b + OPEN] <= w[a + HIGH]
        and w[b + LOW] < w[a + CLOSE]
        and w[b + LOW] >= w[a + LOW]
        and w[c + LOW] > w[b + LOW]
        and w[c + HIGH] < w[b + HIGH]
    ):
        return 100
    return 0


@part
def three_white_soldiers(w: Floats, a: Place, b: Place, c: Place, fa: int, fb: int, fc: int) -> int:
    """Find three rising white bars that open in or near the last body and close at their highs."""
    if (
        has(fa, NO_UPPER_10)
        and has(fb, NO_UPPER_11)
        and has(fc, NO_UPPER_12 | LONG_12)
        and _opens_near(w, a, b, NEAR_10)
        and _opens_near(w, b, c, NEAR_11)
        and w[b + BODY] > w[a + BODY] - FAR * w[a + NEAR_10]
        and w[c + BODY] > w[b + BODY] - FAR * w[b + NEAR_11]
    ):
        return 100
    return 0


@part
def _weakens(w: Floats, a: Place, b: Place, c: Place, fb: int, fc: int) -> bool:
    first, second, third = w[a + BODY], w[b + BODY], w[c + BODY]
    if second < first - FAR * w[a + NEAR_10] and third < second + NEAR * w[b + NEAR_11]:
        return True
    if third < second - FAR * w[b + NEAR_11]:
        return True
    shadowed = has(fc, SHADOWED_12) or has(fb, SHADOWED_11)
    return bool(third < second and ((second < first and shadowed) or has(fc, LONG_UPPER)))


@part
def advance_block(w: Floats, a: Place, b: Place, c: Place, fa: int, fb: int, fc: int) -> int:
    """Find three rising white bars that weaken: smaller bodies or longer upper shadows."""
    if (
        has(fa, LONG_10 | SHORT_UPPER_10)
        and _opens_near(w, a, b, NEAR_10)
        and _opens_near(w, b, c, NEAR_11)
        and _weakens(w, a, b, c, fb, fc)
    ):
        return -100
    return 0


@part
def stalled_pattern(w: Floats, a: Place, b: Place, c: Place, fa: int, fb: int, fc: int) -> int:
    """Find two long rising white bars, and a short white one at the shoulder of the second."""
    if (
        has(fa, LONG_10)
        and has(fb, LONG_11 | NO_UPPER_11)
        and has(fc, SHORT_12)
        and _opens_near(w, a, b, NEAR_10)
        and w[c + OPEN] >= w[b + CLOSE] - w[c + BODY] - NEAR * w[b + NEAR_11]
    ):
        return -100
    return 0


@part
def judge_rows(
    w: Floats, o: Place, a: Place, b: Place, c: Place, fo: int, fa: int, fb: int, fc: int, out: npt.NDArray[np.int16]
) -> None:
    """Write what each of these patterns finds, at its place in the catalogue."""
    out[1] = out[5] = out[6] = out[8] = out[31] = out[52] = 0
    if has(fa & fb & fc, BLACK):
        out[1] = three_black_crows(w, o, a, b, c, fo, fa, fb, fc)
        out[5] = three_stars_in_south(w, a, b, c, fa, fb, fc)
        out[31] = identical_three_crows(w, a, b, c, fa, fb, fc)
    elif has(fa & fb & fc, WHITE) and w[c + CLOSE] > w[b + CLOSE] and w[b + CLOSE] > w[a + CLOSE]:
        out[6] = three_white_soldiers(w, a, b, c, fa, fb, fc)
        out[8] = advance_block(w, a, b, c, fa, fb, fc)
        out[52] = stalled_pattern(w, a, b, c, fa, fb, fc)
