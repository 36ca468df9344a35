"""Candlesticks: buy where patterns of several bars say a rise together, leave where they say a fall or it fell."""

from appliance.signals.features import Features
from appliance.strategies.channel import left_below
from appliance.strategies.contract import WAIT, Opinion, Stance


class Candlesticks:
    """Follow candlestick patterns, unless the longer timeframes point down."""

    __slots__ = ("_votes",)

    name = "candlesticks"

    def __init__(self, votes: int = 2) -> None:
        """Take the least votes: a pattern has one for each bar that must fit before its last."""
        self._votes = votes

    def opinion(self, features: Features) -> Opinion:
        """Count the votes at the last bar; timeframes that are not warm (NaN) stand in no way."""
        figures = features.figures
        if figures is None:
            return WAIT
        votes = figures.votes
        if votes >= self._votes and not features.confluence.direction < 0.0:
            return Opinion(Stance.ENTER, f"candlesticks point up ({figures.words})")
        if votes <= -self._votes:
            return Opinion(Stance.LEAVE, f"candlesticks point down ({figures.words})")
        return left_below(features)
