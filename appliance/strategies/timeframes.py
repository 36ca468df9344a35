"""Several timeframes: buy while all of them point up together, leave when their weighed direction is down."""

from appliance.signals.features import Features
from appliance.strategies.contract import WAIT, Opinion, Stance


class SeveralTimeframes:
    """Follow what 5 minutes, 15 minutes and an hour agree on."""

    __slots__ = ("_alignment", "_direction")

    name = "timeframes"

    def __init__(self, direction: float = 0.3, alignment: float = 0.99) -> None:
        """Take the least weighed direction and the least weight of those that agree."""
        self._direction = direction
        self._alignment = alignment

    def opinion(self, features: Features) -> Opinion:
        """Judge the confluence; NaN compares false both ways and so waits."""
        direction, alignment = features.confluence
        if direction > self._direction and alignment >= self._alignment:
            return Opinion(Stance.ENTER, f"timeframes point up together ({direction:+.2f})")
        if direction < 0.0:
            return Opinion(Stance.LEAVE, f"timeframes point down ({direction:+.2f})")
        return WAIT
