"""Breakout: buy a close above the channel of the bars before, leave on a close below the middle of it."""

from appliance.signals.features import Features
from appliance.strategies.contract import WAIT, Opinion, Stance


class Breakout:
    """Expect a market that leaves its channel to go on."""

    __slots__ = ()

    name = "breakout"

    def opinion(self, features: Features) -> Opinion:
        """Compare the close with the channel; NaN compares false both ways and so waits."""
        bottom, top = features.channel_before
        if features.close > top:
            return Opinion(Stance.ENTER, f"close is {features.close - top:.1f} ticks above its channel")
        middle = (bottom + top) / 2.0
        if features.close < middle:
            return Opinion(Stance.LEAVE, f"close is {middle - features.close:.1f} ticks below the channel's middle")
        return WAIT
