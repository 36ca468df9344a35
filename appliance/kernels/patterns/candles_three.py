"""Patterns of three bars in which a short bar or a gap turns the move.

`w` is the window; `a`, `b`, `c` the places of the last three bars, `fa`, `fb`, `fc` what they are.
"""

import numpy as np
import numpy.typing as npt

from appliance.kernels.compiling import part
from appliance.kernels.patterns.candle_flags import (
    BLACK,
    DOJI_10,
    DOJI_11,
    GAP_DOWN,
    GAP_UP,
    LONG_10,
    LONG_12,
    NOT_LONG_11,
    OTHER_COLOUR,
    RANGE_GAP_DOWN,
    RANGE_GAP_UP,
    SHORT_12,
    WHITE,
    has,
)
from appliance.kernels.patterns.candle_window import (
    BODY,
    BOTTOM,
    CLOSE,
    DOJI,
    EQUAL,
    LOW,
    NEAR,
    NEAR_5,
    NEAR_6,
    OPEN,
    RANGE_10,
    TOP,
    Floats,
    Place,
    within,
)


@part
def two_crows(w: Floats, a: Place, b: Place, c: Place, fa: int, fb: int, fc: int) -> int:
    """Find two black bars after a long white one, the second opening in the first and closing in the white."""
    if (
        has(fb, BLACK | GAP_UP)
        and has(fa, WHITE | LONG_10)
        and has(fc, BLACK)
        and w[c + OPEN] < w[b + OPEN]
        and w[c + OPEN] > w[b + CLOSE]
        and w[c + CLOSE] > w[a + OPEN]
        and w[c + CLOSE] < w[a + CLOSE]
    ):
        return -100
    return 0


@part
def upside_gap_two_crows(w: Floats, a: Place, b: Place, c: Place, fa: int, fb: int, fc: int) -> int:
    """Find a short black body above a long white one, covered by another black body above the white."""
    if (
        has(fb, BLACK | NOT_LONG_11 | GAP_UP)
        and has(fa, WHITE | LONG_10)
        and has(fc, BLACK)
        and w[c + OPEN] > w[b + OPEN]
        and w[c + CLOSE] < w[b + CLOSE]
        and w[c + CLOSE] > w[a + CLOSE]
    ):
        return -100
    return 0


@part
def three_inside(w: Floats, a: Place, b: Place, c: Place, fa: int, fb: int, fc: int) -> int:
    """Find a harami that the third bar confirms."""
    if not (has(fa, LONG_10) and has(fb, NOT_LONG_11) and w[b + TOP] < w[a + TOP] and w[b + BOTTOM] > w[a + BOTTOM]):
        return 0
    if has(fa, WHITE):
        return -100 if has(fc, BLACK) and w[c + CLOSE] < w[a + OPEN] else 0
    return 100 if has(fc, WHITE) and w[c + CLOSE] > w[a + OPEN] else 0


@part
def three_outside(w: Floats, a: Place, b: Place, c: Place, fb: int) -> int:
    """Find an engulfing that the third bar confirms."""
    if not (has(fb, OTHER_COLOUR) and w[b + TOP] > w[a + TOP] and w[b + BOTTOM] < w[a + BOTTOM]):
        return 0
    if has(fb, WHITE):
        return 100 if w[c + CLOSE] > w[b + CLOSE] else 0
    return -100 if w[c + CLOSE] < w[b + CLOSE] else 0


@part
def _turns_down(w: Floats, a: Place, c: Place, fa: int, fc: int, depth: float) -> bool:
    deep = w[c + CLOSE] < w[a + CLOSE] - w[a + BODY] * depth
    return has(fa, WHITE | LONG_10) and has(fc, BLACK | LONG_12) and bool(deep)


@part
def _turns_up(w: Floats, a: Place, c: Place, fa: int, fc: int, depth: float) -> bool:
    deep = w[c + CLOSE] > w[a + CLOSE] + w[a + BODY] * depth
    return has(fa, BLACK | LONG_10) and has(fc, WHITE | LONG_12) and bool(deep)


@part
def abandoned_baby(w: Floats, a: Place, c: Place, fa: int, fb: int, fc: int, depth: float) -> int:
    """Find a doji with gaps on both sides of its whole range, and a turn into the first body."""
    if has(fb, DOJI_11 | RANGE_GAP_UP) and has(fc, RANGE_GAP_DOWN):
        return -100 if _turns_down(w, a, c, fa, fc, depth) else 0
    if has(fb, DOJI_11 | RANGE_GAP_DOWN) and has(fc, RANGE_GAP_UP):
        return 100 if _turns_up(w, a, c, fa, fc, depth) else 0
    return 0


@part
def evening_star(w: Floats, a: Place, c: Place, fa: int, fb: int, fc: int, middle: int, depth: float) -> int:
    """Find a short body, or a doji, above a long white body, and a black one deep into it."""
    return -100 if has(fb, middle | GAP_UP) and _turns_down(w, a, c, fa, fc, depth) else 0


@part
def morning_star(w: Floats, a: Place, c: Place, fa: int, fb: int, fc: int, middle: int, depth: float) -> int:
    """Find a short body, or a doji, below a long black body, and a white one deep into it."""
    return 100 if has(fb, middle | GAP_DOWN) and _turns_up(w, a, c, fa, fc, depth) else 0


