"""The last door, and the plans that come to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core import commands
from appliance.core.values import OrderKind, Side
from appliance.trading import decision
from appliance.trading.gate import admits

ENTRY = commands.SendOrder("x", "BTC/USD", Side.BUY, OrderKind.LIMIT, 1, 1, reduce_only=False, deadline_ms=1, trace=0)
REDUCTION = commands.SendOrder(
    "x", "BTC/USD", Side.SELL, OrderKind.MARKET, 0, 1, reduce_only=True, deadline_ms=1, trace=0
)


@pytest.mark.parametrize(
    ("command", "permitted", "admitted"),
    [
        (ENTRY, True, True),
        (ENTRY, False, False),
        (REDUCTION, True, True),
        (REDUCTION, False, True),
        (commands.SendCancel("x"), False, True),
        (commands.SendCancelAll(), False, True),
        (commands.AskOrder("x"), False, True),
        (commands.AskAccount(1, 0), False, True),
        (commands.SetDeadMan(0), False, True),
    ],
)
def test_what_may_leave(command: commands.VenueCommand, permitted: bool, admitted: bool) -> None:
    """Shows every kind of command with and without permission; fails when an entry leaves without it, or when a cancel
    or a reduction is held back.
    """
    assert admits(command, permitted=permitted) is admitted


@given(st.integers(1, 10**12))
def test_limits_are_priced_through_the_touch_by_a_bounded_allowance(price_ticks: int) -> None:
    """Shows that an entry bids above the ask and an exit below the bid by the allowance, at least a tick and never
    below one; fails when an order rests behind the touch or gives away more.
    """
    allowance = max(1, price_ticks * decision.SLIPPAGE_PPM // 1_000_000)
    entry = decision.entry("BTC/USD", "trend", price_ticks, 5, "why")
    departure = decision.departure("BTC/USD", "trend", price_ticks, 5, "why")
    assert (entry.price_ticks, entry.side, entry.reduce_only) == (price_ticks + allowance, Side.BUY, False)
    assert departure.price_ticks == max(1, price_ticks - allowance)
    assert (departure.side, departure.reduce_only) == (Side.SELL, True)


def test_a_stop_takes_any_price() -> None:
    """Shows that a stop is a market order that only reduces; fails when it could rest or open."""
    stop = decision.stop("BTC/USD", "trend", 5, "why")
    assert (stop.order_kind, stop.side, stop.reduce_only, stop.size_lots) == (OrderKind.MARKET, Side.SELL, True, 5)
