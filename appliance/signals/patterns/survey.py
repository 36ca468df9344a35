"""Everything that is found in a stretch of bars: shapes, candlesticks, and the levels as they stand at its end."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np

from appliance.kernels.patterns.candles import CANDLES, find_candles
from appliance.kernels.patterns.swings import RANGE_BARS
from appliance.market.bar_table import BarTable
from appliance.signals.patterns.finder import REACHES, Match, find_patterns, find_swings
from appliance.signals.patterns.levels import Level, clusters, fibonacci

KINDS: Final = ("reversal", "lines", "pole", "harmonic", "Elliott", "candles", "levels", "fibonacci")
# Half a true range is how exactly a market can be said to turn at one price.
LEVEL_WIDTH_RANGES: Final = 0.5


class CandleMatch(msgspec.Struct, frozen=True):
    """Hold one candlestick pattern and the bar at which it is complete."""

    name: str
    words: str
    bar: int
    bars: int
    strength: int


class Survey(msgspec.Struct, frozen=True):
    """Carry what was found."""

    shapes: tuple[Match, ...]
    candles: tuple[CandleMatch, ...]
    levels: tuple[Level, ...]


def survey(table: BarTable, kinds: Sequence[str], quality_min: float) -> Survey:
    """Return what the bars hold of these kinds."""
    bars = (table.high, table.low, table.close)
    shapes = tuple(match for match in find_patterns(bars, REACHES, quality_min) if match.family in kinds)
    candles = tuple(_candles(table)) if "candles" in kinds else ()
    return Survey(shapes, candles, tuple(_levels(table, kinds, quality_min)))


def _candles(table: BarTable) -> Iterator[CandleMatch]:
    found = find_candles([table.open, table.high, table.low, table.close])
    for bar, number in np.argwhere(found).tolist():
        candle = CANDLES[number]
        yield CandleMatch(candle.name, candle.words, bar, candle.bars, int(found[bar, number]))


def _levels(table: BarTable, kinds: Sequence[str], quality_min: float) -> Iterator[Level]:
    bars = (table.high, table.low, table.close)
    finite = np.isfinite(table.high) & np.isfinite(table.low)
    ranges = table.high[finite][-RANGE_BARS:] - table.low[finite][-RANGE_BARS:]
    width = float(ranges.mean()) * LEVEL_WIDTH_RANGES if len(ranges) else 0.0
    if not width > 0.0:
        return
    if "levels" in kinds:
        found = clusters(find_swings(bars, REACHES[0]), float(table.close[-1]), width)
        yield from (level for level in found if level.quality >= quality_min)
    if "fibonacci" in kinds:
        yield from fibonacci(find_swings(bars, REACHES[-1]), width)