@part
def gap_side_by_side_white(w: Floats, a: Place, b: Place, c: Place, fb: int, fc: int) -> int:
    """Find two equal white bodies side by side, both beyond a gap."""
    if not (has(fb & fc, WHITE) and fb & (GAP_UP | GAP_DOWN)):
        return 0
    up = has(fb, GAP_UP)
    if not (w[c + BOTTOM] > w[a + TOP] if up else w[c + TOP] < w[a + BOTTOM]):
        return 0
    same = within(w[c + BODY], w[b + BODY], NEAR * w[b + NEAR_6])
    if same and within(w[c + OPEN], w[b + OPEN], EQUAL * w[b + NEAR_6]):
        return 100 if up else -100
    return 0


@part
def stick_sandwich(w: Floats, a: Place, b: Place, c: Place, fa: int, fb: int, fc: int) -> int:
    """Find a white bar between two black ones that close together."""
    if not (has(fa & fc, BLACK) and has(fb, WHITE) and w[b + LOW] > w[a + CLOSE]):
        return 0
    return 100 if within(w[c + CLOSE], w[a + CLOSE], EQUAL * w[a + NEAR_5]) else 0


@part
def tasuki_gap(w: Floats, a: Place, b: Place, c: Place, fb: int, fc: int) -> int:
    """Find a body beyond a gap, and an equal opposite one that opens in it and does not close the gap."""
    up, down = has(fb, WHITE | GAP_UP), has(fb, BLACK | GAP_DOWN)
    if not ((up or down) and has(fc, OTHER_COLOUR)):
        return 0
    opens_inside = w[c + OPEN] < w[b + TOP] and w[c + OPEN] > w[b + BOTTOM]
    if not (opens_inside and abs(w[b + BODY] - w[c + BODY]) < NEAR * w[b + NEAR_6]):
        return 0
    if up:
        return 100 if w[c + CLOSE] < w[b + OPEN] and w[c + CLOSE] > w[a + TOP] else 0
    return -100 if w[c + CLOSE] > w[b + OPEN] and w[c + CLOSE] < w[a + BOTTOM] else 0


@part
def tristar(w: Floats, a: Place, b: Place, c: Place, fa: int, fb: int) -> int:
    """Find three doji, the middle one beyond the others; all are judged by the first one's average."""
    limit = DOJI * w[a + RANGE_10]
    if not (has(fa, DOJI_10) and w[b + BODY] <= limit and w[c + BODY] <= limit):
        return 0
    if has(fb, GAP_UP) and w[c + TOP] < w[b + TOP]:
        return -100
    return 100 if has(fb, GAP_DOWN) and w[c + BOTTOM] > w[b + BOTTOM] else 0


@part
def unique_three_river(w: Floats, a: Place, b: Place, c: Place, fa: int, fb: int, fc: int) -> int:
    """Find a black harami with a lower low after a long black bar, and a short white bar above that low."""
    if (
        has(fa, BLACK | LONG_10)
        and has(fb, BLACK)
        and has(fc, WHITE | SHORT_12)
        and w[b + CLOSE] > w[a + CLOSE]
        and w[b + OPEN] <= w[a + OPEN]
        and w[b + LOW] < w[a + LOW]
        and w[c + OPEN] > w[b + LOW]
    ):
        return 100
    return 0


@part
def gap_three_methods(w: Floats, a: Place, b: Place, c: Place, fa: int, fb: int, fc: int) -> int:
    """Find two bodies of one colour with a gap between, which an opposite one closes."""
    if fb & OTHER_COLOUR or not has(fc, OTHER_COLOUR) or not has(fb, GAP_UP if fa & WHITE else GAP_DOWN):
        return 0
    if (
        w[c + OPEN] < w[b + TOP]
        and w[c + OPEN] > w[b + BOTTOM]
        and w[c + CLOSE] < w[a + TOP]
        and w[c + CLOSE] > w[a + BOTTOM]
    ):
        return 100 if fa & WHITE else -100
    return 0


@part
def judge_three(
    w: Floats, a: Place, b: Place, c: Place, fa: int, fb: int, fc: int, depths: Floats, out: npt.NDArray[np.int16]
) -> None:
    """Write what each of these patterns finds, at its place in the catalogue."""
    out[0] = two_crows(w, a, b, c, fa, fb, fc)
    out[2] = three_inside(w, a, b, c, fa, fb, fc)
    out[4] = three_outside(w, a, b, c, fb)
    out[7] = abandoned_baby(w, a, c, fa, fb, fc, depths[0])
    out[19] = evening_star(w, a, c, fa, fb, fc, DOJI_11, depths[2])
    out[20] = evening_star(w, a, c, fa, fb, fc, NOT_LONG_11, depths[3])
    out[21] = gap_side_by_side_white(w, a, b, c, fb, fc)
    out[42] = morning_star(w, a, c, fa, fb, fc, DOJI_11, depths[5])
    out[43] = morning_star(w, a, c, fa, fb, fc, NOT_LONG_11, depths[6])
    out[53] = stick_sandwich(w, a, b, c, fa, fb, fc)
    out[55] = tasuki_gap(w, a, b, c, fb, fc)
    out[57] = tristar(w, a, b, c, fa, fb)
    out[58] = unique_three_river(w, a, b, c, fa, fb, fc)
    out[59] = upside_gap_two_crows(w, a, b, c, fa, fb, fc)
    out[60] = gap_three_methods(w, a, b, c, fa, fb, fc)
