"""Bars from trades, by the venue's time alone, so that a recording yields the same bars as the day itself.

One set builds every kind that is wanted at once: periods of time, and bars that close after so many trades, so much
volume or so much value. The folding is one kernel for one trade and for a million, so live and batch cannot differ.
Periods without a trade make no bar; the next bar says how many were skipped. A trade older than what a kind has closed
comes too late for it and is counted, never folded into a closed bar.
"""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec
import numpy as np

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.errors import ConfigError
from appliance.core.instruments import Instrument
from appliance.core.values import cash_to_quanta
from appliance.kernels import bars as kernel

KINDS_MAX = 16
_CHUNK_BARS = 4_096
_KIND = re.compile(r"([1-9][0-9]{0,8})(s|m|h| trades| lots| value)")
_SECONDS = {"s": 1, "m": 60, "h": 3_600}


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
    kind: str = ""
    end_ns: int = 0


class BarKind(NamedTuple):
    """Say what a kind of bar measures, and at how much of it a bar closes."""

    name: str
    measure: int
    length: int


def time_kind(length_ns: int) -> BarKind:
    """Return the kind of bar that closes after so much time, named as people say it."""
    seconds = length_ns // NANOSECONDS_PER_SECOND
    unit = next(unit for unit in ("h", "m", "s") if seconds % _SECONDS[unit] == 0)
    return BarKind(f"{seconds // _SECONDS[unit]}{unit}", kernel.TIME, length_ns)


def bar_kind(text: str, instrument: Instrument) -> BarKind:
    """Return a kind from its name: 5s, 15m, 1h, 100 trades, 2 lots (units of the base), 10000 value (of the quote)."""
    found = _KIND.fullmatch(text)
    if found is None:
        raise ConfigError(f"{text!r} is no kind of bar; write 5s, 15m, 1h, 100 trades, 2 lots or 10000 value")
    count, unit = int(found[1]), found[2].strip()
    if unit in _SECONDS:
        return BarKind(text, kernel.TIME, count * _SECONDS[unit] * NANOSECONDS_PER_SECOND)
    if unit == "trades":
        return BarKind(text, kernel.TRADES, count)
    if unit == "lots":
        return BarKind(text, kernel.VOLUME, instrument.size_to_lots(Decimal(count)))
    length = cash_to_quanta(Decimal(count)) // instrument.tick_lot_quanta
    if not 0 < length <= kernel.VALUE_MAX:
        raise ConfigError(f"{text!r} is out of range for {instrument.symbol}")
    return BarKind(text, kernel.VALUE, length)


class BarSet:
    """Build several kinds of bars of one instrument at once."""

    __slots__ = ("_instrument", "_kinds", "_out", "_series", "latest")

    def __init__(self, instrument: str, kinds: Sequence[BarKind]) -> None:
        """Begin with no bar open; no kind may come twice."""
        if not 1 <= len(kinds) <= KINDS_MAX or len({kind.name for kind in kinds}) < len(kinds):
            raise ConfigError(f"{instrument}: 1 to {KINDS_MAX} different kinds of bars can be built at once")
        self._instrument = instrument
        self._kinds = tuple(kinds)
        self._series = np.zeros((len(kinds), kernel.SERIES_LENGTH), np.int64)
        self._series[:, [kernel.START, kernel.LAST]] = kernel.NEVER
        self._series[:, kernel.MEASURE] = [kind.measure for kind in kinds]
        self._series[:, kernel.LENGTH] = [kind.length for kind in kinds]
        self._out = np.zeros((2 * len(kinds), kernel.BAR_LENGTH), np.int64)
        self.latest: dict[str, Bar] = {}

    def add(self, price_ticks: int, size_lots: int, venue_ns: int) -> list[Bar]:
        """Fold one trade in and return the bars it closed, those that its time closed first."""
        return self._bars(self._out, kernel.fold(self._series, price_ticks, size_lots, venue_ns, self._out, 0))

    def pass_time(self, venue_ns: int) -> list[Bar]:
        """Return the bars that the venue's time has left behind."""
        return self._bars(self._out, kernel.pass_time(self._series, venue_ns, self._out, 0))

    def add_many(self, prices: np.ndarray, lots: np.ndarray, venue_ns: np.ndarray) -> Iterator[Bar]:
        """Fold a batch of trades in and yield the bars it closed, in the order in which they closed."""
        price, size, moment = (np.ascontiguousarray(column, np.int64) for column in (prices, lots, venue_ns))
        out = np.zeros((_CHUNK_BARS, kernel.BAR_LENGTH), np.int64)
        done = 0
        while done < len(price):
            count, folded = kernel.fold_many(self._series, price[done:], size[done:], moment[done:], out)
            done += folded
            yield from self._bars(out, count)

    def closed_count(self, kind: str) -> int:
        """Return how many bars of a kind were closed."""
        return self._count(kind, kernel.CLOSED)

    def late_count(self, kind: str) -> int:
        """Return how many trades came too late for a kind."""
        return self._count(kind, kernel.LATE)

    def _count(self, name: str, field: int) -> int:
        row = next(row for row, kind in enumerate(self._kinds) if kind.name == name)
        return int(self._series[row, field])

    def _bars(self, out: np.ndarray, count: int) -> list[Bar]:
        if not count:
            return []
        bars = []
        for values in out[:count].tolist():
            row, began, ended, first, high, low, last, volume, trades, _, gap = values
            kind = self._kinds[row].name
            bar = Bar(self._instrument, began, first, high, low, last, volume, trades, gap, kind, ended)
            self.latest[kind] = bar
            bars.append(bar)
        return bars
