"""Layer 4: has the market's behaviour changed? Three witnesses of change points; two of them must agree.

A change is not bad data. It says that what was learned before may no longer hold, so it lessens trust and, alone, never
forbids opening.
"""

from typing import Final

from appliance.market.quality.bayes import Bayes
from appliance.market.quality.cusum import Cusum
from appliance.market.quality.finding import FINE, Finding
from appliance.market.quality.pelt import Pelt

NAMES: Final = ("Bayes", "CUSUM", "PELT")
MEMORY_BARS: Final = 200
WARM_BARS: Final = 40
TOGETHER_BARS: Final = 12
WITNESSES_MIN: Final = 2
DEVIATIONS_MAX: Final = 20.0
TRUST_LEFT: Final = 0.4


class Changes:
    """Follow one instrument's returns."""

    __slots__ = ("_bars", "_bars_since", "_square", "_witnesses")

    def __init__(self) -> None:
        """Begin without a return."""
        self._bars = 0
        self._square = 0.0
        self._witnesses: tuple[Bayes | Cusum | Pelt, ...] = (Bayes(), Cusum(), Pelt())
        self._bars_since = [TOGETHER_BARS] * len(NAMES)

    def update(self, log_return: float) -> Finding:
        """Take a bar's return."""
        self._bars += 1
        usual = self._square**0.5
        self._square += (log_return * log_return - self._square) / min(self._bars, MEMORY_BARS)
        if self._bars <= WARM_BARS or usual <= 0.0:
            return FINE
        deviations = max(-DEVIATIONS_MAX, min(DEVIATIONS_MAX, log_return / usual))
        self._bars_since = [bars + 1 for bars in self._bars_since]
        for number, witness in enumerate(self._witnesses):
            if witness.update(deviations):
                self._bars_since[number] = 0
        told = [name for name, bars in zip(NAMES, self._bars_since, strict=True) if bars < TOGETHER_BARS]
        if len(told) < WITNESSES_MIN:
            return FINE
        self._bars_since = [TOGETHER_BARS] * len(NAMES)
        return Finding(TRUST_LEFT, f"the market changed, say {' and '.join(told)}")
