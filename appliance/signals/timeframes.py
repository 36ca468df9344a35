"""Several timeframes at once: how strongly 5 minutes, 15 minutes and an hour point the same way.

Each timeframe joins the bars it is given into its own and folds only finished ones into its indicators: nothing of an
unfinished hour is ever seen. A joined bar is finished when the last bar of its period closes, or, where that bar is
missing, when a later one comes.
"""

import math
from typing import Final, NamedTuple

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.errors import IndicatorError
from appliance.market.bars import Bar
from appliance.signals.indicators.catalogue import Wanted
from appliance.signals.indicators.compute import stream

_MINUTE_NS: Final = 60 * NANOSECONDS_PER_SECOND
_FAST, _SLOW, _RANGE = range(3)
_INDICATORS: Final = (Wanted("ema", {"length": 8}), Wanted("ema", {"length": 21}), Wanted("atr", {"length": 14}))


class Timeframe(NamedTuple):
    """Name the length of a timeframe's bars and what its opinion weighs."""

    length_ns: int
    weight: float


TIMEFRAMES: Final = (
    Timeframe(5 * _MINUTE_NS, 0.2),
    Timeframe(15 * _MINUTE_NS, 0.3),
    Timeframe(60 * _MINUTE_NS, 0.5),
)


class Confluence(NamedTuple):
    """Hold the weighed direction (-1 to 1) and the weight of the timeframes that agree with its sign (0 to 1)."""

    direction: float
    alignment: float


UNKNOWN: Final = Confluence(math.nan, math.nan)


class Timeframes:
    """Keep several timeframes of one instrument up to its last closed bar."""

    __slots__ = ("_frames",)

    def __init__(self, bar_ns: int, timeframes: tuple[Timeframe, ...] = TIMEFRAMES) -> None:
        """Take the length of the bars that will come; timeframes shorter than that are left out."""
        usable = [frame for frame in timeframes if frame.length_ns >= bar_ns]
        if any(frame.length_ns % bar_ns for frame in usable):
            raise IndicatorError(f"Bars of {bar_ns} ns do not fill every timeframe: choose a length that divides them.")
        self._frames = [_Frame(frame, bar_ns) for frame in usable]

    def update(self, bar: Bar) -> None:
        """Fold one closed bar in."""
        for frame in self._frames:
            frame.update(bar)

    @property
    def confluence(self) -> Confluence:
        """Return how the timeframes stand together; unknown until each is warm."""
        weight = sum(frame.weight for frame in self._frames)
        if weight <= 0.0:
            return UNKNOWN
        parts = [(frame.weight / weight, frame.direction()) for frame in self._frames]
        direction = sum(share * part for share, part in parts)
        if math.isnan(direction):
            return UNKNOWN
        return Confluence(direction, sum(share for share, part in parts if part * direction > 0.0))


class _Frame:
    """Join bars into one timeframe's and keep its indicators."""

    __slots__ = ("_bar_ns", "_joined", "_length_ns", "_period", "_stream", "weight")

    def __init__(self, timeframe: Timeframe, bar_ns: int) -> None:
        self._length_ns = timeframe.length_ns
        self._bar_ns = bar_ns
        self.weight = timeframe.weight
        self._stream = stream(_INDICATORS)
        self._period = -1
        self._joined = (0, 0, 0, 0, 0)

    def update(self, bar: Bar) -> None:
        period = bar.start_ns // self._length_ns
        if period != self._period:
            self._finish()
            self._period = period
            self._joined = (bar.open_ticks, bar.high_ticks, bar.low_ticks, bar.close_ticks, bar.volume_lots)
        else:
            opened, high, low, _, volume = self._joined
            self._joined = (
                opened,
                max(high, bar.high_ticks),
                min(low, bar.low_ticks),
                bar.close_ticks,
                volume + bar.volume_lots,
            )
        if (bar.start_ns + self._bar_ns) % self._length_ns == 0:
            self._finish()

    def _finish(self) -> None:
        if self._period >= 0:
            self._stream.update(*self._joined)
            self._period = -1

    def direction(self) -> float:
        """Return the lead of the fast average in average ranges, cut at one."""
        values = self._stream.values
        reach = values[_RANGE]
        if not reach > 0.0:
            return math.nan
        return float(max(min((values[_FAST] - values[_SLOW]) / reach, 1.0), -1.0))
