"""Mean reversion: buy well below the mean of the window, leave when the mean is reached again."""

from appliance.signals.features import Features
from appliance.strategies.contract import WAIT, Opinion, Stance


class Reversion:
    """Expect the close to come back to its mean."""

    __slots__ = ("_entry",)

    name = "reversion"

    def __init__(self, entry: float = 1.75) -> None:
        """Take how many standard deviations below the mean are far enough."""
        self._entry = entry

    def opinion(self, features: Features) -> Opinion:
        """Measure the close against its window; NaN compares false both ways and so waits."""
        deviations = features.deviations_from_mean
        if deviations < -self._entry:
            return Opinion(Stance.ENTER, f"close is {-deviations:.2f} deviations below its mean")
        if deviations >= 0.0:
            return Opinion(Stance.LEAVE, f"close is back at its mean ({deviations:+.2f} deviations)")
        return WAIT
