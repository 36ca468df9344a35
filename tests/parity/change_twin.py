"""The change points in plain Python, as the papers write them: the oracle of the kernels."""

import math
from typing import Final, NamedTuple

from appliance.kernels.changes import (
    HAZARD,
    LENGTHS_MAX,
    PENALTY,
    SETTLED,
    STRETCH_MIN,
    VARIANCE_MIN,
    YOUNG,
    YOUNG_WEIGHT,
)


class Belief(NamedTuple):
    """Hold what a stretch of one length believes: mean, its weight, shape and scale of the variance."""

    mean: float
    weight: float
    shape: float
    scale: float


PRIOR: Final = Belief(0.0, 1.0, 1.0, 1.0)


class Bayes:
    """Keep the weight and belief of every length."""

    def __init__(self) -> None:
        """Begin with a stretch that has just begun."""
        self.weights = [1.0]
        self.beliefs = [PRIOR]
        self._settled = False

    def update(self, deviations: float) -> bool:
        """Take a value, and tell whether a settled stretch has just ended."""
        grown = [
            weight * density(belief, deviations) for weight, belief in zip(self.weights, self.beliefs, strict=True)
        ]
        begun = 0.0
        for weight in grown:
            begun += weight
        weights = [HAZARD * begun, *(weight * (1.0 - HAZARD) for weight in grown)]
        beliefs = [PRIOR, *(learn(belief, deviations) for belief in self.beliefs)]
        if len(weights) > LENGTHS_MAX:
            weights[-2] += weights[-1]
            del weights[-1], beliefs[-1]
        total = 0.0
        for weight in weights:
            total += weight
        self.weights = [weight / total for weight in weights] if total > 0.0 else [1.0]
        self.beliefs = beliefs if total > 0.0 else [PRIOR]
        likeliest = self.weights.index(max(self.weights))
        young = 0.0
        for weight in self.weights[: YOUNG + 1]:
            young += weight
        changed = young > YOUNG_WEIGHT and self._settled
        self._settled = likeliest >= SETTLED and not changed
        return changed


def density(belief: Belief, value: float) -> float:
    """Return Student's t density that a belief gives a value."""
    freedom = 2.0 * belief.shape
    spread = belief.scale * (belief.weight + 1.0) / (belief.shape * belief.weight)
    error = value - belief.mean
    distance = error * error / spread
    height = math.exp(math.lgamma((freedom + 1.0) / 2.0) - math.lgamma(freedom / 2.0)) / math.sqrt(freedom * math.pi)
    return height / math.sqrt(spread) * math.pow(1.0 + distance / freedom, -(freedom + 1.0) / 2.0)


def learn(belief: Belief, value: float) -> Belief:
    """Return a belief that has seen one value more."""
    weight = belief.weight + 1.0
    error = value - belief.mean
    return Belief(
        belief.mean + error / weight,
        weight,
        belief.shape + 0.5,
        belief.scale + belief.weight * error * error / (2.0 * weight),
    )


def last_change(values: tuple[float, ...]) -> int:
    """Return where the newest stretch of the best cut begins; 0 when nothing changes."""
    sums, squares = [0.0], [0.0]
    for value in values:
        sums.append(sums[-1] + value)
        squares.append(squares[-1] + value * value)
    penalty = PENALTY * math.log(len(values))
    best = [-penalty] + [math.inf] * len(values)
    before = [0] * (len(values) + 1)
    starts = [0]
    for end in range(STRETCH_MIN, len(values) + 1):
        costs = [best[start] + _cost(sums, squares, start, end) for start in starts]
        least = min(costs)
        best[end] = least + penalty
        before[end] = starts[costs.index(least)]
        starts = [start for start, cost in zip(starts, costs, strict=True) if cost <= best[end]]
        if end + 1 - STRETCH_MIN >= STRETCH_MIN:
            starts.append(end + 1 - STRETCH_MIN)
    return before[-1]


def _cost(sums: list[float], squares: list[float], start: int, end: int) -> float:
    count = end - start
    mean = (sums[end] - sums[start]) / count
    variance = (squares[end] - squares[start]) / count - mean * mean
    return count * math.log(max(variance, VARIANCE_MIN))
