"""Keep each instrument's book trustworthy: one small state machine a book, written as a table.

    EMPTY ──subscribed──► SNAPSHOT ──snapshot──► LIVE ──update──► LIVE
                             ▲                    │ mismatch, crossed, out of order, refused
                             └────subscribed── QUARANTINED ◄┘          (any state: lost ──► EMPTY)

Only a live book may be traded on. A quarantined one takes nothing more: what it holds is wrong, and only a fresh
snapshot heals it, so it asks to be subscribed again. A checksum that keeps failing is no longer an accident of the
network but a fault, which a person must see.
"""

import enum
from typing import Final

import msgspec
import numpy as np

from appliance.kernels import book
from appliance.wire.kraken.messages import MarketMessage
from appliance.wire.kraken.reader import BookOutcome, FrameReader
from appliance.wire.kraken.refusals import Reason, Refused

MISMATCHES_TO_FAULT: Final = 3
UPDATES_TO_FORGIVE: Final = 1_000
_BOOK_CHANNEL = b'"book"'


class BookState(enum.StrEnum):
    """Name how far a book can be trusted."""

    EMPTY = "empty"
    SNAPSHOT = "awaiting a snapshot"
    LIVE = "live"
    QUARANTINED = "quarantined"


class BookEvent(enum.StrEnum):
    """Name what can happen to a book."""

    SUBSCRIBED = "subscribed"
    SNAPSHOT = "snapshot"
    UPDATE = "update"
    DROPPED = "dropped"
    MISMATCH = "checksum mismatch"
    CROSSED = "crossed"
    OUT_OF_ORDER = "out of order"
    REFUSED = "refused"
    LOST = "connection lost"


_E, _S, _L, _Q = BookState.EMPTY, BookState.SNAPSHOT, BookState.LIVE, BookState.QUARANTINED

# Columns: in EMPTY, in SNAPSHOT, in LIVE, in QUARANTINED. What the kernel never reports of a state stays there.
TABLE: Final[dict[BookEvent, tuple[BookState, BookState, BookState, BookState]]] = {
    BookEvent.SUBSCRIBED: (_S, _S, _S, _S),
    BookEvent.SNAPSHOT: (_E, _L, _L, _Q),
    BookEvent.UPDATE: (_E, _S, _L, _Q),
    BookEvent.DROPPED: (_E, _S, _L, _Q),
    BookEvent.MISMATCH: (_E, _Q, _Q, _Q),
    BookEvent.CROSSED: (_E, _Q, _Q, _Q),
    BookEvent.OUT_OF_ORDER: (_E, _Q, _Q, _Q),
    BookEvent.REFUSED: (_E, _Q, _Q, _Q),
    BookEvent.LOST: (_E, _E, _E, _E),
}
_COLUMN: Final = {state: number for number, state in enumerate(BookState)}
_PHASE: Final = {_E: book.EMPTY, _S: book.AWAITING, _L: book.LIVE, _Q: book.QUARANTINED}
_EVENT: Final = {
    book.UPDATED: BookEvent.UPDATE,
    book.REPLACED: BookEvent.SNAPSHOT,
    book.DROPPED: BookEvent.DROPPED,
    book.MISMATCH: BookEvent.MISMATCH,
    book.CROSSED: BookEvent.CROSSED,
    book.OUT_OF_ORDER: BookEvent.OUT_OF_ORDER,
}


def next_state(state: BookState, event: BookEvent) -> BookState:
    """Return the state that follows."""
    return TABLE[event][_COLUMN[state]]


class BookMoved(msgspec.Struct, frozen=True, gc=False):
    """Tell that a message was for this book, and in which state the book is now."""

    row: int
    event: BookEvent
    state: BookState


class Quote(msgspec.Struct, frozen=True, gc=False):
    """Carry the best level of each side, zero where there is none; `sequence` rises with every message applied."""

    bid_ticks: int
    bid_lots: int
    ask_ticks: int
    ask_lots: int
    sequence: int
    venue_ns: int


class Books:
    """Take frames in, and know of each book whether it may be believed."""

    def __init__(self, reader: FrameReader) -> None:
        self._reader = reader
        self._top = np.zeros(book.TOP_LENGTH, np.int64)
        self._states = [BookState.EMPTY for _ in reader.grids]
        self._mismatches = [0 for _ in reader.grids]
        self._good_since = [0 for _ in reader.grids]
        self.counts = [dict.fromkeys(BookEvent, 0) for _ in reader.grids]

    def take(self, frame: bytes) -> BookMoved | MarketMessage | Refused:
        """Take one frame in and return what it was."""
        taken = self._reader.read(frame)
        if isinstance(taken, BookOutcome):
            return self._happened(taken.row, _EVENT[taken.outcome])
        if isinstance(taken, Refused) and taken.reason is not Reason.UNKNOWN_CHANNEL and _BOOK_CHANNEL in frame:
            # Nobody can say for which book a message was that cannot be read, so none may be believed.
            for row in range(len(self._states)):
                self._happened(row, BookEvent.REFUSED)
        return taken

    def take_run(self, text: bytes, begin: int) -> int:
        """Take lines in for as long as they are messages of live books; return where to go on, one line alone."""
        while begin < len(text):
            run = self._reader.read_run(text, begin)
            begin = run.end
            for row, count in enumerate(run.updates):
                self._updated(row, count)
            if run.ended_by is None:
                break
            moved = self._happened(run.ended_by.row, _EVENT[run.ended_by.outcome])
            if moved.state is not BookState.LIVE:
                break
        return begin

    def subscribed(self, row: int) -> None:
        """Say that a snapshot of this book was asked for."""
        self._happened(row, BookEvent.SUBSCRIBED)

    def lost(self) -> None:
        """Say that the connection is gone: nothing held is true any more."""
        for row in range(len(self._states)):
            self._happened(row, BookEvent.LOST)

    def state(self, row: int) -> BookState:
        """Return how far a book can be trusted."""
        return self._states[row]

    def resubscribe_wanted(self) -> tuple[int, ...]:
        """Return the rows of the books that need a fresh snapshot."""
        return tuple(row for row, state in enumerate(self._states) if state is BookState.QUARANTINED)

    def is_fault(self, row: int) -> bool:
        """Tell whether checksums failed so often, without a long good run between, that a person must look."""
        return self._mismatches[row] >= MISMATCHES_TO_FAULT

    def quote(self, row: int) -> Quote | None:
        """Return the best levels of a live book."""
        if self._states[row] is not BookState.LIVE:
            return None
        book.top(self._reader.rows, row, self._top)
        return Quote(*self._top.tolist())

    def levels(self, row: int, side: int, count_max: int) -> tuple[tuple[int, int], ...]:
        """Return up to so many levels of a side (0 bids, 1 asks) as (ticks, lots), best first."""
        return book.levels_of(self._reader.rows, row, side, count_max)

    def _happened(self, row: int, event: BookEvent) -> BookMoved:
        state = next_state(self._states[row], event)
        self._states[row] = state
        self._reader.rows[row, book.PHASE] = _PHASE[state]
        self.counts[row][event] += 1
        if event is BookEvent.MISMATCH:
            self._mismatches[row] += 1
            self._good_since[row] = 0
        elif event is BookEvent.UPDATE:
            self._forgiven(row, 1)
        return BookMoved(row, event, state)

    def _updated(self, row: int, count: int) -> None:
        self.counts[row][BookEvent.UPDATE] += count
        self._forgiven(row, count)

    def _forgiven(self, row: int, count: int) -> None:
        self._good_since[row] += count
        if self._good_since[row] >= UPDATES_TO_FORGIVE:
            self._mismatches[row] = 0
