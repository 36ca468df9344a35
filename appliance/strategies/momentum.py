"""Momentum: buy what has risen clearly in a market that has a direction, leave when it no longer rises."""

from appliance.signals.features import Features
from appliance.strategies.contract import WAIT, Opinion, Stance


class Momentum:
    """Expect what rises to rise on."""

    __slots__ = ("_directed", "_rate_percent")

    name = "momentum"

    def __init__(self, rate_percent: float = 0.5, directed: float = 20.0) -> None:
        """Take the least change in percent and the least directional index."""
        self._rate_percent = rate_percent
        self._directed = directed

    def opinion(self, features: Features) -> Opinion:
        """Judge change and direction; NaN compares false both ways and so waits."""
        rate, directed = features.rate_percent, features.directed
        if rate > self._rate_percent and directed > self._directed:
            return Opinion(Stance.ENTER, f"close rose by {rate:.2f} % with a directional index of {directed:.0f}")
        if rate < 0.0:
            return Opinion(Stance.LEAVE, f"close fell by {-rate:.2f} %")
        return WAIT
