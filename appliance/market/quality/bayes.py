"""Change points, third witness: Bayesian online detection (Adams and MacKay, 2007).

How long does the present stretch last already? Each possible length keeps a belief about mean and variance (normal and
inverse gamma) and predicts the next value as Student's t; the lengths that predicted well gain weight. Lengths beyond
the limit share the last place, so the work a bar does not grow. The kernel does the work.
"""

from appliance.kernels import changes as kernel


class Bayes:
    """Keep the weight and belief of every length."""

    __slots__ = ("_rows",)

    def __init__(self) -> None:
        """Begin with a stretch that has just begun."""
        self._rows = kernel.beliefs()

    def update(self, deviations: float) -> bool:
        """Take a value, and tell whether a settled stretch has just ended."""
        return kernel.bayes(self._rows, deviations)

    @property
    def weights(self) -> list[float]:
        """Return how likely each length is, the shortest first."""
        lengths = int(self._rows[-1, kernel.LENGTHS])
        weights: list[float] = self._rows[:lengths, kernel.WEIGHT].tolist()
        return weights
