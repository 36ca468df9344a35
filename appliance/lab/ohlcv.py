"""Bars as the laboratory judges models on them: whole seconds, five columns, every figure known, and their length."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from appliance.core.errors import ApplianceError
from appliance.market import bar_table

_VOLUME = 4
_MS_PER_SECOND = 1_000

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class BarFileError(ApplianceError):
    """Report a file of bars that cannot be used."""


class BarSeries(NamedTuple):
    """Hold bars in order of time: when each begins, and open, high, low, close, volume in five columns."""

    starts_s: Integers
    bars: Floats
    base_s: int

    @property
    def holes_count(self) -> int:
        """Return how many bars are missing between the first and the last."""
        span = int(self.starts_s[-1] - self.starts_s[0]) // self.base_s + 1
        return span - self.starts_s.size

    def between(self, from_s: int, to_s: int) -> "BarSeries":
        """Return the bars that begin in `[from_s, to_s)`."""
        kept = (self.starts_s >= from_s) & (self.starts_s < to_s)
        return BarSeries(self.starts_s[kept], self.bars[kept], self.base_s)


def read_bars(path: Path) -> BarSeries:
    """Return the bars in a CSV or Parquet file; a model needs every figure of every bar."""
    table, _ = bar_table.read_market(path, (bar_table.VOLUME,))
    if len(table.time_ms) < 2:  # noqa: PLR2004 - two bars are the least that has a length
        raise BarFileError(f"{path} holds {len(table.time_ms)} bars; at least two are needed")
    bars = np.column_stack(table[1:])
    unknown = ~np.isfinite(bars).all(axis=1)
    if unknown.any():
        raise BarFileError(f"{path}: bar {int(unknown.argmax()) + 1} has a value that is not a number")
    starts_s = table.time_ms // _MS_PER_SECOND
    steps = np.diff(starts_s)
    if steps.min() == 0:
        raise BarFileError(f"{path}: bar {int(steps.argmin()) + 2} begins in the second of the one before")
    return BarSeries(starts_s, bars, int(steps.min()))


def resampled(series: BarSeries, base_s: int) -> BarSeries:
    """Return the series in longer bars; a bar is made of whatever its span holds."""
    if series.base_s == base_s:
        return series
    if series.base_s > base_s or base_s % series.base_s:
        raise BarFileError(
            f"bars of {series.base_s} s cannot be made into the {base_s} s that the models need; give shorter ones"
        )
    buckets = series.starts_s // base_s
    firsts = np.flatnonzero(np.r_[True, buckets[1:] != buckets[:-1]])
    lasts = np.r_[firsts[1:], buckets.size] - 1
    bars = np.column_stack(
        [
            series.bars[firsts, 0],
            np.maximum.reduceat(series.bars[:, 1], firsts),
            np.minimum.reduceat(series.bars[:, 2], firsts),
            series.bars[lasts, 3],
            np.add.reduceat(series.bars[:, _VOLUME], firsts),
        ]
    )
    return BarSeries(buckets[firsts] * base_s, bars, base_s)
