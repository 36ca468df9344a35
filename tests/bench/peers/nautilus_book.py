"""Apply book changes with NautilusTrader; runs under the peers' own interpreter, one round for each line read.

    python nautilus_book.py CHANGES.json

The file holds {"snapshot": [[side, ticks, lots], ...], "changes": [...]}; the snapshot is not timed. For each line on
standard input it applies all changes once from deltas made beforehand and once making each on the way, and prints the
two times in nanoseconds and the best prices in ticks.
"""

import json
import sys
import time
from pathlib import Path

from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import BookOrder, OrderBookDelta
from nautilus_trader.model.enums import BookAction, BookType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price, Quantity

INSTRUMENT = InstrumentId.from_str("BTC/USD.KRAKEN")


def delta(side: int, ticks: int, lots: int) -> OrderBookDelta:
    """Return one change as NautilusTrader's own message."""
    order = BookOrder(
        OrderSide.SELL if side else OrderSide.BUY, Price(ticks / 10, 1), Quantity(lots / 100_000_000, 8), 0
    )
    return OrderBookDelta(INSTRUMENT, BookAction.UPDATE if lots else BookAction.DELETE, order, 0, 0, 0, 0)


def filled(snapshot: list[list[int]]) -> OrderBook:
    """Return a book that holds a snapshot."""
    book = OrderBook(INSTRUMENT, BookType.L2_MBP)
    for level in snapshot:
        book.apply_delta(delta(*level))
    return book


def prebuilt_ns(book: OrderBook, deltas: list[OrderBookDelta]) -> int:
    """Return how long applying ready deltas takes."""
    before_ns = time.perf_counter_ns()
    for change in deltas:
        book.apply_delta(change)
    return time.perf_counter_ns() - before_ns


def building_ns(book: OrderBook, changes: list[list[int]]) -> int:
    """Return how long making and applying deltas takes."""
    before_ns = time.perf_counter_ns()
    for side, ticks, lots in changes:
        book.apply_delta(delta(side, ticks, lots))
    return time.perf_counter_ns() - before_ns


def main() -> None:
    """Measure one round for every line."""
    given = json.loads(Path(sys.argv[1]).read_text())
    snapshot, changes = given["snapshot"], given["changes"]
    deltas = [delta(*change) for change in changes]
    for _ in sys.stdin:
        book = filled(snapshot)
        ready_ns, built_ns = prebuilt_ns(book, deltas), building_ns(filled(snapshot), changes)
        print(ready_ns, built_ns, round(book.best_bid_price() * 10), round(book.best_ask_price() * 10), flush=True)


if __name__ == "__main__":
    main()
