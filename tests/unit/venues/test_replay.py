"""Recorded markets happen again: bars keep their extremes and volume, frames their books, at any speed."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.clock import VirtualClock
from appliance.core.errors import ConfigError
from appliance.core.values import Side
from appliance.venues.simulator.instruments import BUILT_IN
from appliance.venues.simulator.kraken.paper import Pace, paper_floor
from appliance.venues.simulator.kraken.state import VenueState
from appliance.venues.simulator.replay import BarSeen, Moment, moments_of
from appliance.venues.simulator.replay_files import recorded
from appliance.wire.kraken.numbers import Grid
from appliance.wire.kraken.serving import market
from tests.recorded.kraken_data import book_frames, book_messages, recorded_file

BTC = BUILT_IN[0]
GRID = Grid("BTC/USD", 1, 8)
SECOND = 10**9
BEGIN_NS = 10**12


def opened(moments: list[Moment], speed: int = 1) -> tuple[VirtualClock, VenueState]:
    """Open a venue on moments, whose first minute is its past."""
    clock = VirtualClock(BEGIN_NS, BEGIN_NS)
    floor = paper_floor(clock, instruments=(BTC,), recordings={"BTC/USD": iter(moments)}, pace=Pace(speed=speed))
    return clock, VenueState(floor)


@given(
    prices=st.lists(st.integers(10_000, 10**7), min_size=4, max_size=4),
    volume=st.integers(0, 10**12),
    rises=st.booleans(),
)
def test_a_bar_becomes_trades_that_make_the_same_bar(prices: list[int], volume: int, rises: bool) -> None:
    """Shows that the path of a bar has its open, extremes, close and volume; fails when the replay invents or loses."""
    low, *inner, high = sorted(prices)
    first, last = inner if rises else inner[::-1]
    path = list(moments_of(BarSeen(first, high, low, last, volume, 60 * SECOND)))
    told = [moment.price_ticks for moment in path]
    assert (told[0], max(told), min(told), told[-1]) == (first, high, low, last)
    assert sum(moment.taker_lots for moment in path) == volume


@given(
    steps=st.lists(
        st.tuples(st.integers(600_000, 700_000), st.booleans(), st.integers(1, 10**9)), min_size=2, max_size=40
    )
)
def test_replayed_trades_print_at_their_prices(steps: list[tuple[int, bool, int]]) -> None:
    """Shows that every recorded trade prints once, whole, on its side and at its price, on a book that is never
    crossed; fails when the book around it changes what happened.
    """
    moments = [Moment(SECOND, price, buys, lots) for price, buys, lots in steps]
    clock, state = opened([Moment(SECOND, 640_000), *moments])
    state.floor.advance(clock.monotonic_ns() + 100 * SECOND)
    prints = state.floor.drain()[1]
    told = [(each.price_ticks, each.taker_side is Side.BUY, each.size_lots) for each in prints]
    assert told == steps
    bids, asks = (state.books["BTC/USD"].levels(side, 10) for side in Side)
    assert bids[0][0] < asks[0][0]


def test_speed_shortens_the_waits() -> None:
    """Shows that ten times the speed is a tenth of the time, and that a hole is shortened; fails when it is not."""
    moments = [Moment(60 * SECOND, 640_000 + step, taker_lots=1) for step in range(20)] + [
        Moment(10**15, 650_000, taker_lots=1)
    ]
    for speed, expected in ((1, 2), (10, 20)):
        clock, state = opened(list(moments), speed)
        state.floor.advance(clock.monotonic_ns() + 65 * SECOND)
        assert len(state.floor.drain()[1]) in {expected, expected + 1}


def test_recorded_books_are_shown_as_they_were(tmp_path: Path) -> None:
    """Shows that after the last recorded frame the venue's book has that frame's checksum, and that our order trades
    against it; fails when a level was lost on the way.
    """
    path = tmp_path / "frames.jsonl"
    path.write_bytes(b"\n".join(book_frames()))
    clock, state = opened(list(recorded(path, BTC, GRID)))
    state.floor.advance(clock.monotonic_ns() + 10_000 * SECOND)
    bids, asks = (state.books["BTC/USD"].levels(side, 10) for side in Side)
    assert market.checksum(asks, bids) == book_messages()[-1]["data"][0]["checksum"]


def test_recorded_bars_are_replayed() -> None:
    """Shows that a Parquet file of bars gives trades in its range of prices; fails when it cannot be read."""
    pytest.importorskip("pyarrow")
    path = recorded_file("ohlcv/binance_spot_BTCUSDT_1m.parquet")
    moments = recorded(path, BTC, GRID)
    first = [next(moments) for _ in range(700)]
    assert all(moment.price_ticks > 10_000 and moment.taker_lots >= 0 for moment in first)
    clock, state = opened(first, 60)
    state.floor.advance(clock.monotonic_ns() + 60 * SECOND)
    assert len(state.drain()[1]["BTC/USD"]) > 300


@pytest.mark.parametrize("name", ["nothing.parquet", "text.parquet", "empty.jsonl"])
def test_what_is_no_recording_is_refused(tmp_path: Path, name: str) -> None:
    """Shows a clear refusal for a missing, a wrong and an empty file; fails when the venue opens on nothing."""
    if name != "nothing.parquet":
        (tmp_path / name).write_text("no bars\n" if name == "text.parquet" else "")
    with pytest.raises(ConfigError):
        opened(list(recorded(tmp_path / name, BTC, GRID)))


def test_bars_that_cannot_be_are_left_out(tmp_path: Path) -> None:
    """Shows that holes, nonsense and contradictions in a file become no trades; fails when one is traded."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    nan = float("nan")
    rows = [(100.0, 101.0, 99.0, 100.5), (nan, 101.0, 99.0, 100.0), (100.0, 99.0, 101.0, 100.0), (-1.0, 1.0, -1.0, 1.0)]
    columns = dict(zip(("open", "high", "low", "close"), zip(*rows, strict=True), strict=True))
    dates = pyarrow.array([0, 60_000, 120_000, 180_000], pyarrow.timestamp("ms", tz="UTC"))
    parquet.write_table(pyarrow.table({"date": dates, **columns, "volume": [1.0] * 4}), tmp_path / "bars.parquet")
    moments = list(recorded(tmp_path / "bars.parquet", BTC, GRID))
    assert {moment.price_ticks for moment in moments} <= set(range(990, 1_011))
    assert sum(moment.taker_lots for moment in moments) == int(Decimal("1e8"))
