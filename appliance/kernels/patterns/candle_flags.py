"""What a bar is in the words of candlestick patterns: one bit a word, found once, tested many times.

A pattern then begins with a mask a bar, and few comparisons are left: fewer branches to guess wrong than TA-Lib's, and
far less to compile. A number after a word is the first bar judged by the average that it is measured against.
"""

from typing import Final

import numpy as np

from appliance.kernels.compiling import part
from appliance.kernels.patterns.candle_window import (
    BODY,
    BODY_10,
    BODY_11,
    BODY_12,
    BODY_13,
    BODY_14,
    BOTTOM,
    COLOUR,
    DOJI,
    HIGH,
    LOW,
    LOWER,
    RANGE_10,
    RANGE_11,
    RANGE_12,
    RANGE_13,
    SHADOWS_10,
    SHADOWS_11,
    SHADOWS_12,
    SHORT_SHADOWS,
    TOP,
    UPPER,
    VERY_LONG_SHADOW,
    VERY_SHORT_SHADOW,
    WIDTH,
    Floats,
    Place,
)

# Closed where it opened or above; closed below.
WHITE: Final = 1 << 0
BLACK: Final = 1 << 1
# A body above the average, below it, and not above it.
LONG_10: Final = 1 << 2
LONG_11: Final = 1 << 3
LONG_12: Final = 1 << 4
LONG_14: Final = 1 << 5
SHORT_10: Final = 1 << 6
SHORT_11: Final = 1 << 7
SHORT_12: Final = 1 << 8
SHORT_13: Final = 1 << 9
NOT_LONG_11: Final = 1 << 10
DOJI_10: Final = 1 << 11
DOJI_11: Final = 1 << 12
# A very short shadow, and one that is longer than that.
NO_UPPER_10: Final = 1 << 13
NO_UPPER_11: Final = 1 << 14
NO_UPPER_12: Final = 1 << 15
NO_LOWER_10: Final = 1 << 16
NO_LOWER_11: Final = 1 << 17
NO_LOWER_12: Final = 1 << 18
NO_LOWER_13: Final = 1 << 19
SOME_UPPER_10: Final = 1 << 20
SOME_UPPER_12: Final = 1 << 21
SOME_UPPER_13: Final = 1 << 22
SOME_LOWER_10: Final = 1 << 23
SOME_LOWER_11: Final = 1 << 24
# A shadow longer than the body, and than twice the body.
LONG_UPPER: Final = 1 << 25
LONG_LOWER: Final = 1 << 26
VERY_LONG_UPPER: Final = 1 << 27
VERY_LONG_LOWER: Final = 1 << 28
# Shadows against the average of shadows.
SHORT_UPPER_10: Final = 1 << 29
SHORT_LOWER_10: Final = 1 << 30
SHADOWED_11: Final = 1 << 31
SHADOWED_12: Final = 1 << 32
# Against the bar before: its body beyond that body, its range beyond that range, inside it, or moved up or down.
GAP_UP: Final = 1 << 33
GAP_DOWN: Final = 1 << 34
RANGE_GAP_UP: Final = 1 << 35
RANGE_GAP_DOWN: Final = 1 << 36
INSIDE: Final = 1 << 37
HIGHER: Final = 1 << 38
LOWER_TOO: Final = 1 << 39
OTHER_COLOUR: Final = 1 << 40


@part
def has(flags: int, mask: int) -> bool:
    """Tell whether a bar is everything that a mask asks for."""
    return flags & mask == mask


@part
def _bit(is_so: bool, flag: int) -> int:
    return flag if is_so else 0


