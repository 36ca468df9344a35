"""The recorded Kraken book: every checksum holds, by the kernel and by the library, in either spelling."""

import json
from pathlib import Path

import pytest

from appliance.__main__ import main
from appliance.kernels import book
from appliance.market.book import BookEvent, BookMoved, Books, BookState
from appliance.wire.kraken.numbers import Grid
from appliance.wire.kraken.reader import FrameReader
from tests.recorded.kraken_data import book_frames

BITCOIN = Grid("BTC/USD", 1, 8)


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("spaced", [True, False])
def test_every_recorded_checksum_holds(fast: bool, spaced: bool) -> None:
    """Shows 301 real checksums agree with the book; fails when a level, a digit or the order of the sides is wrong."""
    reader = FrameReader([BITCOIN], 10, fast=fast)
    books = Books(reader)
    books.subscribed(0)
    events = [moved.event for moved in map(books.take, book_frames(spaced=spaced)) if isinstance(moved, BookMoved)]
    assert events == [BookEvent.SNAPSHOT] + [BookEvent.UPDATE] * 300
    assert books.state(0) is BookState.LIVE
    assert reader.fallback_count == (0 if fast else 301)


def test_both_ways_end_in_the_same_rows() -> None:
    """Shows the kernel's and the library's books equal after each frame; fails when one reads a number differently."""
    fast, slow = FrameReader([BITCOIN], 10), FrameReader([BITCOIN], 10, fast=False)
    for reader in (fast, slow):
        reader.rows[0, book.PHASE] = book.LIVE
    for frame in book_frames():
        assert fast.read(frame) == slow.read(frame)
        assert (fast.rows[0] == slow.rows[0]).all()


def test_a_lost_update_is_noticed_or_does_not_matter() -> None:
    """Shows each of the first hundred updates left out: most end in quarantine, the rest were overwritten by the next.

    Fails when a book that differs from the whole one stays live.
    """
    frames = book_frames()
    quarantined = 0
    for missing in range(1, 101):
        books, whole = (Books(FrameReader([BITCOIN], 10)) for _ in range(2))
        for each in (books, whole):
            each.subscribed(0)
        for number, frame in enumerate(frames[: missing + 20]):
            whole.take(frame)
            if number != missing:
                books.take(frame)
        if books.state(0) is BookState.QUARANTINED:
            quarantined += 1
        else:
            assert [books.levels(0, side, 10) for side in (0, 1)] == [whole.levels(0, side, 10) for side in (0, 1)]
    assert quarantined > 50


def test_the_command_verifies_the_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows `frames` prove the digits from the snapshot and find all good; fails when it misses a frame."""
    path = tmp_path / "book.jsonl"
    path.write_bytes(b"\n".join(b"1700000000000000000 " + frame for frame in book_frames()))
    assert main(["frames", str(path), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["frames"], report["checksums_good"], report["checksums_wrong"]) == (301, 301, 0)
    assert report["refused"] == {}
