"""What the public may know of one instrument's trades: the last ones, bars of every interval, the day's figures."""

from collections import deque
from typing import Final

from appliance.core.clock import NANOSECONDS_PER_DAY, NANOSECONDS_PER_SECOND
from appliance.wire.kraken.messages import TradePrint
from appliance.wire.kraken.serving.market import Bar, TickerFigures

INTERVALS_MINUTES: Final = (1, 5, 15, 30, 60, 240, 1_440, 10_080, 21_600)
BARS_MAX: Final = 720
TRADES_MAX: Final = 20_000
_MINUTE_NS: Final = 60 * NANOSECONDS_PER_SECOND


class Tape:
    """Keep the public record of one instrument's trades."""

    def __init__(self) -> None:
        """Start an empty record."""
        self.recent: deque[TradePrint] = deque(maxlen=TRADES_MAX)
        self.bars: dict[int, deque[Bar]] = {interval: deque(maxlen=BARS_MAX) for interval in INTERVALS_MINUTES}

    def add(self, trade: TradePrint) -> None:
        """Take a trade in."""
        self.recent.append(trade)
        self.remember(trade.venue_ns, trade.price_ticks, trade.size_lots)

    def remember(self, venue_ns: int, price_ticks: int, size_lots: int) -> None:
        """Take a trade into the bars only, as of a past that nobody can ask every trade of."""
        for interval, bars in self.bars.items():
            begin_ns = venue_ns // (interval * _MINUTE_NS) * (interval * _MINUTE_NS)
            if not bars or bars[-1].begin_ns != begin_ns:
                bars.append(Bar(begin_ns, price_ticks, price_ticks, price_ticks, price_ticks))
            bars[-1].add(price_ticks, size_lots)

    def current(self, interval_minutes: int) -> Bar | None:
        """Return the bar that is not finished, if there is any."""
        bars = self.bars[interval_minutes]
        return bars[-1] if bars else None

    def figures(self, bid: tuple[int, int], ask: tuple[int, int], venue_ns: int) -> TickerFigures:
        """Return the ticker: the best prices and the last day's trades, to the quarter of an hour."""
        day = [bar for bar in self.bars[15] if bar.begin_ns > venue_ns - NANOSECONDS_PER_DAY]
        if not day:
            middle = (bid[0] + ask[0]) // 2
            return TickerFigures(bid, ask, middle, middle, middle, middle, 0, middle)
        volume = sum(bar.volume_lots for bar in day)
        turnover = sum(bar.turnover for bar in day)
        low, high = min(bar.low_ticks for bar in day), max(bar.high_ticks for bar in day)
        return TickerFigures(bid, ask, day[-1].close_ticks, day[0].open_ticks, low, high, volume, turnover // volume)
