"""The running features of one instrument: indicators of the catalogue, fused into one program, one call per bar."""

from typing import Final

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.market.bars import Bar
from appliance.signals.figures import Figures
from appliance.signals.indicators.catalogue import Wanted, fuse
from appliance.signals.indicators.compute import Stream
from appliance.signals.timeframes import Confluence, Timeframes

FAST_BARS: Final = 5
SLOW_BARS: Final = 13
RANGE_BARS: Final = 10
WINDOW_BARS: Final = 14
CHANNEL_BARS: Final = 20
CROSS_BARS: Final = (10, 30)
_MINUTE_NS: Final = 60 * NANOSECONDS_PER_SECOND

(FAST, SLOW, RANGE, MEAN, DEVIATION, RETURN, CHANNEL_TOP, _, CHANNEL_BOTTOM, QUICK, CALM, RATE, DIRECTED) = range(13)
LIVE: Final = (
    Wanted("ema", {"length": FAST_BARS}),
    Wanted("ema", {"length": SLOW_BARS}),
    Wanted("atr", {"length": RANGE_BARS}),
    Wanted("sma", {"length": WINDOW_BARS}),
    Wanted("stddev", {"length": WINDOW_BARS}),
    Wanted("log_return"),
    Wanted("donchian", {"length": CHANNEL_BARS}),
    Wanted("sma", {"length": CROSS_BARS[0]}),
    Wanted("sma", {"length": CROSS_BARS[1]}),
    Wanted("roc", {"length": WINDOW_BARS}),
    Wanted("adx", {"length": WINDOW_BARS}),
)


class Features:
    """Keep one instrument's features up to the last closed bar; what is not warm yet is NaN."""

    __slots__ = ("_before", "_stream", "_timeframes", "_values", "close", "figures")

    def __init__(self, bar_ns: int = _MINUTE_NS, figures: Figures | None = None) -> None:
        """Begin cold, with bars of a length; what they draw is followed only where figures are given."""
        self._stream = Stream(fuse(LIVE))
        self._timeframes = Timeframes(bar_ns)
        self._values: list[float] = self._stream.values.tolist()
        self._before = self._values
        self.close = float("nan")
        self.figures = figures

    def update(self, bar: Bar) -> None:
        """Fold one closed bar in."""
        self._before = self._values
        self.close = float(bar.close_ticks)
        self._stream.update(bar.open_ticks, bar.high_ticks, bar.low_ticks, self.close, bar.volume_lots)
        self._values = self._stream.values.tolist()
        self._timeframes.update(bar)
        if self.figures is not None:
            self.figures.update(bar)

    @property
    def fast(self) -> float:
        """Return the fast exponential average of the close."""
        return self._values[FAST]

    @property
    def slow(self) -> float:
        """Return the slow exponential average of the close."""
        return self._values[SLOW]

    @property
    def true_range(self) -> float:
        """Return the average true range in ticks."""
        return self._values[RANGE]

    @property
    def deviations_from_mean(self) -> float:
        """Return how many standard deviations the close is above its mean; NaN when it never moved."""
        deviation = self._values[DEVIATION]
        return (self.close - self._values[MEAN]) / deviation if deviation > 0.0 else float("nan")

    @property
    def log_return(self) -> float:
        """Return the last bar's logarithmic return."""
        return self._values[RETURN]

    @property
    def channel_before(self) -> tuple[float, float]:
        """Return the lowest and the highest price of the bars before the last one."""
        return self._before[CHANNEL_BOTTOM], self._before[CHANNEL_TOP]

    @property
    def mean_gap(self) -> tuple[float, float]:
        """Return by how much the quick mean was above the calm one a bar ago, and is now."""
        return self._before[QUICK] - self._before[CALM], self._values[QUICK] - self._values[CALM]

    @property
    def rate_percent(self) -> float:
        """Return the change of the close over the window in percent."""
        return self._values[RATE]

    @property
    def directed(self) -> float:
        """Return the average directional index: how much of a trend there is, up or down."""
        return self._values[DIRECTED]

    @property
    def confluence(self) -> Confluence:
        """Return how several timeframes point together."""
        return self._timeframes.confluence
