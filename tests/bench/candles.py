"""All candlestick patterns over one set of bars, beside TA-Lib's 61 calls, turn and turn about."""

import statistics
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import talib

from appliance.kernels.patterns.candles import CANDLES, find_candles, new_state, over, update
from tests.bench.figures import Figure, figure, show

BARS_COUNT = 200_000
SINGLE_BARS_COUNT = 20_000
ROUNDS = 7
TA_LIB_NS = 840
Columns = list[npt.NDArray[np.float64]]


def bars(count: int) -> Columns:
    """Return a random walk on cents with shadows, every tenth bar after a gap."""
    draw = np.random.default_rng(7)
    bodies = draw.integers(-50, 51, count)
    jumps = draw.integers(-50, 51, count) * (draw.integers(0, 10, count) == 0)
    close = 5_000_000 + np.cumsum(bodies + jumps)
    open_ = close - bodies
    high = np.maximum(open_, close) + draw.integers(0, 30, count)
    low = np.minimum(open_, close) - draw.integers(0, 30, count)
    return [np.asarray(column * 0.01, np.float64) for column in (open_, high, low, close)]


def taken_ns(run: Callable[[], object], count: int) -> float:
    """Return how long a run took, a bar."""
    started_ns = time.perf_counter_ns()
    run()
    return (time.perf_counter_ns() - started_ns) / count


def singly(columns: Columns) -> None:
    """Feed bars one call at a time, as the engine does."""
    state, out = new_state(), np.zeros(len(CANDLES), np.int16)
    for open_, high, low, close in zip(*(column.tolist() for column in columns), strict=True):
        update(state, open_, high, low, close, out)


def measure() -> list[Figure]:
    """Return the figures."""
    columns = bars(BARS_COUNT)
    few = [column[:SINGLE_BARS_COUNT] for column in columns]
    functions = [getattr(talib, f"CDL{candle.name}") for candle in CANDLES]
    found = find_candles(columns)
    for number, function in enumerate(functions):
        if not np.array_equal(found[:, number], function(*columns)):
            raise SystemExit(f"{CANDLES[number].name} differs from TA-Lib's: there is nothing to compare")
    singly(few)
    rows = np.empty_like(found)
    timed: dict[str, list[float]] = {"peer": [], "ours": [], "in place": [], "single": []}
    for _ in range(ROUNDS):
        timed["peer"].append(taken_ns(lambda: [function(*columns) for function in functions], BARS_COUNT))
        timed["ours"].append(taken_ns(lambda: find_candles(columns), BARS_COUNT))
        timed["in place"].append(taken_ns(lambda: over(new_state(), rows, *columns), BARS_COUNT))
        timed["single"].append(taken_ns(lambda: singly(few), SINGLE_BARS_COUNT))
    median = {name: statistics.median(values) for name, values in timed.items()}
    return [
        figure("candlesticks: TA-Lib's 61 calls, a bar", median["peer"], "ns"),
        figure("candlesticks: all 61 in one pass, a bar", median["ours"], "ns", TA_LIB_NS),
        figure("candlesticks: the same into an array at hand, a bar", median["in place"], "ns"),
        figure("candlesticks: TA-Lib's time over ours", median["peer"] / median["ours"], "x", 1.0),
        figure("candlesticks: one bar at a time from Python", median["single"], "ns"),
    ]


if __name__ == "__main__":
    show(measure())
