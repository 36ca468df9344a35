"""Bars for the layers of quality: an honest random market, and ways to spoil it."""

from dataclasses import dataclass, field

import numpy as np

from appliance.market.bars import Bar
from appliance.market.quality.watch import QualityWatch

BAR_NS = 60_000_000_000
TICKS = 6_000_000


@dataclass
class Market:
    """Make bars of a random walk, one after the other."""

    seed: int = 0
    deviation: float = 0.001
    close: float = float(TICKS)
    start_ns: int = 10**18
    draw: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        """Begin the walk."""
        self.draw = np.random.default_rng(self.seed)

    def bar(self, gap_bars: int = 0, drift: float = 0.0) -> Bar:
        """Return the next bar."""
        opened = round(self.close)
        self.close *= float(np.exp(self.draw.normal(drift, self.deviation)))
        close = round(self.close)
        above, below = np.abs(self.draw.normal(0.0, self.deviation / 2.0, 2))
        high, low = round(max(opened, close) * (1.0 + above)), round(min(opened, close) * (1.0 - below))
        self.start_ns += BAR_NS * (1 + gap_bars)
        volume = round(float(np.exp(self.draw.normal(12.0, 1.5))))
        return Bar("X", self.start_ns, opened, high, low, close, volume, 9, gap_bars)


def watched(market: Market, count: int) -> QualityWatch:
    """Return a watch that has seen so many bars of a market."""
    watch = QualityWatch(BAR_NS)
    for _ in range(count):
        bar = market.bar()
        watch.update(bar, bar.start_ns)
    return watch
