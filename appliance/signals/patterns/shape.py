"""What every detector reads and returns, and the few measures they share.

A detector sees the last swings mirrored so that the newest is a high: one rule then serves tops and bottoms, and what
it finds is turned back by `sign`. Every measure is a ratio of lengths within the shape, so no price or unit matters.
"""

from typing import NamedTuple


class Swing(NamedTuple):
    """Hold one turn: its bar and price, 1 for a high or -1 for a low, the bar it was known at, the price by then."""

    bar: int
    price: float
    side: int
    known_bar: int
    back: float


class View(NamedTuple):
    """Hold swings, newest last, mirrored so that the last is a high: real prices are these times the sign.

    `back` is how far price has come back from the last by the time it is known.
    """

    bars: tuple[int, ...]
    prices: tuple[float, ...]
    sign: int
    back: float


class Shape(NamedTuple):
    """Hold what a detector found in a view: its name as it stands and mirrored; direction and level are the view's."""

    name: str
    mirrored: str
    family: str
    swings: int
    direction: int
    quality: float
    level: float


class Line(NamedTuple):
    """Hold a straight line over bars, and how far the worst of its points lies from it."""

    slope: float
    origin: float
    worst: float

    def at(self, bar: float) -> float:
        """Return the line's price at a bar."""
        return self.origin + self.slope * bar


def view_of(swings: tuple[Swing, ...]) -> View:
    """Return swings as detectors see them."""
    sign = swings[-1].side
    return View(
        tuple(swing.bar for swing in swings),
        tuple(sign * swing.price for swing in swings),
        sign,
        sign * swings[-1].back,
    )


def near(value: float, ideal: float, tolerance: float) -> float:
    """Return 1 at the ideal, falling to 0 at the tolerance from it."""
    return max(0.0, 1.0 - abs(value - ideal) / tolerance)


def inside(value: float, low: float, high: float, tolerance: float) -> float:
    """Return 1 inside a range, falling to 0 at the tolerance outside."""
    return max(0.0, 1.0 - max(low - value, value - high, 0.0) / tolerance)


def together(*scores: float) -> float:
    """Return the geometric mean: one condition that fails fails all."""
    product = 1.0
    for score in scores:
        product *= score
    return float(product ** (1.0 / len(scores)))


def line_through(bars: tuple[int, ...], prices: tuple[float, ...]) -> Line:
    """Return the line of least squares through two or more points at different bars."""
    middle = sum(bars) / len(bars)
    mean = sum(prices) / len(prices)
    spread = sum((bar - middle) ** 2 for bar in bars)
    slope = sum((bar - middle) * (price - mean) for bar, price in zip(bars, prices, strict=True)) / spread
    origin = mean - slope * middle
    worst = max(abs(origin + slope * bar - price) for bar, price in zip(bars, prices, strict=True))
    return Line(slope, origin, worst)
