"""Trend following: be in while the fast average is clearly above the slow one, leave when it no longer is."""

from appliance.signals.features import Features
from appliance.strategies.contract import WAIT, Opinion, Stance


class Trend:
    """Follow a rising market; the dead band is a share of the average true range, so quiet chop does not whip it."""

    __slots__ = ("_band",)

    name = "trend"

    def __init__(self, band: float = 0.25) -> None:
        """Take the dead band in average true ranges."""
        self._band = band

    def opinion(self, features: Features) -> Opinion:
        """Compare the two averages; NaN compares false both ways and so waits."""
        lead = features.fast - features.slow
        band = self._band * features.true_range
        if lead > band and features.close > features.fast:
            return Opinion(Stance.ENTER, f"fast average leads slow by {lead:.1f} ticks (band {band:.1f})")
        if lead < 0.0:
            return Opinion(Stance.LEAVE, f"fast average trails slow by {-lead:.1f} ticks")
        return WAIT
