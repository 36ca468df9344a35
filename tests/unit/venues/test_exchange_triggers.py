"""Orders that sleep until a trade reaches them, and orders that are changed in place."""

from typing import NamedTuple

import pytest

from appliance.core.commands import SendAmend, SendOrder
from appliance.core.events import AmendRefused, AnyEvent, OrderAmended, OrderEnded, OrderTraded, TradePrinted
from appliance.core.values import Ending, OrderKind, Side, VenueState
from appliance.venues.simulator.exchange import Exchange
from appliance.venues.simulator.instruments import BUILT_IN

BTC = BUILT_IN[0]
CASH_QUANTA = 10_000 * 10**10
LOTS = 1_000_000
SECOND_NS = 1_000_000_000


class Scene(NamedTuple):
    """An exchange whose account holds some lots, and its bid."""

    exchange: Exchange
    bid_ticks: int


def stop(
    name: str,
    trigger_ticks: int,
    kind: OrderKind = OrderKind.STOP,
    *,
    side: Side = Side.SELL,
    price_ticks: int = 0,
    size_lots: int = LOTS,
    reduce_only: bool = True,
) -> SendOrder:
    """Return an order that sleeps."""
    return SendOrder(name, BTC.symbol, side, kind, price_ticks, size_lots, reduce_only, 2_000, 1, trigger_ticks)


@pytest.fixture
def scene() -> Scene:
    """Return an exchange after a purchase."""
    exchange = Exchange((BTC,), 3, CASH_QUANTA)
    exchange.submit(0, SendOrder("entry", BTC.symbol, Side.BUY, OrderKind.MARKET, 0, LOTS, False, 2_000, 1), 0)  # noqa: FBT003
    return Scene(exchange, exchange.quotes()[0].bid_ticks)


def run_until_done(exchange: Exchange, name: str) -> list[AnyEvent]:
    """Let the market run until an order is not open any more, for ten minutes at most."""
    found: list[AnyEvent] = []
    for second in range(1, 600):
        found += exchange.advance(second * SECOND_NS)
        if name not in {order.client_id for order in exchange.open_orders()}:
            break
    return found


def test_a_stop_sleeps_until_a_trade_reaches_it(scene: Scene) -> None:
    """Shows that nothing trades above the trigger and everything at once below; fails when it never wakes or rests."""
    trigger = scene.bid_ticks - 200
    scene.exchange.submit(0, stop("s", trigger), 0)
    found = run_until_done(scene.exchange, "s")
    own = next(place for place, event in enumerate(found) if isinstance(event, OrderTraded))
    prints = [event.price_ticks for event in found[:own] if isinstance(event, TradePrinted)]
    # The last print before our own is the one of our own fill; the one before that reached the trigger.
    assert prints[-2] <= trigger
    assert all(price > trigger for price in prints[:-2])
    assert scene.exchange.position_lots(BTC.symbol) == 0
    assert scene.exchange.audit() == ()


def test_a_trigger_that_is_reached_already_fires_at_once(scene: Scene) -> None:
    """Shows that a stop above the last price sells at once; fails when it waits for another trade."""
    found = scene.exchange.submit(0, stop("s", scene.bid_ticks * 2), 0)
    assert any(isinstance(event, OrderTraded) for event in found)


def test_a_stop_limit_rests_at_its_price_once_it_woke(scene: Scene) -> None:
    """Shows that a stop with a price never sells below it; fails when its limit is forgotten on waking."""
    limit = scene.bid_ticks * 2
    scene.exchange.submit(0, stop("s", scene.bid_ticks * 2, OrderKind.STOP_LIMIT, price_ticks=limit), 0)
    assert [order.state for order in scene.exchange.open_orders()] == [VenueState.OPEN]
    assert scene.exchange.quotes()[0].ask_ticks < limit
    assert scene.exchange.position_lots(BTC.symbol) == LOTS


