"""Time bars from trades, by the venue's time alone, so that a recording yields the same bars as the day itself.

A bar closes when something later than its end is seen. Periods without a trade make no bar; the next bar says how
many were skipped. A trade older than the open bar comes too late and is counted, never folded into a closed bar.
"""

import msgspec


class Bar(msgspec.Struct, frozen=True, gc=False):
    """Hold one closed bar."""

    instrument: str
    start_ns: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int
    trades_count: int
    gap_bars: int


class BarBuilder:
    """Build one instrument's bars of one length."""

    __slots__ = (
        "_close",
        "_high",
        "_instrument",
        "_last_start_ns",
        "_length_ns",
        "_low",
        "_open",
        "_start_ns",
        "_trades",
        "_volume",
        "late_count",
    )

    def __init__(self, instrument: str, length_ns: int) -> None:
        """Begin with no bar open."""
        self._instrument = instrument
        self._length_ns = length_ns
        self._start_ns = -1
        self._last_start_ns = -1
        self._open = self._high = self._low = self._close = self._volume = self._trades = 0
        self.late_count = 0

    def add(self, price_ticks: int, size_lots: int, venue_ns: int) -> Bar | None:
        """Fold one trade in and return the bar it closed, if it closed one."""
        closed = self.pass_time(venue_ns)
        start_ns = venue_ns - venue_ns % self._length_ns
        if start_ns < self._start_ns or start_ns <= self._last_start_ns:
            self.late_count += 1
            return closed
        if self._trades == 0:
            self._start_ns = start_ns
            self._open = self._high = self._low = price_ticks
        self._high = max(self._high, price_ticks)
        self._low = min(self._low, price_ticks)
        self._close = price_ticks
        self._volume += size_lots
        self._trades += 1
        return closed

    def pass_time(self, venue_ns: int) -> Bar | None:
        """Return the open bar if the venue's time has left it behind."""
        if self._trades == 0 or venue_ns < self._start_ns + self._length_ns:
            return None
        skipped = 0
        if self._last_start_ns >= 0:
            skipped = (self._start_ns - self._last_start_ns) // self._length_ns - 1
        bar = Bar(
            self._instrument,
            self._start_ns,
            self._open,
            self._high,
            self._low,
            self._close,
            self._volume,
            self._trades,
            skipped,
        )
        self._last_start_ns = self._start_ns
        self._start_ns = -1
        self._volume = self._trades = 0
        return bar
