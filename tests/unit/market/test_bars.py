"""Time bars: by the venue's time alone, so that a recording yields the bars of the day itself."""

from hypothesis import given
from hypothesis import strategies as st

from appliance.market.bars import Bar, BarBuilder

LENGTH_NS = 1_000
Print = tuple[int, int, int]
# Prices, sizes and steps of time that often stay in a bar, sometimes touch its end, and sometimes leave bars empty.
TRADES = st.lists(
    st.tuples(st.integers(1, 50), st.integers(1, 9), st.sampled_from([0, 1, 200, 499, 1_000, 3_500])), max_size=60
)


def dated(steps: list[Print]) -> list[Print]:
    """Turn steps of time into moments."""
    moment, trades = 0, []
    for price, size, step in steps:
        moment += step
        trades.append((price, size, moment))
    return trades


def batch(trades: list[Print]) -> list[Bar]:
    """Build the bars of a finished day from the definition: group by period, count the empty ones between."""
    periods: dict[int, list[Print]] = {}
    for trade in trades:
        periods.setdefault(trade[2] // LENGTH_NS, []).append(trade)
    bars, last = [], None
    for period, members in sorted(periods.items()):
        prices = [price for price, _, _ in members]
        bars.append(
            Bar(
                "BTC/USD",
                period * LENGTH_NS,
                prices[0],
                max(prices),
                min(prices),
                prices[-1],
                sum(size for _, size, _ in members),
                len(members),
                0 if last is None else period - last - 1,
            )
        )
        last = period
    return bars


@given(TRADES, st.lists(st.integers(0, 10**5), max_size=20))
def test_live_bars_are_those_of_the_finished_day(steps: list[Print], glances: list[int]) -> None:
    """Shows that bars built trade by trade, with time passing between in any way, equal those grouped afterwards; fails
    when a boundary, a gap or a look at the clock moves a trade.
    """
    trades = dated(steps)
    builder, live = BarBuilder("BTC/USD", LENGTH_NS), []
    for price, size, moment in trades:
        quiet = [glance for glance in glances if glance <= moment]
        live += [builder.pass_time(glance) for glance in quiet]
        live.append(builder.add(price, size, moment))
    live.append(builder.pass_time(10**9))
    assert [bar for bar in live if bar is not None] == batch(trades)
    assert builder.late_count == 0


def test_a_bar_ends_where_the_next_begins() -> None:
    """Shows both sides of a boundary; fails when a trade at the very end counts for the old bar."""
    builder = BarBuilder("BTC/USD", LENGTH_NS)
    assert builder.add(10, 1, 0) is None
    assert builder.add(12, 2, LENGTH_NS - 1) is None
    assert builder.pass_time(LENGTH_NS - 1) is None
    assert builder.add(9, 3, LENGTH_NS) == Bar("BTC/USD", 0, 10, 12, 10, 12, 3, 2, 0)
    assert builder.pass_time(2 * LENGTH_NS) == Bar("BTC/USD", LENGTH_NS, 9, 9, 9, 9, 3, 1, 0)
    assert builder.pass_time(10 * LENGTH_NS) is None


def test_a_late_trade_is_counted_and_changes_no_closed_bar() -> None:
    """Shows that trades older than the open bar, or of a bar already closed by time, are counted; fails when a closed
    bar is opened again.
    """
    builder = BarBuilder("BTC/USD", LENGTH_NS)
    builder.add(10, 1, 2_500)
    assert builder.add(99, 1, 1_999) is None
    assert builder.pass_time(3_000) == Bar("BTC/USD", 2_000, 10, 10, 10, 10, 1, 1, 0)
    assert builder.add(99, 1, 2_999) is None
    assert builder.late_count == 2
    assert builder.add(11, 1, 5_000) is None
    assert builder.pass_time(6_000) == Bar("BTC/USD", 5_000, 11, 11, 11, 11, 1, 1, 2)
