"""The members of the ensemble and their baselines: each learns from some samples and gives the chances of others."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from appliance.kernels.tree_shap import TreeNodes
from models.training import nets, plan, trees
from models.training.data import Samples

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

MEMBERS: Final = ("trees", "lstm", "gru", "tcn", "transformer", "ar")
NETS: Final = ("lstm", "gru", "tcn", "transformer")
AR_ORDER: Final = 8
HORIZON: Final = 24


class Trained(NamedTuple):
    """Hold a trained member: its ONNX file, its own answers, and the trees themselves where it is made of trees."""

    onnx: Callable[[], bytes]
    predict: Callable[[Singles, Singles], Floats]
    nodes: TreeNodes | None


class Autoregression(nn.Module):
    """Forecast the next day's return from the last returns by a straight line, and turn it into a chance."""

    def __init__(self, weights: Floats, bias: float, slope: float, intercept: float) -> None:
        """Take a forecast and a logistic curve over it."""
        super().__init__()
        self.register_buffer("weights", torch.tensor(slope * weights, dtype=torch.float32))
        self.register_buffer("bias", torch.tensor([slope * bias + intercept], dtype=torch.float32))

    def forward(self, values: Tensor) -> Tensor:
        """Return chances; the first column holds the returns."""
        return torch.sigmoid((values[:, -AR_ORDER:, 0] * self.weights).sum(dim=1, keepdim=True) + self.bias)


def train(name: str, samples: Samples, rows: Integers, target: Floats, size: plan.Size) -> Trained:
    """Train one member on some samples."""
    if name == "trees":
        booster = trees.train(samples.vectors[rows], target)
        nodes = trees.nodes_of(booster)
        return Trained(
            lambda: trees.to_onnx(booster, samples.vectors.shape[1]),
            lambda vectors, _: np.asarray(booster.predict(vectors)),
            nodes,
        )
    net: nn.Module
    if name == "ar":
        net = _autoregression(samples.sequences[rows], target)
    else:
        net = nets.train(name, samples.sequences[rows], target, size)
    return Trained(
        lambda: nets.to_onnx(net, samples.sequences.shape[2]), lambda _, sequences: nets.predict(net, sequences), None
    )


def logistic(samples: Samples, train_rows: Integers, test_rows: Integers, target: Floats) -> Floats:
    """Return the chances a logistic regression on five features gives."""
    places = [plan.VECTOR_COLUMNS.index(name) for name in plan.LOGISTIC_COLUMNS]
    fitted = make_pipeline(StandardScaler(), LogisticRegression(C=1.0))
    fitted.fit(samples.vectors[train_rows][:, places], target)
    return np.asarray(fitted.predict_proba(samples.vectors[test_rows][:, places])[:, 1])


def last_sign(samples: Samples, rows: Integers) -> npt.NDArray[np.bool_]:
    """Tell where the last day's return was positive."""
    return np.asarray(samples.vectors[rows][:, plan.VECTOR_COLUMNS.index("h1_return_24")] > 0.0)


def _autoregression(sequences: Singles, target: Floats) -> Autoregression:
    returns = sequences[:, :, 0].astype(np.float64)
    design = np.column_stack([np.ones(len(returns)), returns[:, -AR_ORDER - 1 : -1]])
    solution, *_ = np.linalg.lstsq(design, returns[:, -1], rcond=None)
    constant, oldest_first = solution[0], solution[1:]
    # The forecast of a day is linear in the last returns: carry the unit vectors a day ahead, adding up as they go.
    states = np.column_stack([np.zeros(AR_ORDER), np.eye(AR_ORDER)]).T
    sums = np.zeros(AR_ORDER + 1)
    for _ in range(HORIZON):
        ahead = states @ oldest_first + constant
        sums += ahead
        states = np.column_stack([states[:, 1:], ahead])
    bias, weights = sums[0], sums[1:] - sums[0]
    forecast = returns[:, -AR_ORDER:] @ weights + bias
    spread = max(float(forecast.std()), 1e-12)
    fitted = LogisticRegression().fit((forecast / spread)[:, None], target)
    return Autoregression(weights, bias, float(fitted.coef_[0, 0]) / spread, float(fitted.intercept_[0]))
