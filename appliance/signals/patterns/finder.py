"""Watch bars at several reaches, and tell each shape at the bar at which its last turn becomes known."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from appliance.kernels.patterns import swings as kernel
from appliance.signals.patterns.elliott import correction, impulse
from appliance.signals.patterns.harmonic import harmonic
from appliance.signals.patterns.lines import between_lines, on_a_pole
from appliance.signals.patterns.reversals import double, head_and_shoulders, triple
from appliance.signals.patterns.shape import Shape, Swing, View, view_of

SWINGS_KEPT: Final = 8
QUALITY_MIN: Final = 0.5
# How far price must go back for a turn, in average true ranges: small and large shapes.
REACHES: Final = (2.0, 4.0)
DETECTORS: Final[tuple[Callable[[View], Iterator[Shape]], ...]] = (
    double,
    triple,
    head_and_shoulders,
    between_lines,
    on_a_pole,
    harmonic,
    impulse,
    correction,
)


class Match(msgspec.Struct, frozen=True):
    """Hold one shape: what, where, since when it is known, how good, which way, and the price that ends it."""

    name: str
    family: str
    direction: int
    quality: float
    ends_at: float
    known_bar: int
    bars: tuple[int, ...]
    prices: tuple[float, ...]


class PatternFinder:
    """Keep the last swings of one instrument at one reach."""

    __slots__ = ("_quality_min", "_reach", "_state", "_swings")

    def __init__(self, reach: float, quality_min: float = QUALITY_MIN) -> None:
        """Begin without a bar; the reach is in average true ranges."""
        if not (0.0 < reach < np.inf and 0.0 <= quality_min <= 1.0):
            raise ValueError(f"reach must be above 0 and quality from 0 to 1, not {reach} and {quality_min}")
        self._reach = reach
        self._quality_min = quality_min
        self._state = np.zeros(kernel.STATE_LENGTH)
        self._swings: deque[Swing] = deque(maxlen=SWINGS_KEPT)

    def update(self, high: float, low: float, close: float) -> tuple[Match, ...]:
        """Add a closed bar and return the shapes that became known by it."""
        side = kernel.update(self._state, self._reach, high, low, close)
        if side == 0:
            return ()
        bar, price, back = self._state[kernel.TURN_BAR : kernel.TURN_BACK + 1].tolist()
        return self.turn(Swing(int(bar), price, side, int(self._state[kernel.COUNT]) - 1, back))

    def turn(self, swing: Swing) -> tuple[Match, ...]:
        """Add a turn and return the shapes that it completes."""
        self._swings.append(swing)
        return tuple(matches_in(tuple(self._swings), self._quality_min))


def matches_in(swings: tuple[Swing, ...], quality_min: float) -> Iterator[Match]:
    """Yield each shape that the last swings draw well enough."""
    view = view_of(swings)
    for detector in DETECTORS:
        for shape in detector(view):
            # Price came back from the last turn to make it known; that may have ended what would rise.
            ended = shape.direction > 0 and view.back < shape.level
            if shape.quality >= quality_min and shape.quality > 0.0 and not ended:
                yield _match(shape, view.sign, swings)


def _match(shape: Shape, sign: int, swings: tuple[Swing, ...]) -> Match:
    used = swings[-shape.swings :]
    return Match(
        shape.name if sign > 0 else shape.mirrored,
        shape.family,
        shape.direction * sign,
        shape.quality,
        shape.level * sign,
        swings[-1].known_bar,
        tuple(swing.bar for swing in used),
        tuple(swing.price for swing in used),
    )


def find_swings(bars: Sequence[npt.ArrayLike], reach: float) -> tuple[Swing, ...]:
    """Return every swing of columns of high, low and close, in the order in which they became known."""
    high, low, close = (np.ascontiguousarray(column, np.float64) for column in bars)
    if not (high.ndim == low.ndim == close.ndim == 1 and len(high) == len(low) == len(close)):
        raise ValueError(f"bars must be flat columns of one length, not {high.shape}, {low.shape} and {close.shape}")
    rows = np.zeros((len(high), kernel.SWING_LENGTH))
    count = kernel.over(np.zeros(kernel.STATE_LENGTH), reach, high, low, close, rows)
    return tuple(
        Swing(int(bar), price, int(side), int(known), back) for bar, price, side, known, back in rows[:count].tolist()
    )


def find_patterns(
    bars: Sequence[npt.ArrayLike], reaches: Sequence[float] = REACHES, quality_min: float = QUALITY_MIN
) -> tuple[Match, ...]:
    """Return every shape in columns of high, low and close, each once, in the order in which they became known."""
    found: dict[tuple[str, tuple[int, ...]], Match] = {}
    for reach in reaches:
        finder = PatternFinder(reach, quality_min)
        for swing in find_swings(bars, reach):
            for match in finder.turn(swing):
                found.setdefault((match.name, match.bars), match)
    return tuple(sorted(found.values(), key=lambda match: (match.known_bar, match.name, match.bars)))