def test_a_sleeping_sale_holds_its_lots_back(scene: Scene) -> None:
    """Shows that what a stop would sell cannot be sold twice; fails when a second sale is accepted."""
    scene.exchange.submit(0, stop("s", scene.bid_ticks - 5_000), 0)
    sale = SendOrder("x", BTC.symbol, Side.SELL, OrderKind.MARKET, 0, LOTS, False, 2_000, 1)  # noqa: FBT003
    assert "insufficient funds" in str(scene.exchange.submit(0, sale, 0))
    scene.exchange.submit(0, SendAmend("s", BTC.symbol, LOTS // 2, 0, scene.bid_ticks - 5_000, 2_000), 0)
    assert scene.exchange.account.held_lots[BTC.symbol] == LOTS // 2
    assert scene.exchange.audit() == ()


def test_a_buying_stop_that_cannot_pay_ends_unfilled(scene: Scene) -> None:
    """Shows that a woken buyer without cash is canceled; fails when the account could go into debt."""
    dear = stop("s", scene.bid_ticks // 2, side=Side.BUY, size_lots=LOTS * 1_000, reduce_only=False)
    found = scene.exchange.submit(0, dear, 0)
    assert [event.how for event in found if isinstance(event, OrderEnded)] == [Ending.CANCELED]
    assert scene.exchange.audit() == ()


@pytest.mark.parametrize("trigger_ticks", [0, -1, 10**15 + 1])
def test_a_trigger_out_of_range_is_refused(scene: Scene, trigger_ticks: int) -> None:
    """Shows that a stop without a real trigger is no stop; fails when one is accepted that can never wake."""
    assert "out of range" in str(scene.exchange.submit(0, stop("s", trigger_ticks), 0))


def test_an_amended_stop_wakes_at_its_new_trigger(scene: Scene) -> None:
    """Shows that size and trigger change in place and count at once; fails when the old trigger stays."""
    scene.exchange.submit(0, stop("s", 1), 0)
    found = scene.exchange.submit(0, SendAmend("s", BTC.symbol, LOTS // 4, 0, scene.bid_ticks * 2, 2_000), 0)
    amended = next(event for event in found if isinstance(event, OrderAmended))
    assert (amended.size_lots, amended.trigger_ticks) == (LOTS // 4, scene.bid_ticks * 2)
    assert scene.exchange.position_lots(BTC.symbol) == LOTS - LOTS // 4


def test_a_resting_order_that_shrinks_keeps_its_place(scene: Scene) -> None:
    """Shows that only a change of price or growth costs the place in the queue; fails when shrinking does."""
    bid = scene.bid_ticks
    scene.exchange.submit(0, SendOrder("b", BTC.symbol, Side.BUY, OrderKind.LIMIT, bid, LOTS, False, 2_000, 1), 0)  # noqa: FBT003
    (order,) = scene.exchange.open_orders()
    ahead = order.ahead_lots
    scene.exchange.submit(0, SendAmend("b", BTC.symbol, LOTS // 2, bid, 0, 2_000), 0)
    assert (order.live_lots, order.ahead_lots) == (LOTS // 2, ahead)
    scene.exchange.submit(0, SendAmend("b", BTC.symbol, LOTS // 2, bid - 10, 0, 2_000), 0)
    assert order.price_ticks == bid - 10
    assert scene.exchange.audit() == ()


@pytest.mark.parametrize(
    ("amend", "reason"),
    [
        (SendAmend("nobody", BTC.symbol, LOTS, 0, 1, 2_000), "unknown order"),
        (SendAmend("entry", BTC.symbol, LOTS, 0, 1, 2_000), "order is not open"),
        (SendAmend("s", BTC.symbol, 0, 0, 1, 2_000), "below minimum size"),
        (SendAmend("s", BTC.symbol, LOTS * 2, 0, 1, 2_000), "insufficient funds"),
        (SendAmend("s", BTC.symbol, LOTS, 0, 0, 2_000), "price or size out of range"),
    ],
)
def test_an_amendment_that_cannot_be_leaves_the_order_alone(scene: Scene, amend: SendAmend, reason: str) -> None:
    """Shows each refusal and that nothing moved; fails when a refused change took effect in part."""
    scene.exchange.submit(0, stop("s", 5), 0)
    found = scene.exchange.submit(0, amend, 0)
    assert [event.reason for event in found if isinstance(event, AmendRefused)] == [reason]
    (order,) = scene.exchange.open_orders()
    assert (order.size_lots, order.trigger_ticks) == (LOTS, 5)
    assert scene.exchange.audit() == ()
