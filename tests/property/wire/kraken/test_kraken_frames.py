"""The kernel and the library read every frame alike, and neither is brought down or to a wrong book by any bytes."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from appliance.core.instruments import PRICE_TICKS_MAX, SIZE_LOTS_MAX
from appliance.kernels import book, nesting
from appliance.wire.kraken.account import AccountDecoder
from appliance.wire.kraken.messages import TradesPrinted
from appliance.wire.kraken.numbers import Grid, moment_ns, steps, written_time
from appliance.wire.kraken.reader import BookOutcome, FrameReader
from appliance.wire.kraken.refusals import FRAME_BYTES_MAX, NESTING_MAX, Reason, Refused
from tests.property.wire.kraken.kraken_spelling import DictBook, spelled_book, spelled_trades

GRID = Grid("BTC/USD", 1, 8)
OTHER = Grid("ETH/USD", 2, 8)
START_NS = 1_700_000_000_000_000_000
BIDS = ((294_302, 18_967_538), (294_296, 11_621), (294_274, 100_000))
ASKS = ((294_303, 825_215_653), (294_304, 255_637_606), (294_309, 2))

READERS = [FrameReader([GRID, OTHER], 10, fast=fast) for fast in (True, False)]
TICKS = st.one_of(st.integers(294_200, 294_400), st.integers(1, PRICE_TICKS_MAX))
LOTS = st.one_of(st.just(0), st.integers(1, 10**9), st.integers(1, SIZE_LOTS_MAX))
LEVELS = st.lists(st.tuples(TICKS, LOTS), max_size=6)
TIMES = st.integers(START_NS, START_NS + 10**15)
TOKENS = [b" ", b"0", b"-", b"e1", b"}", b"]", b",", b'"']
NUMBERS = st.from_regex(r"\A-?[0-9]{0,19}\.?[0-9]{0,12}([eE][+-]?[0-9]{1,2})?\Z")


def seed_books() -> None:
    """Put the same small live book into both readers."""
    oracle = DictBook(10)
    oracle.apply(BIDS, ASKS, snapshot=True)
    frame = spelled_book(GRID, BIDS, ASKS, oracle.checksum(), START_NS, snapshot=True)
    for reader in READERS:
        reader.rows[:-1, book.PHASE] = book.AWAITING
        assert reader.read(frame) == BookOutcome(0, book.REPLACED)
        reader.rows[0, book.PHASE] = book.LIVE


def agree(frame: bytes) -> object:
    """Read a frame both ways from the same book and compare outcome and every number of the books."""
    seed_books()
    fast, slow = (reader.read(frame) for reader in READERS)
    assert fast == slow
    assert np.array_equal(READERS[0].rows[:-1], READERS[1].rows[:-1])
    return fast


@given(LEVELS, LEVELS, st.integers(0, 2**32 - 1), TIMES, st.booleans())
def test_books_are_read_alike(
    bids: list[tuple[int, int]], asks: list[tuple[int, int]], checksum: int, venue_ns: int, snapshot: bool
) -> None:
    """Shows any book message of the venue's spelling read alike; fails when one of the two reads a digit otherwise."""
    agree(spelled_book(GRID, bids, asks, checksum, venue_ns, snapshot=snapshot))


@given(st.lists(st.tuples(st.sampled_from(["buy", "sell"]), TICKS, LOTS, st.integers(0, 10**17), TIMES), max_size=4))
def test_trades_are_read_alike_and_exactly(trades: list[tuple[str, int, int, int, int]]) -> None:
    """Shows trades come back as they were spelled, by either way; fails when a field is read from another's place."""
    told = agree(spelled_trades(OTHER, trades))
    if trades and all(lots for _, _, lots, _, _ in trades):
        assert isinstance(told, TradesPrinted)
        assert [(t.side, t.price_ticks, t.size_lots, t.trade_number, t.venue_ns) for t in told.trades] == trades
    else:
        assert isinstance(told, Refused)


@given(NUMBERS, NUMBERS)
@example("1.", "1")
@example("01.5", "1")
@example("1.50", "-0")
@example("119174.000", "0.00672000")
@example("1e5", "7.723e-05")
@example("9999999999999999999", "1")
def test_numbers_are_read_alike(price: str, size: str) -> None:
    """Shows any spelling of a number read alike; fails when the kernel takes what JSON or the grid forbids."""
    head = '{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":'
    tail = '],"asks":[],"checksum":1,"timestamp":"2023-11-14T22:13:21.5Z"}]}'
    agree(f'{head}{price},"qty":{size}}}{tail}'.encode())


