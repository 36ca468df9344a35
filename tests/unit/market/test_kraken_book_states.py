"""The book's state machine, its counters, and the command over recorded frames."""

import itertools
import json
from pathlib import Path

import pytest
import zstandard

from appliance.__main__ import main
from appliance.core.errors import WireError
from appliance.market.book import (
    MISMATCHES_TO_FAULT,
    TABLE,
    UPDATES_TO_FORGIVE,
    BookEvent,
    Books,
    BookState,
    Quote,
    next_state,
)
from appliance.market.frame_grids import grids_in
from appliance.wire.kraken.numbers import Grid
from appliance.wire.kraken.reader import FrameReader
from tests.property.wire.kraken.kraken_spelling import DictBook, spelled_book, spelled_trades

GRID = Grid("BTC/USD", 1, 8)
START_NS = 1_700_000_000_000_000_000
HARMFUL = {BookEvent.MISMATCH, BookEvent.CROSSED, BookEvent.OUT_OF_ORDER, BookEvent.REFUSED}
BAD_FRAMES = [
    b'{"channel":"weather","data":[]}',
    b'{"channel":"heartbeat","extra":1}',
    b'{"method":"pong","extra":1}',
    b"[1,2",
]


def oracle() -> DictBook:
    """Return a small true book."""
    book = DictBook(10)
    book.apply([(500, 7), (499, 800_000_000)], [(600, 7)])
    return book


def snapshot(book: DictBook, checksum: int | None = None) -> bytes:
    """Spell a book whole."""
    wanted = book.checksum() if checksum is None else checksum
    return spelled_book(GRID, book.best(0), book.best(1), wanted, START_NS, snapshot=True)


def live() -> Books:
    """Return books of which the only one is live."""
    books = Books(FrameReader([GRID], 10))
    books.subscribed(0)
    books.take(snapshot(oracle()))
    assert books.state(0) is BookState.LIVE
    return books


@pytest.mark.parametrize(("state", "event"), list(itertools.product(BookState, BookEvent)))
def test_every_move_keeps_the_promises(state: BookState, event: BookEvent) -> None:
    """Shows for each state and event: live only by a snapshot or from live, and never through harm; fails on a gap."""
    following = next_state(state, event)
    if following is BookState.LIVE:
        assert event is BookEvent.SNAPSHOT or state is BookState.LIVE
        assert event not in HARMFUL
    if state is BookState.QUARANTINED:
        assert following is BookState.QUARANTINED or event in {BookEvent.SUBSCRIBED, BookEvent.LOST}
    if event is BookEvent.LOST:
        assert following is BookState.EMPTY
    assert set(TABLE) == set(BookEvent)


def test_repeated_mismatches_are_a_fault_until_a_long_good_run() -> None:
    """Shows the count at which it becomes a fault and the run that ends it; fails one off on either side."""
    books = Books(FrameReader([GRID], 10))
    true = oracle()
    for number in range(1, MISMATCHES_TO_FAULT + 1):
        books.subscribed(0)
        books.take(snapshot(true, checksum=1))
        assert books.is_fault(0) is (number == MISMATCHES_TO_FAULT)
    books.subscribed(0)
    books.take(snapshot(true))
    for number in range(1, UPDATES_TO_FORGIVE + 1):
        books.take(spelled_book(GRID, (), (), true.checksum(), START_NS + number))
        assert books.is_fault(0) is (number < UPDATES_TO_FORGIVE)


def test_the_quote_is_of_a_live_book_only() -> None:
    """Shows the best levels with sequence and time, and none after the connection went; fails when one outlives it."""
    books = live()
    assert books.quote(0) == Quote(500, 7, 600, 7, 1, START_NS)
    books.lost()
    assert books.quote(0) is None


def test_an_acknowledgement_harms_no_book() -> None:
    """Shows that the answer to a subscription, which names the channel, is no book; fails when it quarantines."""
    books = live()
    books.take(b'{"method":"subscribe","result":{"channel":"book","symbol":"BTC/USD"},"success":true}')
    assert books.state(0) is BookState.LIVE


@pytest.mark.parametrize("grids", [[GRID, GRID]])
def test_two_books_of_one_symbol_are_refused(grids: list[Grid]) -> None:
    """Shows that a symbol names one book, and a depth is the venue's; fails when frames could go to either."""
    with pytest.raises(WireError):
        FrameReader(grids, 10)
    with pytest.raises(WireError):
        FrameReader([GRID], 11)
    for grid in (("", 1, 1), ("B" * 33, 1, 1), ('A"B', 1, 1), ("A/B", 18, 1), ("A/B", 1, -1)):
        with pytest.raises(WireError):
            Grid(*grid)


def test_digits_are_proven_by_a_checksum_or_told() -> None:
    """Shows the digits found from a snapshot, and none from a wrong one; fails when digits are guessed."""
    assert grids_in([snapshot(oracle())]) == (GRID,)
    assert grids_in([snapshot(oracle(), checksum=1), b"{", b'{"channel":"instrument"}']) == ()


def written(path: Path, *frames: bytes) -> Path:
    """Write frames to a file, one a line."""
    data = b"".join(b"%d %b\n" % (number, frame) for number, frame in enumerate(frames))
    path.write_bytes(zstandard.compress(data) if path.suffix == ".zst" else data)
    return path


@pytest.mark.parametrize("name", ["frames.jsonl", "frames.jsonl.zst"])
def test_the_command_counts_what_it_reads(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows good books, trades, beats and answers counted, packed or not; fails when one is missed or refused."""
    true = oracle()
    frames = [
        snapshot(true),
        spelled_book(GRID, (), (), true.checksum(), START_NS),
        spelled_trades(GRID, [("buy", 5, 6, 7, START_NS)]),
        b'{"channel":"heartbeat"}',
        b'{"method":"pong","req_id":1}',
    ]
    assert main(["frames", str(written(tmp_path / name, *frames)), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["by_kind"] == {
        "Answer": 1, "Heartbeat": 1, "TradesPrinted": 1, "book snapshot": 1, "book update": 1,
    }  # fmt: skip
    assert (report["frames"], report["checksums_good"]) == (5, 2)


@pytest.mark.parametrize("frame", BAD_FRAMES)
def test_the_command_finds_what_is_refused(frame: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows one bad frame among good ones end in exit code 1 and its reason; fails when it passes for good."""
    path = written(tmp_path / "frames.jsonl", snapshot(oracle()), frame)
    assert main(["frames", str(path)]) == 1
    out = capsys.readouterr().out
    assert "refused" in out
    assert "NOT good" in out


def test_the_command_finds_a_wrong_checksum(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows one flipped checksum found and counted, and the book healed by the next snapshot; fails when it is not."""
    true = oracle()
    good, bad = snapshot(true), spelled_book(GRID, (), (), true.checksum() ^ 1, START_NS)
    assert main(["frames", str(written(tmp_path / "a.jsonl", good, bad, good)), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["checksums_wrong"], report["checksums_good"]) == (1, 2)


@pytest.mark.parametrize("content", [None, b"not packed"])
def test_an_unreadable_file_is_told(content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows an absent or damaged file end in exit code 2 and a sentence; fails when it ends in a traceback."""
    path = tmp_path / "frames.jsonl.zst"
    if content is not None:
        path.write_bytes(content)
    assert main(["frames", str(path)]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert main(["frames", str(written(tmp_path / "a.jsonl")), "--digits", "BTC/USD"]) == 2
