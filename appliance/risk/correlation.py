"""How alike two instruments moved lately, from their last bar returns."""

from collections import deque
from math import isfinite, sqrt

WINDOW_BARS = 96
SAMPLES_MIN = 30


class Correlations:
    """Keep the last returns of every instrument, by bar."""

    __slots__ = ("_returns",)

    def __init__(self, instruments: tuple[str, ...]) -> None:
        """Begin without samples."""
        self._returns: dict[str, deque[tuple[int, float]]] = {name: deque(maxlen=WINDOW_BARS) for name in instruments}

    def add(self, instrument: str, start_ns: int, log_return: float) -> None:
        """Add one bar's return; what is not a number is left out."""
        if isfinite(log_return):
            self._returns[instrument].append((start_ns, log_return))

    def between(self, one: str, other: str) -> float | None:
        """Return Pearson's correlation over the bars both have, or None while there are too few."""
        ours, theirs = dict(self._returns[one]), dict(self._returns[other])
        common = ours.keys() & theirs.keys()
        if len(common) < SAMPLES_MIN:
            return None
        ordered = sorted(common)
        return _pearson([ours[start] for start in ordered], [theirs[start] for start in ordered])


def _pearson(left: list[float], right: list[float]) -> float | None:
    mean_left = sum(left) / len(left)
    mean_right = sum(right) / len(right)
    covariance = sum((a - mean_left) * (b - mean_right) for a, b in zip(left, right, strict=True))
    variance_left = sum((a - mean_left) ** 2 for a in left)
    variance_right = sum((b - mean_right) ** 2 for b in right)
    if variance_left == 0.0 or variance_right == 0.0:
        return None
    return covariance / sqrt(variance_left * variance_right)
