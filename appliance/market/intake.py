"""Turn the raw frames of a market data connection into what the trader acts on, with nothing kept but the books.

Every frame is read by the kernels, straight from its bytes, onto a book that is checked against the venue's own
checksum. What comes out are the quotes and trades of books that may be believed, and word of those that may not: a
book that is quarantined quotes nothing more until a fresh snapshot, which whoever drives this is told to ask for.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.events import QuoteChanged, TradePrinted
from appliance.core.instruments import Instrument
from appliance.kernels.book import DEPTHS, Integers
from appliance.market.book import BookEvent, BookMoved, Books, BookState
from appliance.wire.kraken.messages import Instruments, Pair, TradesPrinted, VenueStatus
from appliance.wire.kraken.numbers import DIGITS_MAX, Grid
from appliance.wire.kraken.reader import FrameReader
from appliance.wire.kraken.refusals import Refused

DEPTH: Final = DEPTHS[0]
# A snapshot that has not come within this was lost; one that fails at once must not be asked for in a tight circle.
ASK_INTERVAL_NS: Final = 2 * NANOSECONDS_PER_SECOND
STEPS_CHANGED: Final = "the venue changed its price or size steps"
_ASKED: Final = frozenset({BookState.SNAPSHOT, BookState.QUARANTINED})
_BROKEN: Final = frozenset({BookEvent.MISMATCH, BookEvent.CROSSED, BookEvent.OUT_OF_ORDER, BookEvent.REFUSED})


class BookLost(msgspec.Struct, frozen=True, gc=False):
    """Tell that an instrument's book may not be believed any more, and whether that has become a fault."""

    instrument: str
    reason: str
    fault: bool


class TermsTold(msgspec.Struct, frozen=True, gc=False):
    """Tell on which terms the venue trades an instrument: its smallest order, and why it may not be traded, if so."""

    instrument: str
    size_lots_min: int
    reason: str


Told = QuoteChanged | TradePrinted | BookLost | TermsTold | VenueStatus


def grid_of(instrument: Instrument) -> Grid | None:
    """Return the digits of an instrument's prices and sizes; nothing where its steps are not whole digits."""
    digits = [-step.normalize().adjusted() for step in (instrument.tick, instrument.lot)]
    whole = all(0 <= places <= DIGITS_MAX for places in digits)
    if not whole or instrument.tick != Decimal(1).scaleb(-digits[0]) or instrument.lot != Decimal(1).scaleb(-digits[1]):
        return None
    return Grid(instrument.symbol, digits[0], digits[1])


class Intake:
    """Read the frames of some instruments."""

    __slots__ = ("_asked_ns", "_books", "_instruments", "_names", "_reader", "refused")

    def __init__(self, instruments: Mapping[str, Instrument], depth: int = DEPTH) -> None:
        """Begin without a connection."""
        grids = [grid for each in instruments.values() if (grid := grid_of(each)) is not None]
        self._instruments = instruments
        self._reader = FrameReader(grids, depth)
        self._books = Books(self._reader)
        self._names = tuple(grid.symbol for grid in grids)
        self._asked_ns = [0 for _ in grids]
        self.refused: Counter[str] = Counter()

    @property
    def books(self) -> Books:
        """Return the books."""
        return self._books

    @property
    def names(self) -> tuple[str, ...]:
        """Return the instruments whose frames can be read, in the order of the books' rows."""
        return self._names

    def place_of(self, name: str) -> tuple[Integers, int]:
        """Return the rows of all books and the one of an instrument."""
        return self._reader.rows, self._names.index(name)

    def connected(self, now_ns: int) -> tuple[str, ...]:
        """Begin a connection and return the instruments to subscribe to."""
        self._books.lost()
        return self._ask(range(len(self._names)), now_ns)

    def lost(self) -> None:
        """Say that the connection is gone."""
        self._books.lost()

    def due(self, now_ns: int) -> tuple[str, ...]:
        """Return the instruments whose snapshot must be asked for, again or at all."""
        rows = [
            row
            for row in range(len(self._names))
            if self._books.state(row) in _ASKED and now_ns - self._asked_ns[row] >= ASK_INTERVAL_NS
        ]
        return self._ask(rows, now_ns)

    def take(self, frame: bytes) -> tuple[Told, ...]:
        """Take one frame and return what it told."""
        taken = self._books.take(frame)
        if isinstance(taken, BookMoved):
            return self._moved(taken)
        if isinstance(taken, TradesPrinted):
            return tuple(
                TradePrinted(each.symbol, each.price_ticks, each.size_lots, each.side, each.trade_number, each.venue_ns)
                for each in taken.trades
            )
        if isinstance(taken, VenueStatus):
            return (taken,)
        if isinstance(taken, Instruments):
            return tuple(told for pair in taken.pairs if (told := self._terms(pair)) is not None)
        if isinstance(taken, Refused):
            self.refused[taken.reason] += 1
            return tuple(
                BookLost(self._names[row], taken.reason, fault=False) for row in self._books.resubscribe_wanted()
            )
        return ()

    def _moved(self, moved: BookMoved) -> tuple[Told, ...]:
        name = self._names[moved.row]
        if moved.event in _BROKEN:
            return (BookLost(name, moved.event, self._books.is_fault(moved.row)),)
        quote = self._books.quote(moved.row) if moved.event is not BookEvent.DROPPED else None
        if quote is None:
            return ()
        return (
            QuoteChanged(
                name,
                quote.bid_ticks,
                quote.bid_lots,
                quote.ask_ticks,
                quote.ask_lots,
                quote.sequence,
                quote.venue_ns,
            ),
        )

    def _ask(self, rows: Iterable[int], now_ns: int) -> tuple[str, ...]:
        asked = []
        for row in rows:
            self._asked_ns[row] = now_ns
            self._books.subscribed(row)
            asked.append(self._names[row])
        return tuple(asked)

    def _terms(self, pair: Pair) -> TermsTold | None:
        instrument = self._instruments.get(pair.symbol)
        if instrument is None:
            return None
        if (pair.price_increment, pair.qty_increment) != (instrument.tick, instrument.lot):
            return TermsTold(pair.symbol, instrument.size_lots_min, STEPS_CHANGED)
        reason = "" if pair.status == "online" else f"the venue says {pair.status}"
        return TermsTold(pair.symbol, instrument.smallest_from(pair.qty_min), reason)
