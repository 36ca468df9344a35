"""The kernel's book against a plain dictionary, message by message."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.kernels import book
from appliance.market.book import BookEvent, BookMoved, Books, BookState
from appliance.wire.kraken.numbers import Grid
from appliance.wire.kraken.reader import FrameReader
from tests.property.wire.kraken.kraken_spelling import DictBook, spelled_book

GRID = Grid("A/B", 2, 4)
START_NS = 1_700_000_000_000_000_000
# Few prices, so that levels are hit again, removed, pushed out and brought back.
BIDS = st.lists(st.tuples(st.integers(1, 60), st.sampled_from([0, 0, 1, 9, 10, 12_345])), max_size=9)
ASKS = st.lists(st.tuples(st.integers(55, 120), st.sampled_from([0, 0, 1, 9, 10, 12_345])), max_size=9)


@pytest.mark.parametrize("depth", [10, 25])
@settings(max_examples=60)
@given(st.lists(st.tuples(BIDS, ASKS), min_size=1, max_size=40))
def test_the_book_equals_a_dictionary(
    depth: int, messages: list[tuple[list[tuple[int, int]], list[tuple[int, int]]]]
) -> None:
    """Shows levels, order, depth, checksum and crossing equal after every message; fails when a level is misplaced."""
    reader, oracle = FrameReader([GRID], depth), DictBook(depth)
    reader.rows[0, book.PHASE] = book.LIVE
    for number, (bids, asks) in enumerate(messages):
        oracle.apply(bids, asks)
        frame = spelled_book(GRID, bids, asks, oracle.checksum(), START_NS + number)
        told = reader.read(frame)
        assert told.outcome == (book.CROSSED if oracle.is_crossed() else book.UPDATED)  # type: ignore[union-attr]
        for side in (0, 1):
            assert book.levels_of(reader.rows, 0, side, depth) == oracle.best(side)
    assert reader.fallback_count == 0


def test_a_deep_book_is_walked_and_moved_to_its_ends() -> None:
    """Shows a thousand levels filled from either end and emptied again; fails when a search or a move stops short."""
    reader, oracle = FrameReader([GRID], 1_000), DictBook(1_000)
    reader.rows[0, book.PHASE] = book.LIVE
    ticks = [*range(5_000, 6_500), *range(4_999, 3_000, -7), *range(6_000, 5_000, -3)]
    for number, tick in enumerate([*ticks, *ticks[::2]]):
        levels = [(tick, 0 if number >= len(ticks) else tick)]
        oracle.apply(levels, ())
        told = reader.read(spelled_book(GRID, levels, (), oracle.checksum(), START_NS + number))
        assert told.outcome == book.UPDATED  # type: ignore[union-attr]
        if number % 97 == 0:
            assert book.levels_of(reader.rows, 0, 0, 1_000) == oracle.best(0)
    assert book.levels_of(reader.rows, 0, 0, 1_000) == oracle.best(0)


def snapshot_frame(oracle: DictBook, venue_ns: int) -> bytes:
    """Spell the whole of a book."""
    return spelled_book(GRID, oracle.best(0), oracle.best(1), oracle.checksum(), venue_ns, snapshot=True)


@given(
    st.lists(st.sampled_from(["good", "wrong", "old", "crossed", "cut", "snapshot", "subscribe", "lost"]), max_size=40)
)
def test_a_live_book_is_a_true_book(doings: list[str]) -> None:
    """Shows a live book equal to the venue's after any mix of frames; fails when a wrong one stays live."""
    oracle = DictBook(10)
    oracle.apply([(50, 7), (49, 8)], [(60, 7), (61, 8)])
    books = Books(FrameReader([GRID], 10))
    for number, doing in enumerate(doings):
        now_ns = START_NS + 1_000 * number
        held = [(50, 100 + number)]
        oracle.apply(held, ())
        if doing == "subscribe":
            books.subscribed(0)
        elif doing == "lost":
            books.lost()
        elif doing == "snapshot":
            books.take(snapshot_frame(oracle, now_ns))
        else:
            wrong = int(doing == "wrong")
            asks = [(40, 1)] if doing == "crossed" else []
            frame = spelled_book(GRID, held, asks, oracle.checksum() ^ wrong, 1 if doing == "old" else now_ns)
            books.take(frame[:-1] if doing == "cut" else frame)
        if doing in {"subscribe", "snapshot"} and books.state(0) is not BookState.LIVE:
            continue
        if books.state(0) is BookState.LIVE and doing not in {"subscribe", "lost"}:
            assert [books.levels(0, side, 10) for side in (0, 1)] == [oracle.best(0), oracle.best(1)]
        elif books.state(0) is not BookState.LIVE:
            assert books.quote(0) is None


