"""Moving-average cross: buy in the bar in which the quick mean crosses above the calm one, leave while it is below."""

from appliance.signals.features import Features
from appliance.strategies.contract import WAIT, Opinion, Stance


class Cross:
    """Expect a cross to begin a trend; one that was missed is not run after."""

    __slots__ = ()

    name = "cross"

    def opinion(self, features: Features) -> Opinion:
        """Compare the gap before and now; NaN compares false both ways and so waits."""
        before, now = features.mean_gap
        if before <= 0.0 < now:
            return Opinion(Stance.ENTER, f"quick mean crossed {now:.1f} ticks above the calm one")
        if now < 0.0:
            return Opinion(Stance.LEAVE, f"quick mean is {-now:.1f} ticks below the calm one")
        return WAIT
