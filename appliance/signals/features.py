"""The running features of one instrument: arrays allocated once, one kernel call per bar."""

import numpy as np

from appliance.kernels import bar_features as kernel
from appliance.market.bars import Bar


class Features:
    """Keep one instrument's features up to the last closed bar."""

    __slots__ = ("_out", "_ring", "_state", "close")

    def __init__(self) -> None:
        """Begin cold: every feature is NaN until its window is full."""
        self._state = np.zeros(kernel.STATE_LENGTH)
        self._ring = np.zeros(kernel.WINDOW_BARS)
        self._out = np.full(kernel.OUT_LENGTH, np.nan)
        self.close = float("nan")

    def update(self, bar: Bar) -> None:
        """Fold one closed bar in."""
        self.close = float(bar.close_ticks)
        kernel.update(
            self._state, self._ring, float(bar.high_ticks), float(bar.low_ticks), float(bar.close_ticks), self._out
        )

    @property
    def fast(self) -> float:
        """Return the fast exponential average of the close."""
        return float(self._out[kernel.OUT_FAST])

    @property
    def slow(self) -> float:
        """Return the slow exponential average of the close."""
        return float(self._out[kernel.OUT_SLOW])

    @property
    def true_range(self) -> float:
        """Return the average true range in ticks."""
        return float(self._out[kernel.OUT_RANGE])

    @property
    def deviations_from_mean(self) -> float:
        """Return how many standard deviations the close is above its mean; NaN when it never moved."""
        deviation = float(self._out[kernel.OUT_DEVIATION])
        return (self.close - float(self._out[kernel.OUT_MEAN])) / deviation if deviation > 0.0 else float("nan")

    @property
    def log_return(self) -> float:
        """Return the last bar's logarithmic return."""
        return float(self._out[kernel.OUT_RETURN])
