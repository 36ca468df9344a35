"""Tell what the venue remembers of an instrument as closed bars in ticks and lots: from its bars, or from its trades.

The last row of the venue's bars is the one that is still open and may change; of trades it is the period of the last
one. Neither is told: it is where the told ones end. A period without trades makes no bar, here as in the live market.
"""

from collections.abc import Iterable

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.errors import ConversionError
from appliance.core.events import HistoryTold
from appliance.core.instruments import Instrument
from appliance.wire.kraken.refusals import Reason, Refused, refused
from appliance.wire.kraken.rest import BarRow, PrintRow, seconds_ns

BarInSteps = tuple[int, int, int, int, int, int]


def from_bars(instrument: Instrument, bar_s: int, rows: tuple[BarRow, ...]) -> HistoryTold | Refused:
    """Return the closed bars among the venue's."""
    if not rows:
        return HistoryTold(instrument.symbol, bar_s, (), 0)
    until_s = rows[-1][0]
    try:
        told = tuple(_in_steps(instrument, row) for row in rows[:-1] if row[-1] > 0)
    except ConversionError as problem:
        return refused(Reason.OFF_GRID, str(problem))
    return HistoryTold(instrument.symbol, bar_s, told, until_s)


def from_prints(instrument: Instrument, bar_s: int, rows: Iterable[PrintRow]) -> HistoryTold | Refused:
    """Return the closed bars that trades make; the first period is left out, because nobody knows how it began."""
    bars: dict[int, BarInSteps] = {}
    try:
        for row in rows:
            start_s = seconds_ns(row[2]) // NANOSECONDS_PER_SECOND // bar_s * bar_s
            price, lots = instrument.price_to_ticks(row[0]), instrument.size_to_lots(row[1])
            _, opened, high, low, _, volume = bars.get(start_s, (start_s, price, price, price, price, 0))
            bars[start_s] = (start_s, opened, max(high, price), min(low, price), price, volume + lots)
    except ConversionError as problem:
        return refused(Reason.OFF_GRID, str(problem))
    starts = list(bars)
    if starts != sorted(starts):
        return refused(Reason.BAD_TIME, "trades that are not in their order")
    until_s = starts[-1] if starts else 0
    return HistoryTold(instrument.symbol, bar_s, tuple(bars[start] for start in starts[1:-1]), until_s)


def _in_steps(instrument: Instrument, row: BarRow) -> BarInSteps:
    opened, high, low, close = (instrument.price_to_ticks(price) for price in row[1:5])
    return row[0], opened, high, low, close, instrument.size_to_lots(row[6])
