"""What one instrument's market looks like now, from messages that have earned belief.

Every message passes the same questions: is it newer than the last, is its price positive and inside the band, is the
book uncrossed? What fails is refused and counted by reason. After a quote that cannot be true, the market counts as
unusable until a good one comes.
"""

from collections import Counter

from appliance.core.events import QuoteChanged, TradePrinted
from appliance.core.instruments import PRICE_TICKS_MAX, SIZE_LOTS_MAX
from appliance.core.values import PARTS_PER_MILLION
from appliance.market.bars import Bar, BarKind, BarSet, time_kind
from appliance.market.microstructure import Microstructure


class Tape:
    """Follow one instrument's quotes and trades."""

    __slots__ = (
        "_band_ppm",
        "_kind",
        "_last_sequence",
        "_last_trade_ns",
        "_last_trade_number",
        "ask_ticks",
        "bars",
        "bid_ticks",
        "closed",
        "crossed",
        "micro",
        "quoted_ns",
        "refused",
        "trades_count",
    )

    def __init__(self, instrument: str, bar_ns: int, band_ppm: int, more_kinds: tuple[BarKind, ...] = ()) -> None:
        """Begin knowing nothing; strategies are asked at each bar of `bar_ns`, the other kinds are built beside it."""
        first = time_kind(bar_ns)
        self._kind = first.name
        self.bars = BarSet(instrument, (first, *(kind for kind in more_kinds if kind != first)))
        self.closed: list[Bar] = []
        self.micro = Microstructure()
        self._band_ppm = band_ppm
        self._last_sequence = -1
        self._last_trade_number = -1
        self._last_trade_ns = -1
        self.bid_ticks = 0
        self.ask_ticks = 0
        self.crossed = False
        self.quoted_ns: int | None = None
        self.refused: Counter[str] = Counter()
        self.trades_count = 0

    @property
    def known(self) -> bool:
        """Tell whether there is an uncrossed quote."""
        return self.quoted_ns is not None and not self.crossed

    @property
    def mid_ticks(self) -> int:
        """Return the middle of the quote, rounded down."""
        return (self.bid_ticks + self.ask_ticks) // 2

    def forget_quote(self) -> None:
        """Believe no price until the feed has spoken again; its quotes may be numbered anew."""
        self.quoted_ns = None
        self._last_sequence = -1
        self.micro.forget()

    def quote(self, event: QuoteChanged, now_ns: int) -> Bar | None:
        """Take a quote and return the bar that its time closed; `closed` holds those of every kind."""
        self.closed = []
        if event.sequence <= self._last_sequence:
            self.refused["late or duplicate quote"] += 1
            return None
        self._last_sequence = event.sequence
        if not 0 < event.bid_ticks < PRICE_TICKS_MAX or not 0 < event.ask_ticks < PRICE_TICKS_MAX:
            self.refused["price out of range"] += 1
            self.quoted_ns = None
            return None
        self.crossed = event.bid_ticks >= event.ask_ticks
        if self.crossed:
            self.refused["crossed book"] += 1
            return None
        self.bid_ticks = event.bid_ticks
        self.ask_ticks = event.ask_ticks
        self.quoted_ns = now_ns
        return self._closed(self.bars.pass_time(event.venue_ns))

    def trade(self, event: TradePrinted) -> Bar | None:
        """Take a trade and return the bar it closed; `closed` holds those of every kind."""
        self.closed = []
        # A feed that begins with the recent past repeats what is known; one that restarted counts from one, but later.
        if event.trade_number <= self._last_trade_number and event.venue_ns <= self._last_trade_ns:
            self.refused["late or duplicate trade"] += 1
            return None
        self._last_trade_number = event.trade_number
        self._last_trade_ns = max(event.venue_ns, self._last_trade_ns)
        if not 0 < event.price_ticks < PRICE_TICKS_MAX or not 0 < event.size_lots < SIZE_LOTS_MAX:
            self.refused["price out of range"] += 1
            return None
        if self.known and abs(event.price_ticks - self.mid_ticks) * PARTS_PER_MILLION > self.mid_ticks * self._band_ppm:
            self.refused["outlier print"] += 1
            return None
        self.trades_count += 1
        self.micro.traded(event.price_ticks, event.size_lots)
        return self._closed(self.bars.add(event.price_ticks, event.size_lots, event.venue_ns))

    def _closed(self, bars: list[Bar]) -> Bar | None:
        self.closed = bars
        return next((bar for bar in bars if bar.kind == self._kind), None)
