"""Layer 4: has the market's behaviour changed? Three witnesses of change points; two of them must agree.

A change is not bad data. It says that what was learned before may no longer hold, so it lessens trust and, alone, never
forbids opening.
"""

from collections import deque
from typing import Final

from appliance.market.quality.bayes import Bayes
from appliance.market.quality.cusum import Cusum
from appliance.market.quality.finding import FINE, Finding
from appliance.market.quality.pelt import Pelt

MEMORY_BARS: Final = 200
WARM_BARS: Final = 40
TOGETHER_BARS: Final = 12
WITNESSES_MIN: Final = 2
DEVIATIONS_MAX: Final = 20.0
TRUST_LEFT: Final = 0.4


class Changes:
    """Follow one instrument's returns."""

    __slots__ = ("_bars", "_bayes", "_cusum", "_pelt", "_square", "_told")

    def __init__(self) -> None:
        """Begin without a return."""
        self._bars = 0
        self._square = 0.0
        self._cusum, self._pelt, self._bayes = Cusum(), Pelt(), Bayes()
        self._told: deque[frozenset[str]] = deque(maxlen=TOGETHER_BARS)

    def update(self, log_return: float) -> Finding:
        """Take a bar's return."""
        self._bars += 1
        usual = self._square**0.5
        self._square += (log_return * log_return - self._square) / min(self._bars, MEMORY_BARS)
        if self._bars <= WARM_BARS or usual <= 0.0:
            return FINE
        deviations = max(-DEVIATIONS_MAX, min(DEVIATIONS_MAX, log_return / usual))
        told = {
            "CUSUM": self._cusum.update(deviations),
            "PELT": self._pelt.update(deviations),
            "Bayes": self._bayes.update(deviations),
        }
        self._told.append(frozenset(name for name, changed in told.items() if changed))
        witnesses = frozenset[str]().union(*self._told)
        if len(witnesses) < WITNESSES_MIN:
            return FINE
        self._told.clear()
        return Finding(TRUST_LEFT, f"the market changed, say {' and '.join(sorted(witnesses))}")
