"""Patterns of two bars. `w` is the window; `b`, `c` the places of the last two bars, `fb`, `fc` what they are.

A signed result is +100 for a rise to be expected and -100 for a fall; harami and engulfing give 80 where two ends meet.
"""

import numpy as np
import numpy.typing as npt

from appliance.kernels.compiling import part
from appliance.kernels.patterns.candle_flags import (
    BLACK,
    DOJI_11,
    GAP_DOWN,
    GAP_UP,
    LONG_10,
    LONG_11,
    LONG_LOWER,
    LONG_UPPER,
    NO_LOWER_10,
    NO_LOWER_11,
    NO_UPPER_10,
    NO_UPPER_11,
    NOT_LONG_11,
    OTHER_COLOUR,
    RANGE_GAP_DOWN,
    RANGE_GAP_UP,
    SHORT_11,
    WHITE,
    has,
)
from appliance.kernels.patterns.candle_window import (
    BODY,
    BOTTOM,
    CLOSE,
    EQUAL,
    HIGH,
    LOW,
    NEAR,
    NEAR_5,
    NEAR_10,
    OPEN,
    TOP,
    Floats,
    Place,
    within,
)

_HAMMER = SHORT_11 | LONG_LOWER | NO_UPPER_11
_STAR = SHORT_11 | LONG_UPPER | NO_LOWER_11


@part
def _sign(flags: int) -> int:
    return 1 if flags & WHITE else -1


@part
def counterattack(w: Floats, b: Place, c: Place, fb: int, fc: int) -> int:
    """Find two long bodies of opposite colours that close together."""
    if has(fb, LONG_10) and has(fc, LONG_11 | OTHER_COLOUR):
        return 100 * _sign(fc) if within(w[c + CLOSE], w[b + CLOSE], EQUAL * w[b + NEAR_10]) else 0
    return 0


@part
def dark_cloud_cover(w: Floats, b: Place, c: Place, fb: int, fc: int, depth: float) -> int:
    """Find a black bar that opens above a long white one and closes deep in its body."""
    if (
        has(fb, WHITE | LONG_10)
        and has(fc, BLACK)
        and w[c + OPEN] > w[b + HIGH]
        and w[c + CLOSE] > w[b + OPEN]
        and w[c + CLOSE] < w[b + CLOSE] - w[b + BODY] * depth
    ):
        return -100
    return 0


@part
def doji_star(fb: int, fc: int) -> int:
    """Find a doji whose body stands beyond a long one."""
    if not (has(fb, LONG_10) and has(fc, DOJI_11)):
        return 0
    return -100 * _sign(fb) if has(fc, GAP_UP if fb & WHITE else GAP_DOWN) else 0


@part
def engulfing(w: Floats, b: Place, c: Place, fc: int) -> int:
    """Find a body that covers an opposite one before it."""
    if not (has(fc, OTHER_COLOUR) and w[c + TOP] >= w[b + TOP] and w[c + BOTTOM] <= w[b + BOTTOM]):
        return 0
    if w[c + TOP] == w[b + TOP] and w[c + BOTTOM] == w[b + BOTTOM]:
        return 0
    apart = w[c + TOP] != w[b + TOP] and w[c + BOTTOM] != w[b + BOTTOM]
    return (100 if apart else 80) * _sign(fc)


@part
def hammer(w: Floats, b: Place, c: Place, fc: int) -> int:
    """Find a short body on a long lower shadow, near the low before."""
    return 100 if has(fc, _HAMMER) and w[c + BOTTOM] <= w[b + LOW] + NEAR * w[b + NEAR_10] else 0


@part
def hanging_man(w: Floats, b: Place, c: Place, fc: int) -> int:
    """Find a short body on a long lower shadow, near the high before."""
    return -100 if has(fc, _HAMMER) and w[c + BOTTOM] >= w[b + HIGH] - NEAR * w[b + NEAR_10] else 0


@part
def inverted_hammer(fc: int) -> int:
    """Find a short body under a long upper shadow, below the body before."""
    return 100 if has(fc, _STAR | GAP_DOWN) else 0


@part
def shooting_star(fc: int) -> int:
    """Find a short body under a long upper shadow, above the body before."""
    return -100 if has(fc, _STAR | GAP_UP) else 0


@part
def _inside(w: Floats, b: Place, c: Place, fb: int) -> int:
    if w[c + TOP] < w[b + TOP] and w[c + BOTTOM] > w[b + BOTTOM]:
        return -100 * _sign(fb)
    return -80 * _sign(fb) if w[c + TOP] <= w[b + TOP] and w[c + BOTTOM] >= w[b + BOTTOM] else 0


@part
def harami(w: Floats, b: Place, c: Place, fb: int, fc: int) -> int:
    """Find a short body inside a long one."""
    return _inside(w, b, c, fb) if has(fb, LONG_10) and has(fc, NOT_LONG_11) else 0


@part
def harami_cross(w: Floats, b: Place, c: Place, fb: int, fc: int) -> int:
    """Find a doji inside a long body."""
    return _inside(w, b, c, fb) if has(fb, LONG_10) and has(fc, DOJI_11) else 0


