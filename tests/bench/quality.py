"""What a bar costs in all layers of data quality."""

import time

from tests.bench.figures import Figure, figure, show
from tests.unit.quality.builders import Market, watched

BARS_COUNT = 5_000
REACH_US = 1_000


def measure() -> list[Figure]:
    """Return the figures."""
    market = Market(1)
    watch = watched(market, 500)
    taken = []
    for bar in [market.bar() for _ in range(BARS_COUNT)]:
        started_ns = time.perf_counter_ns()
        watch.update(bar, bar.start_ns)
        taken.append((time.perf_counter_ns() - started_ns) / 1e3)
    taken.sort()
    return [
        figure("quality: all layers, one bar, median", taken[len(taken) // 2], "us", REACH_US),
        figure("quality: all layers, one bar, p99", taken[len(taken) * 99 // 100], "us", REACH_US),
    ]


if __name__ == "__main__":
    show(measure())
