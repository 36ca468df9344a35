"""Patterns of one bar, judged against the bars before it. `fc` is what the bar is."""

import numpy as np
import numpy.typing as npt

from appliance.kernels.compiling import part
from appliance.kernels.patterns.candle_flags import (
    BLACK,
    DOJI_10,
    LONG_10,
    LONG_LOWER,
    LONG_UPPER,
    NO_LOWER_10,
    NO_UPPER_10,
    SHORT_10,
    SHORT_LOWER_10,
    SHORT_UPPER_10,
    SOME_LOWER_10,
    SOME_UPPER_10,
    VERY_LONG_LOWER,
    VERY_LONG_UPPER,
    WHITE,
    has,
)
from appliance.kernels.patterns.candle_window import BOTTOM, LOW, NEAR, NEAR_10, RANGE, TOP, Floats, Place


@part
def _coloured(fc: int, mask: int) -> int:
    return (100 if fc & WHITE else -100) if has(fc, mask) else 0


@part
def belt_hold(fc: int) -> int:
    """Find a long body that opened at its extreme."""
    if has(fc, LONG_10 | WHITE | NO_LOWER_10):
        return 100
    return -100 if has(fc, LONG_10 | BLACK | NO_UPPER_10) else 0


@part
def closing_marubozu(fc: int) -> int:
    """Find a long body that closed at its extreme."""
    if has(fc, LONG_10 | WHITE | NO_UPPER_10):
        return 100
    return -100 if has(fc, LONG_10 | BLACK | NO_LOWER_10) else 0


@part
def doji(fc: int) -> int:
    """Find an open and close that are as good as equal."""
    return 100 if has(fc, DOJI_10) else 0


@part
def dragonfly_doji(fc: int) -> int:
    """Find a doji with a lower shadow only."""
    return 100 if has(fc, DOJI_10 | NO_UPPER_10 | SOME_LOWER_10) else 0


@part
def gravestone_doji(fc: int) -> int:
    """Find a doji with an upper shadow only."""
    return 100 if has(fc, DOJI_10 | NO_LOWER_10 | SOME_UPPER_10) else 0


@part
def high_wave(fc: int) -> int:
    """Find a short body between very long shadows."""
    return _coloured(fc, SHORT_10 | VERY_LONG_UPPER | VERY_LONG_LOWER)


@part
def long_legged_doji(fc: int) -> int:
    """Find a doji with a long shadow on either side."""
    return 100 if has(fc, DOJI_10) and fc & (LONG_LOWER | LONG_UPPER) else 0


@part
def long_line(fc: int) -> int:
    """Find a long body with short shadows."""
    return _coloured(fc, LONG_10 | SHORT_UPPER_10 | SHORT_LOWER_10)


@part
def short_line(fc: int) -> int:
    """Find a short body with short shadows."""
    return _coloured(fc, SHORT_10 | SHORT_UPPER_10 | SHORT_LOWER_10)


@part
def marubozu(fc: int) -> int:
    """Find a long body without shadows."""
    return _coloured(fc, LONG_10 | NO_UPPER_10 | NO_LOWER_10)


@part
def rickshaw_man(w: Floats, c: Place, fc: int) -> int:
    """Find a long-legged doji with its body near the middle of the range."""
    if not has(fc, DOJI_10 | LONG_LOWER | LONG_UPPER):
        return 0
    middle = w[c + LOW] + w[c + RANGE] / 2.0
    near = NEAR * w[c + NEAR_10]
    return 100 if w[c + BOTTOM] <= middle + near and w[c + TOP] >= middle - near else 0


@part
def spinning_top(fc: int) -> int:
    """Find a short body between longer shadows."""
    return _coloured(fc, SHORT_10 | LONG_UPPER | LONG_LOWER)


@part
def takuri(fc: int) -> int:
    """Find a dragonfly doji with a very long lower shadow."""
    return 100 if has(fc, DOJI_10 | NO_UPPER_10 | VERY_LONG_LOWER) else 0


@part
def judge_one(w: Floats, c: Place, fc: int, out: npt.NDArray[np.int16]) -> None:
    """Write what each pattern of one bar finds, at its place in the catalogue."""
    out[9] = belt_hold(fc)
    out[11] = closing_marubozu(fc)
    out[15] = doji(fc)
    out[17] = dragonfly_doji(fc)
    out[22] = gravestone_doji(fc)
    out[27] = high_wave(fc)
    out[37] = long_legged_doji(fc)
    out[38] = long_line(fc)
    out[39] = marubozu(fc)
    out[46] = rickshaw_man(w, c, fc)
    out[50] = short_line(fc)
    out[51] = spinning_top(fc)
    out[54] = takuri(fc)
