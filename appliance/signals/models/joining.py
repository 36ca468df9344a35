"""How the members' chances become one: the decision file, read only after its hash was found good.

The stack is a logistic regression over the members' logits; then an isotonic curve of the present regime, or of any
regime where that one was too rare to learn from, says how often such a forecast came true. The edge is what a trade is
then expected to earn after costs, taking a win and a loss as they were on average, in barrier widths.
"""

import json
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from appliance.signals.feature_table import NAMES
from appliance.signals.models.inputs import STEP_BARS
from appliance.signals.regime import HiddenStates

ANY: Final = "any"
CHANCE_MIN: Final = 1e-4
STATES_MAX: Final = 16
HORIZON_BARS: Final = 288
HORIZON_STEPS: Final = HORIZON_BARS // STEP_BARS
WIDTH_MIN: Final = 0.01
WIDTH_MAX: Final = 0.10
VOLATILITY: Final = NAMES.index("h1_volatility")
Floats = npt.NDArray[np.float64]


def barrier_widths(vectors: npt.NDArray[np.float32]) -> Floats:
    """Return the barrier width of each row of features: a day's volatility, within bounds; NaN before it is known."""
    daily = vectors[..., VOLATILITY].astype(np.float64) * np.sqrt(HORIZON_STEPS)
    return np.asarray(np.clip(daily, WIDTH_MIN, WIDTH_MAX))


class Joining(NamedTuple):
    """Hold the stack, its curves, the regime's model and the range every feature had in training."""

    members: tuple[str, ...]
    weights: Floats
    bias: float
    neutral: Floats
    curves: dict[str, tuple[Floats, Floats]]
    win_ratio: float
    loss_ratio: float
    hidden: HiddenStates
    regime_columns: tuple[str, ...]
    low: Floats
    high: Floats
    usual_volatility: float
    cost: float
    trained_from_s: int
    trained_until_s: int

    @property
    def regime_places(self) -> list[int]:
        """Return the columns that the regime's model reads."""
        return [NAMES.index(name) for name in self.regime_columns]

    def logits(self, chances: Floats) -> Floats:
        """Return the logarithm of the odds, kept finite."""
        safe = np.clip(chances, CHANCE_MIN, 1.0 - CHANCE_MIN)
        return np.asarray(np.log(safe / (1.0 - safe)))

    def chance(self, chances: Floats, regime: int) -> float:
        """Return the joined, calibrated chance of one row of members' chances."""
        raw = float(1.0 / (1.0 + np.exp(-(self.logits(chances) @ self.weights + self.bias))))
        curve = self.curves.get(self.hidden.names[regime], self.curves[ANY])
        return float(np.interp(raw, *curve))

    def edge(self, chance: float, width: float) -> float:
        """Return what a trade is expected to earn, net, as a share of its size."""
        return (chance * self.win_ratio - (1.0 - chance) * self.loss_ratio) * width


def parse(data: bytes) -> Joining | str:
    """Return what the decision file says, or why it cannot be used."""
    try:
        document = json.loads(data)
        return _joining(document)
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        return f"is not a decision file: {type(problem).__name__} {str(problem)[:100]}"


def _joining(document: dict[str, Any]) -> Joining:
    stack, regime, ranges = document["stack"], document["regime"], document["ranges"]
    hidden = HiddenStates(
        tuple(str(name) for name in regime["names"]),
        *(_finite(regime[key]) for key in ("start", "transition", "means", "variances", "center", "scale")),
    )
    states, columns = hidden.means.shape
    shapes_good = (
        1 <= states <= STATES_MAX
        and hidden.start.shape == (states,) == (len(hidden.names),)
        and hidden.transition.shape == (states, states)
        and hidden.variances.shape == (states, columns)
        and hidden.center.shape == hidden.scale.shape == (columns,) == (len(regime["columns"]),)
        and bool((hidden.variances > 0.0).all())
    )
    weights = _finite(stack["weights"])
    curves = {str(name): (_finite(curve["x"]), _finite(curve["y"])) for name, curve in stack["curves"].items()}
    rising = all(x.size == y.size > 0 and bool((np.diff(x) >= 0.0).all()) for x, y in curves.values())
    low, high = (np.array([float(ranges[side][name]) for name in NAMES]) for side in ("low", "high"))
    if (
        not shapes_good
        or not rising
        or ANY not in curves
        or {weights.size, len(stack["neutral"])} != {len(stack["members"])}
    ):
        raise ValueError("the shapes of its parts do not fit each other")
    return Joining(
        tuple(str(name) for name in stack["members"]),
        weights,
        float(stack["bias"]),
        _finite(stack["neutral"]),
        curves,
        float(stack["win_ratio"]),
        float(stack["loss_ratio"]),
        hidden,
        tuple(str(name) for name in regime["columns"]),
        low,
        high,
        float(document["usual_volatility"]),
        2.0 * (float(document["costs"]["fee"]) + float(document["costs"]["slip"])),
        int(document["trained_from_s"]),
        int(document["trained_until_s"]),
    )


def _finite(values: Any) -> Floats:  # noqa: ANN401 - whatever the file holds
    array = np.array(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError("a number is not finite")
    return array