@settings(max_examples=400)
@given(st.data())
def test_damaged_frames_are_read_alike(data: st.DataObject) -> None:
    """Shows real frames with bytes changed, cut, repeated or added read alike; fails when the kernel guesses."""
    whole = data.draw(
        st.sampled_from(
            [
                spelled_book(GRID, BIDS[:2], ASKS[:1], 7, START_NS + 5),
                spelled_book(GRID, (), ((294_303, 0),), 7, START_NS + 5),
                spelled_book(GRID, BIDS, ASKS, 7, START_NS, snapshot=True),
                spelled_trades(GRID, [("buy", 5, 6, 7, START_NS), ("sell", 1, 2, 4, START_NS)]),
            ]
        )
    )
    begin = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(begin, min(begin + 8, len(whole))))
    put = data.draw(
        st.one_of(st.binary(max_size=4), st.sampled_from([b" ", b"0", b"-", b"e1", b"}", b"]", b",", b'"']))
    )
    agree(whole[:begin] + put + whole[end:])


@given(st.one_of(st.binary(max_size=300), st.text(max_size=100).map(str.encode)))
def test_any_bytes_are_refused_and_change_nothing(frame: bytes) -> None:
    """Shows bytes that are no message end in a refusal of either decoder; fails when one raises or a book moves."""
    told = agree(frame)
    # The drawing of texts knows the literals of this project, and a heartbeat is one.
    assert isinstance(told, Refused) or b'"channel"' in frame
    before = READERS[0].rows[:-1].copy()
    assert READERS[0].read(frame) == told
    assert np.array_equal(before, READERS[0].rows[:-1])
    assert isinstance(AccountDecoder().decode(frame), Refused)


@given(st.integers(1, 60))
def test_nesting_is_bounded_before_parsing(depth: int) -> None:
    """Shows both sides of the bound, brackets in strings not counted; fails when a bomb reaches the parser."""
    frame = b'{"a":"[[[[\\"[[[[","b":' + b"[" * depth + b"]" * depth + b"}"
    assert nesting.nesting(frame) == depth + 1
    told = READERS[1].read(frame)
    assert isinstance(told, Refused)
    assert told.reason is (Reason.TOO_DEEP if depth + 1 > NESTING_MAX else Reason.UNKNOWN_CHANNEL)


def test_an_oversized_frame_is_refused_before_parsing() -> None:
    """Shows the bound on bytes; fails when a frame beyond it is parsed."""
    told = READERS[0].read(b" " * (FRAME_BYTES_MAX + 1))
    assert isinstance(told, Refused)
    assert told.reason is Reason.OVERSIZED


@pytest.mark.parametrize("fast", [True, False])
def test_too_many_levels_are_refused(fast: bool) -> None:
    """Shows both sides of the bound on levels, by either way; fails when the scratch row could overflow."""
    reader = FrameReader([GRID], 10, fast=fast)
    reader.rows[0, book.PHASE] = book.LIVE
    limit = int(reader.rows[0, book.LEVELS_MAX])
    for count, told in ((limit, BookOutcome), (limit + 1, Refused)):
        levels = [(tick, 1) for tick in range(1, count + 1)]
        assert isinstance(reader.read(spelled_book(GRID, levels, (), 1, START_NS)), told)


@given(st.integers(0, 7_000_000_000_000_000_000))
def test_times_survive_a_round_trip(venue_ns: int) -> None:
    """Shows every nanosecond of two centuries come back, by the kernel too; fails at a leap day or a rounded digit."""
    assert moment_ns(written_time(venue_ns)) == venue_ns
    told = agree(spelled_trades(GRID, [("buy", 1, 1, 1, venue_ns)]))
    assert isinstance(told, TradesPrinted)
    assert told.trades[0].venue_ns == venue_ns


@given(st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{0,10})?Z?\Z"))
@example("2023-02-29T00:00:00Z")
@example("2024-02-29T23:59:60Z")
@example("2100-02-29T00:00:00Z")
def test_impossible_times_are_refused_alike(text: str) -> None:
    """Shows dates that no calendar has refused by both; fails when the kernel makes a moment of one."""
    frame = spelled_trades(GRID, [("buy", 1, 1, 1, START_NS)])
    agree(frame.replace(written_time(START_NS).encode(), text.encode()))


@given(st.integers(1, 10**17), st.integers(0, 17))
def test_steps_are_exact(value: int, digits: int) -> None:
    """Shows a number's text give back its steps in plain, padded and exponent spelling; fails when one is rounded."""
    plain = f"{Grid('X', digits, 0).price(value):f}"
    for text in (plain, plain + ("0" if "." in plain else ".0"), f"{value}e-{digits}"):
        assert steps(text.encode(), digits, 0, 10**17) == value
    finer = steps(f"{value}1e-{digits + 1}".encode(), digits, 0, 10**19)
    assert isinstance(finer, Refused)
    assert finer.reason is Reason.OFF_GRID
