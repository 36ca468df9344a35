"""Layer 6: tell a person once when a dimension becomes poor or bad, and once when it is well again.

An alert is raised below its limit and only cleared well above it, so a score that trembles on the limit is one alert.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import Final, NamedTuple

from appliance.market.quality.score import DIMENSION_MIN, Dimension, Score


class Gravity(IntEnum):
    """Order how bad it is."""

    WELL = 0
    POOR = 1
    BAD = 2


POOR_BELOW: Final = 0.6
CLEARED_ABOVE: Final = 0.15


class Alert(NamedTuple):
    """Hold one change: of what, to what, at which bar, and why."""

    dimension: Dimension
    gravity: Gravity
    start_ns: int
    reason: str


class Alerts:
    """Keep the gravity of each dimension."""

    __slots__ = ("_now",)

    def __init__(self) -> None:
        """Begin with everything well."""
        self._now = dict.fromkeys(Dimension, Gravity.WELL)

    def update(self, score: Score, start_ns: int) -> Iterator[Alert]:
        """Yield what changed with a bar."""
        for dimension, part in score.parts.items():
            before = self._now[dimension]
            gravity = _gravity(part)
            if gravity < before:
                gravity = max(gravity, _gravity(part - CLEARED_ABOVE))
            if gravity is not before:
                self._now[dimension] = gravity
                yield Alert(dimension, gravity, start_ns, "; ".join(score.reasons))


def _gravity(part: float) -> Gravity:
    return Gravity.BAD if part < DIMENSION_MIN else Gravity.POOR if part < POOR_BELOW else Gravity.WELL
