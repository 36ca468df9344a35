"""Tops and bottoms: two or three equal turns, and a head between shoulders, after a move into them.

They are found when the last turn is known, before the line through the turns between is broken.
"""

from collections.abc import Iterator
from typing import Final

from appliance.signals.patterns.shape import Shape, View, inside, near, together

FAMILY: Final = "reversal"
DOUBLE_SWINGS: Final = 4
TRIPLE_SWINGS: Final = 6
# Parts of the height by which turns that should be equal may differ.
PEAKS_APART: Final = 0.25
SHOULDERS_APART: Final = 0.45
VALLEYS_APART: Final = 0.4
# How far the head stands out of the shoulders, in heights of the head.
HEAD_OVER: Final = (0.2, 0.6)


def double(view: View) -> Iterator[Shape]:
    """Find two equal highs after a rise that was no shorter than the dip between them."""
    if len(view.prices) < DOUBLE_SWINGS:
        return
    start, first, valley, second = view.prices[-DOUBLE_SWINGS:]
    height = (first + second) / 2.0 - valley
    equal = near(first - second, 0.0, PEAKS_APART * height)
    came = inside((first - start) / height, 1.0, 10.0, 0.3)
    yield Shape("double top", "double bottom", FAMILY, DOUBLE_SWINGS, -1, together(equal, came), max(first, second))


def triple(view: View) -> Iterator[Shape]:
    """Find three equal highs and two equal lows between them."""
    if len(view.prices) < TRIPLE_SWINGS:
        return
    start, first, valley, second, other, third = view.prices[-TRIPLE_SWINGS:]
    top = max(first, second, third)
    height = (first + second + third) / 3.0 - (valley + other) / 2.0
    equal = near(top - min(first, second, third), 0.0, PEAKS_APART * height)
    even = near(valley - other, 0.0, VALLEYS_APART * height)
    came = inside((first - start) / height, 1.0, 10.0, 0.3)
    yield Shape("triple top", "triple bottom", FAMILY, TRIPLE_SWINGS, -1, together(equal, even, came), top)


def head_and_shoulders(view: View) -> Iterator[Shape]:
    """Find a high between two lower, equal ones, over a level neckline; a new high over the right shoulder ends it."""
    if len(view.prices) < TRIPLE_SWINGS:
        return
    start, left, valley, head, other, right = view.prices[-TRIPLE_SWINGS:]
    height = head - (valley + other) / 2.0
    stands_out = inside((head - max(left, right)) / height, *HEAD_OVER, 0.15)
    equal = near(left - right, 0.0, SHOULDERS_APART * height)
    level = near(valley - other, 0.0, VALLEYS_APART * height)
    came = inside((left - start) / height, 0.6, 10.0, 0.3)
    bars = view.bars[-TRIPLE_SWINGS:]
    halves = (bars[3] - bars[1]) / (bars[5] - bars[3])
    even = inside(halves, 0.5, 2.0, 1.5)
    quality = together(stands_out, equal, level, came, even) if right > max(valley, other) else 0.0
    yield Shape("head and shoulders", "inverse head and shoulders", FAMILY, TRIPLE_SWINGS, -1, quality, right)
