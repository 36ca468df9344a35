"""Elliott waves: five waves with the trend, three against it.

The three rules of Frost and Prechter are conditions: wave 2 never goes back beyond the start of wave 1, wave 3 is never
the shortest of 1, 3 and 5, wave 4 never enters the price territory of wave 1. Their guidelines, ratios that waves tend
to, only make the quality.
"""

from collections.abc import Iterator
from typing import Final

from appliance.signals.patterns.shape import Shape, View, inside, together

FAMILY: Final = "Elliott"
IMPULSE_SWINGS: Final = 6
CORRECTION_SWINGS: Final = 5


def keeps_the_rules(turns: tuple[float, ...]) -> bool:
    """Tell whether six turns of a rise keep the three rules, and each rising wave ends beyond the last."""
    start, one, two, three, four, five = turns
    first, third, fifth = one - start, three - two, five - four
    return two > start and not (third < first and third < fifth) and four > one and three > one and five > three


def impulse(view: View) -> Iterator[Shape]:
    """Find five waves up; a new high beyond the fifth ends the expectation of a correction."""
    if len(view.prices) < IMPULSE_SWINGS:
        return
    turns = view.prices[-IMPULSE_SWINGS:]
    if not keeps_the_rules(turns):
        return
    start, one, two, three, four, five = turns
    quality = together(
        inside((one - two) / (one - start), 0.382, 0.786, 0.35),
        inside((three - two) / (one - start), 1.3, 2.7, 0.8),
        inside((three - four) / (three - two), 0.236, 0.5, 0.25),
        inside((five - four) / (one - start), 0.618, 1.618, 0.6),
    )
    yield Shape("Elliott impulse up", "Elliott impulse down", FAMILY, IMPULSE_SWINGS, -1, quality, five)


def correction(view: View) -> Iterator[Shape]:
    """Find three waves up that take back a part of the fall before them; taking back all of it ends that reading."""
    if len(view.prices) < CORRECTION_SWINGS:
        return
    top, start, a, b, c = view.prices[-CORRECTION_SWINGS:]
    first, third = a - start, c - b
    taken_back = inside((c - start) / (top - start), 0.382, 0.786, 0.15)
    back = (a - b) / first
    zigzag = together(taken_back, inside(back, 0.382, 0.786, 0.12), inside(third / first, 0.618, 1.618, 0.3))
    if c > a and b > start:
        yield Shape("Elliott zigzag up", "Elliott zigzag down", FAMILY, CORRECTION_SWINGS, -1, zigzag, top)
    flat = together(taken_back, inside(back, 0.9, 1.236, 0.1), inside(third / first, 0.9, 1.618, 0.2))
    yield Shape("Elliott flat up", "Elliott flat down", FAMILY, CORRECTION_SWINGS, -1, flat, top)