@part
def _body_flags(w: Floats, c: Place) -> int:
    body = w[c + BODY]
    flags = _bit(w[c + COLOUR] > 0.0, WHITE) | _bit(w[c + COLOUR] < 0.0, BLACK)
    flags |= _bit(body > w[c + BODY_10], LONG_10) | _bit(body > w[c + BODY_11], LONG_11)
    flags |= _bit(body > w[c + BODY_12], LONG_12) | _bit(body > w[c + BODY_14], LONG_14)
    flags |= _bit(body < w[c + BODY_10], SHORT_10) | _bit(body < w[c + BODY_11], SHORT_11)
    flags |= _bit(body < w[c + BODY_12], SHORT_12) | _bit(body < w[c + BODY_13], SHORT_13)
    flags |= _bit(body <= w[c + BODY_11], NOT_LONG_11)
    return flags | _bit(body <= DOJI * w[c + RANGE_10], DOJI_10) | _bit(body <= DOJI * w[c + RANGE_11], DOJI_11)


@part
def _shadow_flags(w: Floats, c: Place) -> int:
    upper, lower, body = w[c + UPPER], w[c + LOWER], w[c + BODY]
    reach_10 = VERY_SHORT_SHADOW * w[c + RANGE_10]
    reach_11 = VERY_SHORT_SHADOW * w[c + RANGE_11]
    reach_12 = VERY_SHORT_SHADOW * w[c + RANGE_12]
    reach_13 = VERY_SHORT_SHADOW * w[c + RANGE_13]
    flags = _bit(upper < reach_10, NO_UPPER_10) | _bit(upper < reach_11, NO_UPPER_11)
    flags |= _bit(upper < reach_12, NO_UPPER_12) | _bit(lower < reach_10, NO_LOWER_10)
    flags |= _bit(lower < reach_11, NO_LOWER_11) | _bit(lower < reach_12, NO_LOWER_12)
    flags |= _bit(lower < reach_13, NO_LOWER_13) | _bit(upper > reach_10, SOME_UPPER_10)
    flags |= _bit(upper > reach_12, SOME_UPPER_12) | _bit(upper > reach_13, SOME_UPPER_13)
    flags |= _bit(lower > reach_10, SOME_LOWER_10) | _bit(lower > reach_11, SOME_LOWER_11)
    flags |= _bit(upper > body, LONG_UPPER) | _bit(lower > body, LONG_LOWER)
    flags |= _bit(upper > VERY_LONG_SHADOW * body, VERY_LONG_UPPER)
    flags |= _bit(lower > VERY_LONG_SHADOW * body, VERY_LONG_LOWER)
    short = w[c + SHADOWS_10] / SHORT_SHADOWS
    flags |= _bit(upper < short, SHORT_UPPER_10) | _bit(lower < short, SHORT_LOWER_10)
    flags |= _bit(upper > w[c + SHADOWS_11] / SHORT_SHADOWS, SHADOWED_11)
    return flags | _bit(upper > w[c + SHADOWS_12] / SHORT_SHADOWS, SHADOWED_12)


@part
def _step_flags(w: Floats, c: Place) -> int:
    b = c - np.uint64(WIDTH)
    higher, lower = w[c + HIGH] > w[b + HIGH], w[c + LOW] < w[b + LOW]
    less_high, less_low = w[c + HIGH] < w[b + HIGH], w[c + LOW] > w[b + LOW]
    flags = _bit(w[c + BOTTOM] > w[b + TOP], GAP_UP) | _bit(w[c + TOP] < w[b + BOTTOM], GAP_DOWN)
    flags |= _bit(w[c + LOW] > w[b + HIGH], RANGE_GAP_UP) | _bit(w[c + HIGH] < w[b + LOW], RANGE_GAP_DOWN)
    flags |= _bit(less_high & less_low, INSIDE) | _bit(higher & less_low, HIGHER) | _bit(less_high & lower, LOWER_TOO)
    return flags | _bit(w[c + COLOUR] * w[b + COLOUR] < 0.0, OTHER_COLOUR)


@part
def flags_of(w: Floats, c: Place) -> int:
    """Return everything that the bar at a place is."""
    return _body_flags(w, c) | _shadow_flags(w, c) | _step_flags(w, c)
