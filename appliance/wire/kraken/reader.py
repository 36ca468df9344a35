"""Read market frames onto books: the kernel first, the library decoder for whatever the kernel does not know.

Both end in the same kernel routine, so they can differ in reading only, and a property test holds them equal. What
falls back is counted: a venue that changes its spelling costs speed, which shows, and never a wrong book.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from appliance.core.errors import WireError
from appliance.core.values import Side
from appliance.kernels import book, frames
from appliance.wire.kraken.market import MarketDecoder
from appliance.wire.kraken.messages import BookChanged, MarketMessage, TradePrint, TradesPrinted
from appliance.wire.kraken.numbers import Grid
from appliance.wire.kraken.refusals import Reason, Refused, refused

TRADES_MAX: Final = 1_000


class BookOutcome(msgspec.Struct, frozen=True, gc=False):
    """Tell which book a message was for and what became of it, in the kernel's words."""

    row: int
    outcome: int


class Run(msgspec.Struct, frozen=True, gc=False):
    """Tell how far lines of text were updates, how many a row took, and what ended them, if that changed a book."""

    end: int
    updates: tuple[int, ...]
    ended_by: BookOutcome | None


class FrameReader:
    """Apply frames to the books of the given instruments, all of one depth."""

    def __init__(self, grids: Sequence[Grid], depth: int, *, checked: bool = True, fast: bool = True) -> None:
        """Make one row a grid; without `fast` every frame takes the library's way."""
        if depth not in book.DEPTHS:
            raise WireError(f"book depth {depth} is not one the venue has: {', '.join(map(str, book.DEPTHS))}")
        if len({grid.symbol for grid in grids}) != len(grids):
            raise WireError("two books have the same symbol; name each instrument once")
        self.rows = book.rows_for(len(grids), depth)
        self.grids = tuple(grids)
        self.fallback_count = 0
        self._number = {grid.symbol: row for row, grid in enumerate(grids)}
        self._decoder = MarketDecoder(grids)
        self._trades = np.zeros((TRADES_MAX, frames.TRADE_FIELDS), np.int64)
        self._fast = fast
        self.rows[:, book.CHECKED] = int(checked)
        for row, grid in enumerate(grids):
            symbol = grid.symbol.encode()
            self.rows[row, book.PRICE_DIGITS] = grid.price_digits
            self.rows[row, book.SIZE_DIGITS] = grid.size_digits
            self.rows[row, book.SYMBOL_LENGTH] = len(symbol)
            self.rows[row, book.SYMBOL : book.SYMBOL + len(symbol)] = list(symbol)

    def read(self, frame: bytes) -> BookOutcome | MarketMessage | Refused:
        """Take one frame in: apply a book message to its book, return any other message."""
        if self._fast:
            taken = frames.book_frame(frame, self.rows)
            if taken & book.OUTCOME_MASK != book.UNRECOGNISED:
                return BookOutcome(taken >> book.OUTCOME_BITS, taken & book.OUTCOME_MASK)
            taken = frames.trade_frame(frame, self.rows, self._trades)
            if taken & book.OUTCOME_MASK != book.UNRECOGNISED:
                return self._printed(taken >> book.OUTCOME_BITS, taken & book.OUTCOME_MASK == book.PAST_TRADES)
        self.fallback_count += 1
        message = self._decoder.decode(frame)
        return self._applied(message) if isinstance(message, BookChanged) else message

    def read_run(self, text: bytes, begin: int) -> Run:
        """Apply updates line after line in one dispatch, until another kind of line."""
        updates = np.zeros(len(self.grids) + 1, np.int64)
        if not self._fast:
            return Run(begin, (0,) * len(self.grids), None)
        end = int(frames.book_lines(text, begin, self.rows, updates))
        *counts, last = updates.tolist()
        outcome = last & book.OUTCOME_MASK
        ended_by = None if outcome == book.UNRECOGNISED else BookOutcome(last >> book.OUTCOME_BITS, outcome)
        return Run(end, tuple(counts), None if outcome == book.UPDATED else ended_by)

    def _printed(self, count: int, snapshot: bool) -> TradesPrinted:
        return TradesPrinted(
            snapshot=snapshot,
            trades=tuple(
                TradePrint(
                    symbol=self.grids[row].symbol,
                    side=Side.BUY if side == frames.TRADE_BUY else Side.SELL,
                    price_ticks=price_ticks,
                    size_lots=size_lots,
                    trade_number=trade_number,
                    venue_ns=venue_ns,
                )
                for row, side, price_ticks, size_lots, trade_number, venue_ns in self._trades[:count].tolist()
            ),
        )

    def _applied(self, change: BookChanged) -> BookOutcome | Refused:
        row = self._number[change.symbol]
        levels_max = int(self.rows[row, book.DEPTH if change.snapshot else book.LEVELS_MAX])
        bids, asks = len(change.bids), len(change.asks)
        if max(bids, asks) > levels_max:
            return refused(Reason.TOO_MANY, f"{max(bids, asks)} levels")
        flat = [number for level in (*change.bids, *change.asks) for number in level]
        self.rows[-1, book.HEADER : book.HEADER + len(flat)] = flat
        outcome = book.settle(self.rows, row, change.snapshot, bids, asks, change.checksum, change.venue_ns)
        return BookOutcome(row, outcome)
