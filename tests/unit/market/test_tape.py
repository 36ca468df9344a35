"""The tape: only messages that have earned belief, and every refusal counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.events import QuoteChanged, TradePrinted
from appliance.core.instruments import PRICE_TICKS_MAX, SIZE_LOTS_MAX
from appliance.core.values import Side
from appliance.kernels.bars import TIME, TRADES
from appliance.market.bars import BarKind
from appliance.market.tape import Tape

SECOND_NS = 1_000_000_000
BAND_PPM = 200_000


def quote(bid: int = 999, ask: int = 1_001, sequence: int = 1, venue_ns: int = 0) -> QuoteChanged:
    """Quote a market whose middle is a thousand."""
    return QuoteChanged("BTC/USD", bid, 1, ask, 1, sequence, venue_ns)


def trade(price: int = 1_000, number: int = 1, size: int = 1, venue_ns: int = 0) -> TradePrinted:
    """Print a trade at the middle."""
    return TradePrinted("BTC/USD", price, size, Side.BUY, number, venue_ns)


def quoted() -> Tape:
    """Return a tape that believes a quote."""
    tape = Tape("BTC/USD", SECOND_NS, BAND_PPM)
    tape.quote(quote(), 7)
    return tape


def test_a_good_quote_is_believed() -> None:
    """Shows what a believed quote sets, and that nothing is known before; fails when a tape starts with a price."""
    assert not Tape("BTC/USD", SECOND_NS, BAND_PPM).known
    tape = quoted()
    assert (tape.known, tape.bid_ticks, tape.ask_ticks, tape.mid_ticks, tape.quoted_ns) == (True, 999, 1_001, 1_000, 7)
    assert not tape.refused


@pytest.mark.parametrize(
    ("bad", "reason", "known"),
    [
        (quote(sequence=1), "late or duplicate quote", True),
        (quote(sequence=0), "late or duplicate quote", True),
        (quote(1_000, 1_000, 2), "crossed book", False),
        (quote(1_001, 1_000, 2), "crossed book", False),
        (quote(0, 1_000, 2), "price out of range", False),
        (quote(-5, 1_000, 2), "price out of range", False),
        (quote(1_000, PRICE_TICKS_MAX, 2), "price out of range", False),
        (quote(999, 0, 2), "price out of range", False),
    ],
)
def test_a_bad_quote_is_counted_and_believed_no_longer(bad: QuoteChanged, reason: str, known: bool) -> None:
    """Shows each refusal by its name, that a nonsense quote makes the market unusable and a good one heals it; fails
    when one is believed, or an old price is acted upon after nonsense.
    """
    tape = quoted()
    assert tape.quote(bad, 99) is None
    assert (dict(tape.refused), tape.known) == ({reason: 1}, known)
    assert (tape.bid_ticks, tape.ask_ticks) == (999, 1_001)
    tape.quote(quote(sequence=3), 100)
    assert (tape.known, tape.quoted_ns) == (True, 100)


@pytest.mark.parametrize(
    ("print_", "reason"),
    [
        (trade(number=1), "late or duplicate trade"),
        (trade(number=0), "late or duplicate trade"),
        (trade(0, 2), "price out of range"),
        (trade(-1, 2), "price out of range"),
        (trade(PRICE_TICKS_MAX, 2), "price out of range"),
        (trade(number=2, size=0), "price out of range"),
        (trade(number=2, size=SIZE_LOTS_MAX), "price out of range"),
        (trade(1_201, 2), "outlier print"),
        (trade(799, 2), "outlier print"),
        (trade(1_200, 2), None),
        (trade(800, 2), None),
    ],
)
def test_a_bad_trade_is_counted_and_makes_no_bar(print_: TradePrinted, reason: str | None) -> None:
    """Shows each refusal of a trade, and both edges of the band of 20 %; fails when one reaches a bar."""
    tape = quoted()
    tape.trade(trade())
    tape.trade(print_)
    assert dict(tape.refused) == ({reason: 1} if reason else {})
    bar = tape.quote(quote(sequence=2, venue_ns=SECOND_NS), 8)
    assert bar is not None
    assert bar.trades_count == (1 if reason else 2)


def test_without_a_quote_there_is_no_band() -> None:
    """Shows that the band needs a believed quote; fails when an old middle judges a new market."""
    tape = quoted()
    tape.forget_quote()
    assert not tape.known
    tape.trade(trade(5_000))
    assert not tape.refused


def test_a_feed_that_returns_may_count_quotes_anew_but_repeats_no_trade() -> None:
    """Shows that after a gap quotes are numbered afresh, repeated trades are still refused, and a restarted count at a
    later time is taken; fails when a bar counts the past twice or the feed is refused for ever.
    """
    tape = quoted()
    tape.trade(trade(number=50, venue_ns=100))
    tape.forget_quote()
    tape.quote(quote(sequence=1), 9)
    assert tape.known
    tape.trade(trade(number=50, venue_ns=100))
    assert tape.refused["late or duplicate trade"] == 1
    tape.trade(trade(number=1, venue_ns=101))
    assert tape.refused["late or duplicate trade"] == 1


@given(st.lists(st.builds(quote, st.integers(-3, 9), st.integers(-3, 9), st.integers(0, 30)), max_size=30))
def test_what_is_believed_is_always_sane(quotes: list[QuoteChanged]) -> None:
    """Shows that no run of quotes leaves a known market crossed, empty or with a refusal uncounted; fails when one
    does.
    """
    tape = Tape("BTC/USD", SECOND_NS, BAND_PPM)
    believed = 0
    for number, each in enumerate(quotes):
        refused = tape.refused.total()
        tape.quote(each, number)
        if tape.refused.total() == refused:
            believed += 1
            assert (tape.known, tape.quoted_ns) == (True, number)
        if tape.known:
            assert 0 < tape.bid_ticks < tape.ask_ticks
    assert believed + tape.refused.total() == len(quotes)


def test_other_kinds_of_bars_are_built_beside_the_strategies_own() -> None:
    """Shows that a trade closes bars of several kinds at once and only the strategies' own is returned; fails when
    another kind would ask them, or is not built from believed trades alone.
    """
    tape = Tape("BTC/USD", SECOND_NS, BAND_PPM, (BarKind("2 trades", TRADES, 2), BarKind("1s", TIME, SECOND_NS)))
    for number in range(3):
        tape.trade(TradePrinted("BTC/USD", 100 + number, 1, Side.BUY, number, number))
    assert [bar.kind for bar in tape.bars.latest.values()] == ["2 trades"]
    tape.trade(TradePrinted("BTC/USD", 0, 1, Side.BUY, 3, SECOND_NS))
    bar = tape.trade(TradePrinted("BTC/USD", 110, 1, Side.BUY, 4, SECOND_NS))
    assert bar is not None
    assert (bar.kind, bar.trades_count) == ("1s", 3)
    assert [(one.kind, one.close_ticks) for one in tape.closed] == [("1s", 102), ("2 trades", 110)]
