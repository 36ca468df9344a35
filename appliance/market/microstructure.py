"""The figures of one instrument's book and flow, kept up to date by the step: one kernel call a message."""

import math
from typing import Final

import numpy as np

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.kernels import microstructure as kernel
from appliance.kernels.book import Integers

HALF_LIFE_NS: Final = 10 * NANOSECONDS_PER_SECOND
# In the order of the kernel's figures, the last from trades.
NAMES: Final = (
    "microprice_ticks",
    "micro_momentum_ticks",
    "mid_ticks",
    "spread_ticks",
    "imbalance_best",
    "imbalance_all",
    "flow_imbalance_best_lots",
    "flow_imbalance_all_lots",
    "bid_depth_lots",
    "ask_depth_lots",
    "bid_slope_ticks_per_lot",
    "ask_slope_ticks_per_lot",
    "vpin",
)


class Microstructure:
    """Follow one instrument's book and trades."""

    __slots__ = ("_fresh", "_half_life_ns", "_out", "_ring", "_state", "_vpin_state", "vpin")

    def __init__(self, half_life_ns: int = HALF_LIFE_NS) -> None:
        """Begin without figures: each is NaN until it means something."""
        self._half_life_ns = float(half_life_ns)
        self._state = np.zeros(kernel.STATE_LENGTH)
        self._fresh = np.zeros(4 * kernel.LEVELS)
        self._out = np.full(kernel.OUT_LENGTH, np.nan)
        self._vpin_state = np.zeros(kernel.VPIN_LENGTH)
        self._ring = np.zeros(kernel.BUCKETS)
        self.vpin = float("nan")

    def update(self, rows: Integers, row: int) -> bool:
        """Take a live book in after a message was applied to it; tell whether it has two sides."""
        return kernel.look(self._state, rows, row, self._half_life_ns, self._fresh, self._out)

    def forget(self) -> None:
        """Believe nothing of a book that is not live any more; what trades said stays."""
        self._state[:] = 0.0
        self._out[:] = np.nan

    def traded(self, price_ticks: int, size_lots: int) -> None:
        """Take one believed trade in."""
        self.vpin = kernel.vpin(self._vpin_state, self._ring, float(price_ticks), float(size_lots))

    def figures(self) -> dict[str, float]:
        """Return every figure by its name."""
        return dict(zip(NAMES, (*self._out.tolist(), self.vpin), strict=True))

    @property
    def microprice_ticks(self) -> float:
        """Return the price between the best two, nearer to the side with less size."""
        return float(self._out[kernel.MICROPRICE])

    @property
    def pressure(self) -> float:
        """Return which way the book leans, from -1 (selling) to 1: what rests on it and what was added; NaN unknown."""
        resting, flow = float(self._out[kernel.IMBALANCE_ALL]), self.flow_imbalance
        return (resting + min(max(flow, -1.0), 1.0)) / 2.0 if math.isfinite(resting + flow) else math.nan

    @property
    def flow_imbalance(self) -> float:
        """Return the fading order flow imbalance over all levels, as a share of what is on them."""
        return float(self._out[kernel.OFI_ALL] / (self._out[kernel.DEPTH_BID] + self._out[kernel.DEPTH_ASK]))