def test_each_kind_of_damage_ends_in_quarantine() -> None:
    """Shows a mismatch, a crossing, an old time and a cut frame quarantine; a snapshot after subscribing heals.

    Fails when one leaves the book live or the healing does not work.
    """
    oracle = DictBook(10)
    oracle.apply([(50, 7)], [(60, 7)])
    true = oracle.checksum()
    bad = {
        BookEvent.MISMATCH: spelled_book(GRID, (), (), true ^ 1, START_NS + 1),
        BookEvent.CROSSED: spelled_book(GRID, [(60, 1)], (), true, START_NS + 1),
        BookEvent.OUT_OF_ORDER: spelled_book(GRID, (), (), true, START_NS - 1),
        BookEvent.REFUSED: spelled_book(GRID, (), (), true, START_NS + 1)[:-1],
    }
    books = Books(FrameReader([GRID], 10))
    for event, frame in bad.items():
        books.subscribed(0)
        books.take(snapshot_frame(oracle, START_NS))
        assert books.state(0) is BookState.LIVE, event
        books.take(frame)
        assert books.counts[0][event] == 1
        assert books.state(0) is BookState.QUARANTINED, event
        assert books.resubscribe_wanted() == (0,)
        told = books.take(spelled_book(GRID, (), (), true, START_NS + 2))
        assert isinstance(told, BookMoved)
        assert told.event is BookEvent.DROPPED
        assert books.quote(0) is None


@given(st.lists(st.sampled_from(["good", "wrong", "old", "cut", "beat", "snapshot", "timed"]), max_size=30))
def test_lines_at_once_are_the_lines_one_by_one(doings: list[str]) -> None:
    """Shows a run over many lines leave book, state and counts as single frames do; fails when a line is skipped."""
    oracle = DictBook(10)
    oracle.apply([(50, 7)], [(60, 7)])
    lines = [snapshot_frame(oracle, START_NS)]
    for number, doing in enumerate(doings):
        held = [(50, 100 + number)]
        oracle.apply(held, ())
        frame = spelled_book(
            GRID, held, (), oracle.checksum() ^ int(doing == "wrong"), 1 if doing == "old" else START_NS + number
        )
        special = {
            "cut": frame[:-1],
            "beat": b'{"channel":"heartbeat"}',
            "snapshot": snapshot_frame(oracle, START_NS + number),
            "timed": b"1700000000 " + frame,
        }
        lines.append(special.get(doing, frame))
    single, run = (Books(FrameReader([GRID], 10)) for _ in range(2))
    for books in (single, run):
        books.subscribed(0)
    for line in lines:
        single.take(line.removeprefix(b"1700000000 "))
    text, begin = b"\n".join(lines) + b"\n", 0
    while (begin := run.take_run(text, begin)) < len(text):
        end = text.index(b"\n", begin)
        run.take(text[begin:end].removeprefix(b"1700000000 "))
        begin = end + 1
    assert run.counts == single.counts
    assert run.state(0) is single.state(0)
    assert [run.levels(0, side, 10) for side in (0, 1)] == [single.levels(0, side, 10) for side in (0, 1)]
