"""Shapes between two lines: triangles, wedges, channels; and flags and pennants, which hang on a pole.

Three highs and three lows draw the lines of a big shape, two and two those of a small one. Slopes are measured as what
a line rises over the shape, in widths of the shape at its start.
"""

from collections.abc import Iterator
from typing import Final

from appliance.signals.patterns.shape import Shape, View, inside, line_through, near, together

FAMILY: Final = "lines"
POLE_FAMILY: Final = "pole"
SWINGS: Final = 6
POLE_SWINGS: Final = 5
TREND_SWINGS: Final = 8
FIT: Final = 0.2
FLAT: Final = 0.22
STEEP: Final = 0.3
PARALLEL: Final = 0.35
NARROWING: Final = (0.4, 0.95)
POLE_DEPTH: Final = (0.12, 0.5)


def between_lines(view: View) -> Iterator[Shape]:
    """Find a triangle, wedge or channel in the last three highs and lows."""
    if len(view.prices) < SWINGS:
        return
    bars, prices = view.bars[-SWINGS:], view.prices[-SWINGS:]
    upper, lower = line_through(bars[1::2], prices[1::2]), line_through(bars[0::2], prices[0::2])
    width, end = upper.at(bars[0]) - lower.at(bars[0]), upper.at(bars[-1]) - lower.at(bars[-1])
    if width <= 0.0 or end <= 0.0:
        return
    fit = near(max(upper.worst, lower.worst), 0.0, FIT * max(width, end))
    span = bars[-1] - bars[0]
    rise_above, rise_below = upper.slope * span / width, lower.slope * span / width
    yield from _channels(rise_above, rise_below, fit, prices)
    narrowing = inside(rise_below - rise_above, *NARROWING, 0.15)
    yield from _triangles(rise_above, rise_below, together(fit, narrowing), view)
    yield from _wedges(rise_above, rise_below, together(fit, narrowing), prices)


def _channels(above: float, below: float, fit: float, prices: tuple[float, ...]) -> Iterator[Shape]:
    quality = together(fit, near(above - below, 0.0, PARALLEL))
    drift = (above + below) / 2.0
    if abs(drift) < FLAT:
        yield Shape("rectangle", "rectangle", FAMILY, SWINGS, 0, quality, prices[-1])
    elif drift > 0.0:
        yield Shape("rising channel", "falling channel", FAMILY, SWINGS, 1, quality, prices[-2])
    else:
        yield Shape("falling channel", "rising channel", FAMILY, SWINGS, -1, quality, prices[-1])


def _triangles(above: float, below: float, sound: float, view: View) -> Iterator[Shape]:
    high, low = view.prices[-1], view.prices[-2]
    rising = together(sound, near(above, 0.0, FLAT), inside(below, STEEP, 1.0, 0.15))
    yield Shape("ascending triangle", "descending triangle", FAMILY, SWINGS, 1, rising, low)
    falling = together(sound, near(below, 0.0, FLAT), inside(-above, STEEP, 1.0, 0.15))
    yield Shape("descending triangle", "ascending triangle", FAMILY, SWINGS, -1, falling, high)
    even = together(sound, inside(-above, FLAT, 1.0, 0.1), inside(below, FLAT, 1.0, 0.1), near(above + below, 0.0, 0.6))
    trend = 0
    if len(view.prices) >= TREND_SWINGS:
        trend = 1 if view.prices[-SWINGS] > view.prices[-TREND_SWINGS] else -1
    name = "symmetrical triangle"
    yield Shape(name, name, FAMILY, SWINGS, trend, even, low if trend >= 0 else high)


def _wedges(above: float, below: float, sound: float, prices: tuple[float, ...]) -> Iterator[Shape]:
    if above >= FLAT:
        yield Shape("rising wedge", "falling wedge", FAMILY, SWINGS, -1, sound, prices[-1])
    elif below <= -FLAT:
        yield Shape("falling wedge", "rising wedge", FAMILY, SWINGS, 1, sound, prices[-2])


def on_a_pole(view: View) -> Iterator[Shape]:
    """Find a flag or a pennant after a steep fall of a length that what follows takes back only in part."""
    if len(view.prices) < POLE_SWINGS:
        return
    bars, (top, bottom, high, low, last) = view.bars[-POLE_SWINGS:], view.prices[-POLE_SWINGS:]
    pole = top - bottom
    depth = inside((max(high, last) - bottom) / pole, *POLE_DEPTH, 0.1)
    steep = inside((bars[1] - bars[0]) / (bars[4] - bars[1]), 0.0, 1.0, 0.5)
    upper, lower = line_through((bars[2], bars[4]), (high, last)), line_through((bars[1], bars[3]), (bottom, low))
    width, end = upper.at(bars[1]) - lower.at(bars[1]), upper.at(bars[4]) - lower.at(bars[4])
    if width <= 0.0 or end <= 0.0:
        return
    ratio = end / width
    level = max(high, last)
    against = inside((lower.at(bars[4]) - lower.at(bars[1])) / width, -0.1, 2.0, 0.2)
    flag = together(depth, steep, near(ratio, 1.0, 0.5), against)
    yield Shape("bear flag", "bull flag", POLE_FAMILY, POLE_SWINGS, -1, flag, level)
    closing = inside(ratio, 0.05, 0.6, 0.15) if last < high and low > bottom else 0.0
    yield Shape("bear pennant", "bull pennant", POLE_FAMILY, POLE_SWINGS, -1, together(depth, steep, closing), level)
