"""Change points, third witness: Bayesian online detection (Adams and MacKay, 2007).

How long does the present stretch last already? Each possible length keeps a belief about mean and variance (normal and
inverse gamma) and predicts the next value as Student's t; the lengths that predicted well gain weight. Lengths beyond
the limit share the last place, so the work a bar does not grow.
"""

import math
from typing import Final, NamedTuple

LENGTHS_MAX: Final = 48
HAZARD: Final = 1.0 / 150.0
YOUNG: Final = 4
YOUNG_WEIGHT: Final = 0.6
SETTLED: Final = 16


class Belief(NamedTuple):
    """Hold what a stretch of one length believes: mean, its weight, shape and scale of the variance."""

    mean: float
    weight: float
    shape: float
    scale: float


PRIOR: Final = Belief(0.0, 1.0, 1.0, 1.0)


def _height(freedom: float) -> float:
    return math.exp(math.lgamma((freedom + 1.0) / 2.0) - math.lgamma(freedom / 2.0)) / math.sqrt(freedom * math.pi)


# The height of Student's t at its middle; a place has always learned from as many values as its number.
_HEIGHTS: Final = tuple(_height(2.0 * PRIOR.shape + place) for place in range(LENGTHS_MAX + 1))


class Bayes:
    """Keep the weight and belief of every length."""

    __slots__ = ("_beliefs", "_settled", "_weights")

    def __init__(self) -> None:
        """Begin with a stretch that has just begun."""
        self._weights = [1.0]
        self._beliefs = [PRIOR]
        self._settled = False

    def update(self, deviations: float) -> bool:
        """Take a value, and tell whether a settled stretch has just ended."""
        grown = [
            weight * _density(place, belief, deviations)
            for place, (weight, belief) in enumerate(zip(self._weights, self._beliefs, strict=True))
        ]
        begun = HAZARD * sum(grown)
        weights = [begun, *(weight * (1.0 - HAZARD) for weight in grown)]
        beliefs = [PRIOR, *(_learn(belief, deviations) for belief in self._beliefs)]
        if len(weights) > LENGTHS_MAX:
            weights[-2] += weights[-1]
            del weights[-1], beliefs[-1]
        total = sum(weights)
        self._weights = [weight / total for weight in weights] if total > 0.0 else [1.0]
        self._beliefs = beliefs if total > 0.0 else [PRIOR]
        likeliest = max(range(len(self._weights)), key=self._weights.__getitem__)
        young = sum(self._weights[: YOUNG + 1]) > YOUNG_WEIGHT
        changed = young and self._settled
        self._settled = likeliest >= SETTLED if not changed else False
        return changed


def _density(place: int, belief: Belief, value: float) -> float:
    """Return Student's t density that the belief at a place gives a value."""
    freedom = 2.0 * belief.shape
    spread = belief.scale * (belief.weight + 1.0) / (belief.shape * belief.weight)
    distance = (value - belief.mean) ** 2 / spread
    return _HEIGHTS[place] / math.sqrt(spread) * math.pow(1.0 + distance / freedom, -(freedom + 1.0) / 2.0)


def _learn(belief: Belief, value: float) -> Belief:
    weight = belief.weight + 1.0
    error = value - belief.mean
    return Belief(
        belief.mean + error / weight,
        weight,
        belief.shape + 0.5,
        belief.scale + belief.weight * error * error / (2.0 * weight),
    )
