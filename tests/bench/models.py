"""What the models cost: a window through the LSTM, a bar's features, a whole answer. The trees: see models_peer."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from appliance.kernels import model_features
from appliance.signals.models.inputs import HOURS, STEPS, ModelInputs, Step
from appliance.signals.models.installed import models_folder, trusted_key
from appliance.signals.models.panel import Panel
from appliance.signals.models.registry import Registry, load
from tests.bench.figures import Figure, figure, show

ROUNDS = 7
RUNS = 300
BARS = 20_000


def measure() -> list[Figure]:
    """Return the figures."""
    registry = load(models_folder(), trusted_key())
    lstm, small = by_turns(model(registry, "lstm"), model(registry, "lstm-int8"))
    single, features = serving()
    return [
        figure("models: LSTM 2x128, one window, fp32", lstm, "µs"),
        figure("models: LSTM 2x128, one window, int8", small, "µs"),
        figure("models: LSTM fp32 over int8", lstm / small, "x", 1.4),
        figure("models: features of one bar, p99", single, "µs", 100),
        figure("models: features in batch, a bar", features, "µs"),
        figure("models: a whole answer with reasons, p50", answering(registry), "µs"),
    ]


def model(registry: Registry, name: str) -> Callable[[], object]:
    """Return one inference of a model of sequences."""
    loaded = registry.models[name]
    shape = (1, STEPS, len(loaded.places))
    row = np.random.default_rng(1).normal(0.0, 0.01, shape).astype(np.float32)
    return lambda: loaded.model.infer(row)


def each_us(run: Callable[[], object], runs: int) -> float:
    """Return the median of what one run takes: other work on the machine lengthens some runs, not the median."""
    taken = []
    for _ in range(runs):
        began_ns = time.perf_counter_ns()
        run()
        taken.append(time.perf_counter_ns() - began_ns)
    return statistics.median(taken) / 1_000


def by_turns(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    """Return the medians of two things measured turn about."""
    pairs = [(each_us(one, RUNS), each_us(other, RUNS)) for _ in range(ROUNDS)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def serving() -> tuple[float, float]:
    """Return the slowest hundredth of single bars, and what a bar takes in a batch."""
    draw = np.random.default_rng(2)
    closes = 100.0 * np.exp(np.cumsum(draw.normal(0.0, 0.001, BARS)))
    bars = np.column_stack([closes, closes * 1.001, closes * 0.999, closes, draw.exponential(1.0, BARS)])
    starts_s = 300 * np.arange(1, BARS + 1)
    inputs, book, taken = ModelInputs(300), (99.0, 1.0, 101.0, 1.0), []
    singles: list[Any] = bars.tolist()
    for start_s, bar in zip(starts_s.tolist(), singles, strict=True):
        began_ns = time.perf_counter_ns()
        inputs.add(start_s, tuple(bar), book)
        taken.append((time.perf_counter_ns() - began_ns) / 1_000)
    table = np.empty((BARS, model_features.OUT_LENGTH))
    batch = each_us(lambda: model_features.fold_all(starts_s, 300, bars, table), 3) / BARS
    return float(np.quantile(taken[1_000:], 0.99)), batch


def answering(registry: Registry) -> float:
    """Return the median of a whole answer: vetoes, nine models, regime, stack, calibration and reasons."""
    panel = Panel(registry)
    joined = registry.joined
    middle = np.clip((joined.low + joined.high) / 2.0, -1.0, 1.0).astype(np.float32)
    step = Step(0, np.tile(middle, (HOURS, 1)))
    if panel.answer([("bench", step)])[0].vetoed:
        raise RuntimeError("the bench's own step was vetoed")
    return statistics.median(each_us(lambda: panel.answer([("bench", step)]), 20) for _ in range(ROUNDS))


if __name__ == "__main__":
    show(measure())
