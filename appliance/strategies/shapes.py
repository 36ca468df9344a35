"""Chart shapes: buy where a good one that points up becomes known, leave where one points down or its level breaks."""

from appliance.signals.features import Features
from appliance.signals.patterns.finder import Match
from appliance.strategies.channel import left_below
from appliance.strategies.contract import WAIT, Opinion, Stance


class Shapes:
    """Follow double bottoms, triangles, flags, harmonics and their like, unless the longer timeframes point down."""

    __slots__ = ("_quality",)

    name = "shapes"

    def __init__(self, quality: float = 0.7) -> None:
        """Take the least quality of a shape, from 0 to 1."""
        self._quality = quality

    def opinion(self, features: Features) -> Opinion:
        """Judge what became known by the last bar; timeframes that are not warm (NaN) stand in no way."""
        figures = features.figures
        if figures is None:
            return WAIT
        good = [match for match in figures.shapes if match.quality >= self._quality and match.direction]
        falling = [match for match in good if match.direction < 0]
        if falling:
            return Opinion(Stance.LEAVE, _told(falling, "down"))
        if good and not features.confluence.direction < 0.0:
            return Opinion(Stance.ENTER, _told(good, "up"))
        if figures.broken is not None:
            return Opinion(Stance.LEAVE, f"close is below the end of the {figures.broken.name}")
        return left_below(features)


def _told(matches: list[Match], way: str) -> str:
    best = max(matches, key=lambda match: match.quality)
    return f"{best.name} points {way} (quality {best.quality:.2f})"