@part
def homing_pigeon(w: Floats, b: Place, c: Place, fb: int, fc: int) -> int:
    """Find a short black body inside a long black one."""
    if not (has(fb, BLACK | LONG_10) and has(fc, BLACK | NOT_LONG_11)):
        return 0
    return 100 if w[c + OPEN] < w[b + OPEN] and w[c + CLOSE] > w[b + CLOSE] else 0


@part
def _from_below(w: Floats, b: Place, c: Place, fb: int, fc: int) -> bool:
    return has(fb, BLACK | LONG_10) and has(fc, WHITE) and bool(w[c + OPEN] < w[b + LOW])


@part
def _limit(w: Floats, b: Place) -> float:
    return float(w[b + CLOSE] + EQUAL * w[b + NEAR_10])


@part
def in_neck(w: Floats, b: Place, c: Place, from_below: bool) -> int:
    """Find a white bar from below that closes just inside a long black body."""
    return -100 if from_below and w[c + CLOSE] <= _limit(w, b) and w[c + CLOSE] >= w[b + CLOSE] else 0


@part
def on_neck(w: Floats, b: Place, c: Place, from_below: bool) -> int:
    """Find a white bar from below that closes at the low of a long black one."""
    return -100 if from_below and within(w[c + CLOSE], w[b + LOW], EQUAL * w[b + NEAR_10]) else 0


@part
def thrusting(w: Floats, b: Place, c: Place, from_below: bool) -> int:
    """Find a white bar from below that closes under the middle of a long black body."""
    under = w[c + CLOSE] <= w[b + CLOSE] + w[b + BODY] * 0.5
    return -100 if from_below and under and w[c + CLOSE] > _limit(w, b) else 0


@part
def piercing(w: Floats, b: Place, c: Place, fc: int, from_below: bool) -> int:
    """Find a long white bar from below that closes above the middle of a long black body."""
    over = w[c + CLOSE] > w[b + CLOSE] + w[b + BODY] * 0.5
    return 100 if from_below and over and has(fc, LONG_11) and w[c + CLOSE] < w[b + OPEN] else 0


@part
def _kicks(fb: int, fc: int) -> bool:
    if not has(fb, LONG_10 | NO_UPPER_10 | NO_LOWER_10):
        return False
    gap = RANGE_GAP_DOWN if fb & WHITE else RANGE_GAP_UP
    return has(fc, LONG_11 | NO_UPPER_11 | NO_LOWER_11 | OTHER_COLOUR | gap)


@part
def kicking(fb: int, fc: int) -> int:
    """Find two marubozu of opposite colours with a gap between."""
    return 100 * _sign(fc) if _kicks(fb, fc) else 0


@part
def kicking_by_length(w: Floats, b: Place, c: Place, fb: int, fc: int) -> int:
    """Find two marubozu with a gap between, and follow the longer."""
    return 100 * _sign(fc if w[c + BODY] > w[b + BODY] else fb) if _kicks(fb, fc) else 0


@part
def matching_low(w: Floats, b: Place, c: Place, fb: int, fc: int) -> int:
    """Find two black bars that close together."""
    same = within(w[c + CLOSE], w[b + CLOSE], EQUAL * w[b + NEAR_5])
    return 100 if has(fb & fc, BLACK) and same else 0


@part
def separating_lines(w: Floats, b: Place, c: Place, fc: int) -> int:
    """Find a long bar that opens where one of the other colour opened, at its own extreme."""
    if has(fc, LONG_11 | OTHER_COLOUR | (NO_LOWER_11 if fc & WHITE else NO_UPPER_11)):
        return 100 * _sign(fc) if within(w[c + OPEN], w[b + OPEN], EQUAL * w[b + NEAR_10]) else 0
    return 0


@part
def judge_two(w: Floats, b: Place, c: Place, fb: int, fc: int, cover: float, out: npt.NDArray[np.int16]) -> None:
    """Write what each pattern of two bars finds, at its place in the catalogue."""
    from_below = _from_below(w, b, c, fb, fc)
    out[13] = counterattack(w, b, c, fb, fc)
    out[14] = dark_cloud_cover(w, b, c, fb, fc, cover)
    out[16] = doji_star(fb, fc)
    out[18] = engulfing(w, b, c, fc)
    out[23] = hammer(w, b, c, fc)
    out[24] = hanging_man(w, b, c, fc)
    out[25] = harami(w, b, c, fb, fc)
    out[26] = harami_cross(w, b, c, fb, fc)
    out[30] = homing_pigeon(w, b, c, fb, fc)
    out[32] = in_neck(w, b, c, from_below)
    out[33] = inverted_hammer(fc)
    out[34] = kicking(fb, fc)
    out[35] = kicking_by_length(w, b, c, fb, fc)
    out[40] = matching_low(w, b, c, fb, fc)
    out[44] = on_neck(w, b, c, from_below)
    out[45] = piercing(w, b, c, fc, from_below)
    out[48] = separating_lines(w, b, c, fc)
    out[49] = shooting_star(fc)
    out[56] = thrusting(w, b, c, from_below)
