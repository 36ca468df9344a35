"""How alike two instruments moved lately, from their last bar returns."""

from collections.abc import Iterable
from math import isfinite, isnan

import numpy as np

from appliance.kernels import correlation as kernel

WINDOW_BARS = 96
SAMPLES_MIN = 30


class Correlations:
    """Keep the last returns of every instrument, by bar."""

    __slots__ = ("_counts", "_last_ns", "_returns", "_rows", "_starts")

    def __init__(self, instruments: tuple[str, ...]) -> None:
        """Begin without samples."""
        self._rows = {name: row for row, name in enumerate(instruments)}
        self._starts = np.zeros((len(instruments), WINDOW_BARS), np.int64)
        self._returns = np.zeros((len(instruments), WINDOW_BARS))
        self._counts = np.zeros(len(instruments), np.int64)
        self._last_ns = dict.fromkeys(instruments, -1)

    def add(self, instrument: str, start_ns: int, log_return: float) -> None:
        """Add one bar's return; what is not a number, or not newer than the last, is left out."""
        if not isfinite(log_return) or start_ns <= self._last_ns[instrument]:
            return
        row = self._rows[instrument]
        place = int(self._counts[row]) % WINDOW_BARS
        self._starts[row, place], self._returns[row, place] = start_ns, log_return
        self._counts[row] += 1
        self._last_ns[instrument] = start_ns

    def between(self, one: str, other: str) -> float | None:
        """Return Pearson's correlation over the bars both have, or None while there are too few."""
        found = kernel.pearson(
            self._starts, self._returns, self._counts, self._rows[one], self._rows[other], SAMPLES_MIN
        )
        return None if isnan(found) else found

    def highest(self, one: str, others: Iterable[str]) -> float | None:
        """Return the largest correlation, of either sign, with any of the others, or None when one is unknown."""
        rows = np.array([self._rows[other] for other in others], np.int64)
        found = kernel.highest(self._starts, self._returns, self._counts, self._rows[one], rows, SAMPLES_MIN)
        return None if isnan(found) else found
