"""Eight basic indicators over a million rows beside TA-Lib, both allocating their results, alternating in one run.

The values of both sides are compared first; a figure of a wrong result would say nothing. The fused figure is one
program that computes all eight in one pass, against the sum of TA-Lib's eight calls.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import talib

from appliance.signals.indicators.catalogue import CATALOGUE, Wanted, fuse
from appliance.signals.indicators.compute import Stream, run
from tests.bench.figures import Figure, figure, show

Rows = np.ndarray[Any, np.dtype[np.float64]]
Answer = Rows | list[Rows] | tuple[Rows, ...]
ROWS: Final = 1_000_000
ROUNDS: Final = 9
BARS: Final = 20_000
BASICS: Final = ("sma", "ema", "rsi", "macd", "bbands", "atr", "adx", "stoch")
EQUAL: Final = 1e-9


def market(rows: int) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    """Return a random market."""
    generator = np.random.default_rng(20_240_808)
    close = 50_000.0 * np.exp(np.cumsum(generator.normal(0.0, 1e-3, rows)))
    opened = np.roll(close, 1)
    reach = close * generator.exponential(5e-4, rows)
    return {
        "open": opened,
        "high": np.maximum(opened, close) + reach,
        "low": np.minimum(opened, close) - reach,
        "close": close,
        "volume": generator.uniform(0.1, 10.0, rows),
    }


def timed(compute: Callable[[], Any]) -> tuple[float, Any]:
    """Return the milliseconds one run takes, and its result."""
    before_ns = time.perf_counter_ns()
    result = compute()
    return (time.perf_counter_ns() - before_ns) / 1e6, result


def peer(name: str, data: dict[str, Any]) -> Callable[[], Any]:
    """Return TA-Lib's call of a row of the catalogue."""
    row = CATALOGUE[name]
    function = getattr(talib, row.oracle)
    inputs = [data[word] for word in row.inputs.split()]
    values = [int(p.default) if p.whole else p.default for p in row.parameters]
    return lambda: function(*inputs, *values)


def differ(ours: Rows, theirs: Answer) -> float:
    """Return the largest difference, relative to the value or to its usual size where it is near zero."""
    rows = theirs if isinstance(theirs, list | tuple) else [theirs]
    worst = 0.0
    for a, b in zip(ours, rows, strict=True):
        known = ~np.isnan(b)
        if not np.array_equal(known, ~np.isnan(a)):
            return float("inf")
        scale = np.maximum(np.abs(b[known]), np.mean(np.abs(b[known])))
        worst = max(worst, float(np.max(np.abs(a[known] - b[known]) / scale)))
    return worst


def compared(data: dict[str, Any]) -> list[Figure]:
    """Measure each of the eight, and all in one program."""
    figures, ours_sum, theirs_sum = [], 0.0, 0.0
    programs = {name: fuse((Wanted(name),)) for name in BASICS}
    fused = fuse([Wanted(name) for name in BASICS])
    costs: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in BASICS}
    fused_costs = []
    for _ in range(ROUNDS):
        for name, program in programs.items():
            ours_ms, ours = timed(lambda program=program: run(program, data))  # type: ignore[misc]
            theirs_ms, theirs = timed(peer(name, data))
            costs[name][0].append(ours_ms)
            costs[name][1].append(theirs_ms)
            if not differ(ours, theirs) <= EQUAL:
                raise ValueError(f"{name} differs from TA-Lib by {differ(ours, theirs)}")
            del ours, theirs
        fused_ms, _ = timed(lambda: run(fused, data))
        fused_costs.append(fused_ms)
    for name, (mine, others) in costs.items():
        ours_ms, theirs_ms = statistics.median(mine), statistics.median(others)
        ours_sum, theirs_sum = ours_sum + ours_ms, theirs_sum + theirs_ms
        figures.append(figure(f"{name}, {ROWS:,} rows (TA-Lib {theirs_ms:.2f} ms)", ours_ms, "ms"))
        figures.append(figure(f"{name}, times TA-Lib's speed", theirs_ms / ours_ms, "x", 0.95))
    figures.append(figure("eight basics, times TA-Lib's speed", theirs_sum / ours_sum, "x", 1.5))
    figures.append(
        figure("eight basics in one program, times TA-Lib's", theirs_sum / statistics.median(fused_costs), "x", 1.6)
    )
    return figures


def live(data: dict[str, Any]) -> list[Figure]:
    """Measure one bar through the eight, and through the whole catalogue."""
    rows = np.column_stack([data[word][:BARS] for word in ("open", "high", "low", "close", "volume")]).tolist()
    figures = []
    for title, names in (("eight basics", BASICS), ("150 indicators", tuple(CATALOGUE)[:150])):
        stream = Stream(fuse([Wanted(name) for name in names]))
        costs = []
        for row in rows:
            before_ns = time.perf_counter_ns()
            stream.update(*row)
            costs.append(time.perf_counter_ns() - before_ns)
        costs.sort()
        figures.append(figure(f"one bar through {title}, p50", costs[len(costs) // 2], "ns"))
        figures.append(figure(f"one bar through {title}, p99", costs[len(costs) * 99 // 100], "ns", 100_000.0))
    return figures


def measure() -> list[Figure]:
    """Measure all."""
    data = market(ROWS)
    return compared(data) + live(data)


if __name__ == "__main__":
    show(measure())
