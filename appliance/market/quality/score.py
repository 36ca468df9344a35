"""Layer 5: one score from five dimensions: complete, accurate, consistent, timely, valid.

A finding takes its dimension down at once; good bars bring it back by a tenth of what is missing, so one bad print
forbids opening for some bars and a source that keeps failing never comes back. The whole is the weighted mean; but a
dimension that is gone cannot be made up for by the others.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from appliance.market.quality.finding import Finding


class Dimension(StrEnum):
    """Name what bars are judged by."""

    COMPLETE = "complete"
    ACCURATE = "accurate"
    CONSISTENT = "consistent"
    TIMELY = "timely"
    VALID = "valid"


WEIGHTS: Final[Mapping[Dimension, float]] = {
    Dimension.COMPLETE: 0.2,
    Dimension.ACCURATE: 0.3,
    Dimension.CONSISTENT: 0.1,
    Dimension.TIMELY: 0.15,
    Dimension.VALID: 0.25,
}
# A changed market or odd digits are no reason not to trade: this dimension only counts in the mean.
NEVER_DECIDES: Final = Dimension.CONSISTENT
RECOVERY: Final = 0.1
DIMENSION_MIN: Final = 0.3
TOTAL_MIN: Final = 0.6


class Score(NamedTuple):
    """Hold the whole, its parts, and what is against the bars now."""

    total: float
    parts: Mapping[Dimension, float]
    reasons: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """Tell whether something may be opened on these bars."""
        decisive = min(part for dimension, part in self.parts.items() if dimension is not NEVER_DECIDES)
        return self.total >= TOTAL_MIN and decisive >= DIMENSION_MIN


class Scorer:
    """Keep each dimension's score from bar to bar."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        """Begin with nothing against the bars."""
        self._parts = dict.fromkeys(Dimension, 1.0)

    def update(self, findings: Mapping[Dimension, tuple[Finding, ...]]) -> Score:
        """Take what the layers say of a bar."""
        parts, total, reasons = dict(self._parts), 0.0, list[str]()
        for dimension, weight in WEIGHTS.items():
            part = parts[dimension]
            part += RECOVERY * (1.0 - part)
            for finding in findings.get(dimension, ()):
                part = min(part, finding.score)
                if finding.reason:
                    reasons.append(finding.reason)
            parts[dimension] = part
            total += weight * part
        self._parts = parts
        return Score(total, parts, tuple(reasons))
