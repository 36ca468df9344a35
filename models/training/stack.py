"""Join the members: a logistic regression over their logits, then an isotonic curve for each regime."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from models.training import plan

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

ROWS_PER_REGIME_MIN: Final = 1_500
STRENGTH: Final = 0.05
CHANCE_MIN: Final = 1e-4
ANY: Final = "any"


class Stack(NamedTuple):
    """Hold a fitted stack: what the appliance needs to repeat it."""

    weights: list[float]
    bias: float
    neutral: list[float]
    curves: dict[str, tuple[list[float], list[float]]]
    win_ratio: float
    loss_ratio: float

    def document(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Return it as the decision file holds it."""
        return {
            "members": list(names),
            "weights": self.weights,
            "bias": self.bias,
            "neutral": self.neutral,
            "curves": {state: {"x": x, "y": y} for state, (x, y) in self.curves.items()},
            "win_ratio": self.win_ratio,
            "loss_ratio": self.loss_ratio,
        }


def logits(chances: Floats) -> Floats:
    """Return the logarithm of the odds."""
    safe = np.clip(chances, CHANCE_MIN, 1.0 - CHANCE_MIN)
    return np.asarray(np.log(safe / (1.0 - safe)))


def fit(chances: Floats, won: Floats, regimes: Integers, names: tuple[str, ...], ratios: tuple[float, float]) -> Stack:
    """Fit the weights, then the curves, on chances that were given out of sample; a column a member."""
    model = LogisticRegression(C=STRENGTH).fit(logits(chances), won)
    raw = model.predict_proba(logits(chances))[:, 1]
    curves = {ANY: _curve(raw, won)}
    for state in range(plan.STATES):
        rows = regimes == state
        if rows.sum() >= ROWS_PER_REGIME_MIN:
            curves[names[state]] = _curve(raw[rows], won[rows])
    neutral = logits(chances).mean(axis=0).tolist()
    return Stack(model.coef_[0].tolist(), float(model.intercept_[0]), neutral, curves, *ratios)


def raw_chances(stack: Stack, chances: Floats) -> Floats:
    """Return the stacked chances before calibration."""
    return np.asarray(1.0 / (1.0 + np.exp(-(logits(chances) @ np.array(stack.weights) + stack.bias))))


def calibrated(stack: Stack, chances: Floats, regimes: Integers, names: tuple[str, ...]) -> Floats:
    """Return the stacked chances after the curve of each one's regime."""
    raw = raw_chances(stack, chances)
    found = np.interp(raw, *stack.curves[ANY])
    for state, name in enumerate(names):
        if name in stack.curves:
            rows = regimes == state
            found[rows] = np.interp(raw[rows], *stack.curves[name])
    return np.asarray(found)


def ratios_of(net: Floats, widths: Floats) -> tuple[float, float]:
    """Return what a win and a loss come to on average, in barrier widths."""
    shares = net / widths
    return float(shares[net > 0.0].mean()), float(-shares[net <= 0.0].mean())


def _curve(raw: Floats, won: Floats) -> tuple[list[float], list[float]]:
    fitted = IsotonicRegression(y_min=0.02, y_max=0.98, out_of_bounds="clip").fit(raw, won)
    return fitted.X_thresholds_.tolist(), fitted.y_thresholds_.tolist()
