"""Harmonic patterns: five turns X, A, B, C, D whose legs stand in ratios of the golden section.

The ratios are those that Carney and Oglesbee publish for each pattern. A turn at D is expected; a price beyond X, or
beyond D where D lies further out, ends it.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from appliance.signals.patterns.shape import Shape, View, inside, together

FAMILY: Final = "harmonic"
SWINGS: Final = 5
TOLERANCE: Final = 0.1
Range = tuple[float, float]


class Ratios(NamedTuple):
    """Hold a pattern's ranges: AB to XA, BC to AB, CD to BC, AD to XA."""

    name: str
    ab: Range
    bc: Range
    cd: Range
    ad: Range


TABLE: Final = (
    Ratios("Gartley", (0.618, 0.618), (0.382, 0.886), (1.13, 1.618), (0.786, 0.786)),
    Ratios("Bat", (0.382, 0.5), (0.382, 0.886), (1.618, 2.618), (0.886, 0.886)),
    Ratios("Butterfly", (0.786, 0.786), (0.382, 0.886), (1.618, 2.24), (1.27, 1.414)),
    Ratios("Crab", (0.382, 0.618), (0.382, 0.886), (2.24, 3.618), (1.618, 1.618)),
    Ratios("Shark", (0.382, 0.786), (1.13, 1.618), (1.618, 2.24), (0.886, 1.13)),
)
# The Cypher measures C and D from X: how far C lies beyond A, and how much of XC the last leg takes back.
CYPHER_AB: Final = (0.382, 0.618)
CYPHER_XC: Final = (1.272, 1.414)
CYPHER_CD: Final = (0.786, 0.786)


def _fits(value: float, wanted: Range) -> float:
    return inside(value, *wanted, TOLERANCE * wanted[1])


def harmonic(view: View) -> Iterator[Shape]:
    """Find each harmonic pattern that the last five turns draw."""
    if len(view.prices) < SWINGS:
        return
    x, a, b, c, d = view.prices[-SWINGS:]
    first = x - a
    ab, bc, cd, ad = (b - a) / first, (b - c) / (b - a), (d - c) / (b - c), (d - a) / first
    level = max(x, d)
    for ratios in TABLE:
        scores = _fits(ab, ratios.ab), _fits(bc, ratios.bc), _fits(cd, ratios.cd), _fits(ad, ratios.ad)
        name = f"bearish {ratios.name}", f"bullish {ratios.name}"
        yield Shape(*name, FAMILY, SWINGS, -1, together(*scores), level)
    if c < a:
        scores = _fits(ab, CYPHER_AB), _fits((x - c) / first, CYPHER_XC), _fits((d - c) / (x - c), CYPHER_CD), 1.0
        yield Shape("bearish Cypher", "bullish Cypher", FAMILY, SWINGS, -1, together(*scores[:3]), level)
