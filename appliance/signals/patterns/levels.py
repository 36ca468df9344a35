"""Prices at which a market turned more than once, and the Fibonacci levels of its last leg.

Both are made of swings that are known, so a level at some bar never depends on a later one. Like a shape, a level says
how good it is, which way a turn at it would go, and the price that ends it.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from appliance.signals.patterns.shape import Swing

SWINGS_MAX: Final = 60
TOUCHES_MIN: Final = 3
FIBONACCI: Final = (0.236, 0.382, 0.5, 0.618, 0.786, 1.272, 1.618)
LEG_SWINGS: Final = 2


class Level(msgspec.Struct, frozen=True):
    """Hold one price level: its kind, its band, how often price turned there, and what it foretells."""

    kind: str
    price: float
    band: tuple[float, float]
    touches: int
    quality: float
    direction: int
    ends_at: float
    bars: tuple[int, int]


def clusters(swings: Sequence[Swing], close: float, width: float) -> Iterator[Level]:
    """Yield support and resistance: bands no wider than so much, in which at least three of the last swings turned."""
    rest = sorted(swings[-SWINGS_MAX:], key=lambda swing: swing.price)
    while rest:
        start = max(range(len(rest)), key=lambda place: _touches(rest, place, width))
        count = _touches(rest, start, width)
        if count < TOUCHES_MIN:
            return
        group = rest[start : start + count]
        del rest[start : start + count]
        yield _cluster(group, close, width)


def _touches(ordered: Sequence[Swing], start: int, width: float) -> int:
    limit = ordered[start].price + width
    return next((n for n in range(start, len(ordered)) if ordered[n].price > limit), len(ordered)) - start


def _cluster(group: Sequence[Swing], close: float, width: float) -> Level:
    low, high = group[0].price, group[-1].price
    price = sum(swing.price for swing in group) / len(group)
    support = price <= close
    bars = [swing.bar for swing in group]
    return Level(
        "support" if support else "resistance",
        price,
        (low, high),
        len(group),
        1.0 - 1.0 / (len(group) - 1),
        1 if support else -1,
        low - width if support else high + width,
        (min(bars), max(bars)),
    )


def fibonacci(swings: Sequence[Swing], width: float) -> Iterator[Level]:
    """Yield the retracements and extensions of the last known leg; how many earlier turns lie at one is its quality."""
    if len(swings) < LEG_SWINGS:
        return
    start, end = swings[-LEG_SWINGS:]
    earlier = swings[-SWINGS_MAX:-LEG_SWINGS]
    for ratio in FIBONACCI:
        price = end.price + ratio * (start.price - end.price)
        touches = sum(abs(swing.price - price) <= width / 2.0 for swing in earlier)
        beyond = ratio > 1.0
        yield Level(
            f"Fibonacci {ratio:.3f}",
            price,
            (price - width / 2.0, price + width / 2.0),
            touches,
            touches / (touches + 2.0),
            end.side,
            # A retracement ends with the leg itself; an extension, where the next one begins.
            start.price if not beyond else end.price + (ratio + 0.5) * (start.price - end.price),
            (start.bar, end.bar),
        )
