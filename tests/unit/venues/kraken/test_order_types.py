"""Every kind of order the paper venue takes, from its request to its end."""

from decimal import Decimal

import pytest

from appliance.core.values import VenueState
from appliance.wire.kraken.numbers import written_time
from tests.unit.venues.kraken.counter import PAIR, Counter

SMALL = Decimal("0.0001")


def test_a_market_order_takes_the_book_and_pays() -> None:
    """Shows that a market order trades at the asks, is told step by step, and costs notional and fee to the quantum;
    fails when a step is missing or money appears.
    """
    counter = Counter()
    counter.follow("executions")
    before = counter.floor.account.cash_quanta
    order_id = counter.placed("market", order_qty=Decimal("0.05"))
    kinds = [kind for _, kind in counter.executions()]
    assert kinds[:2] == ["pending_new", "new"]
    assert set(kinds[2:-1]) == {"trade"}
    assert kinds[-1] == "filled"
    order = counter.floor.orders[order_id]
    assert before - counter.floor.account.cash_quanta == order.told_quanta + order.fees_quanta
    assert counter.floor.account.lots[PAIR] == 5_000_000
    assert counter.floor.audit() == ()


def test_a_big_market_order_moves_the_market() -> None:
    """Shows impact: after buying a tenth of the book the fair price is higher, and more so after buying more;
    fails when size has no consequence.
    """
    moves = []
    for size in ("1", "4"):
        counter = Counter(cash=Decimal(1_000_000))
        before = counter.floor.markets[PAIR]._fair
        counter.placed("market", order_qty=Decimal(size))
        moves.append(counter.floor.markets[PAIR]._fair - before)
    assert 0 < moves[0] < moves[1] < 3 * moves[0]


def test_a_limit_order_rests_in_the_book_and_fills_in_its_turn() -> None:
    """Shows that a resting order is in the published book and is filled as maker by takers who come later;
    fails when it is not published, never filled, or filled at another price.
    """
    counter = Counter()
    price = counter.price("bid")
    order_id = counter.placed(limit_price=price)
    order = counter.floor.open[order_id]
    for _ in range(600):
        counter.pass_ms(100)
        if order.state is VenueState.FILLED:
            break
    assert order.state is VenueState.FILLED
    assert all(trade.maker and trade.price_ticks == int(price * 10) for trade in order.trades)


@pytest.mark.parametrize(
    ("order_type", "side", "trigger", "prices"),
    [
        ("stop-loss", "sell", "bid", {}),
        ("take-profit", "sell", "ask", {}),
        ("stop-loss-limit", "sell", "bid", {"limit_price": Decimal(50_000)}),
        ("take-profit-limit", "sell", "ask", {"limit_price": Decimal(50_000)}),
        ("stop-loss", "buy", "ask", {}),
        ("take-profit", "buy", "bid", {}),
    ],
)
def test_a_trigger_sets_an_order_off(order_type: str, side: str, trigger: str, prices: dict[str, Decimal]) -> None:
    """Shows that each triggered type waits, holds what it needs, and trades when the last price reaches its trigger;
    fails when one goes off early, late, or not at all.
    """
    counter = Counter()
    if side == "sell":
        counter.placed("market", order_qty=Decimal("0.02"))
    counter.follow("executions")
    counter.told()
    price = counter.price(trigger, 300)
    order_id = counter.placed(order_type, side=side, triggers={"price": price, "reference": "last"}, **prices)
    order = counter.floor.open[order_id]
    ticks, before = int(price * 10), counter.floor.last_ticks(PAIR)
    while not order.triggered:
        last = counter.floor.last_ticks(PAIR)
        assert (last - ticks) * (before - ticks) > 0, "it should have gone off"
        counter.pass_ms(50)
    assert order.state is VenueState.FILLED
    assert "status" in {kind for _, kind in counter.executions()}
    assert counter.floor.audit() == ()


def test_post_only_refuses_to_take() -> None:
    """Shows that a post-only order that would trade at once is refused and one that would not rests;
    fails when it takes liquidity.
    """
    counter = Counter()
    assert counter.order(limit_price=counter.price("ask"), post_only=True)["error"] == "EOrder:Post only order"
    assert counter.placed(limit_price=counter.price("bid"), post_only=True) in counter.floor.open


@pytest.mark.parametrize("in_force", ["ioc", "fok"])
def test_an_immediate_order_never_rests(in_force: str) -> None:
    """Shows that what an IOC order cannot take at once is canceled and that a FOK order takes all or nothing;
    fails when a remainder rests.
    """
    counter = Counter(cash=Decimal(10**7))
    size = Decimal(counter.floor.markets[PAIR].ask_lots[0] + 5_000).scaleb(-8)
    order_id = counter.placed(limit_price=counter.price("ask"), order_qty=size, time_in_force=in_force)
    order = counter.floor.orders[order_id]
    assert order.state is VenueState.CANCELED
    assert counter.floor.open == {}
    assert (order.filled_lots > 0) == (in_force == "ioc")


def test_an_order_expires_when_it_said() -> None:
    """Shows that a good-till-date order is there until its time and not after; fails when it outlives it."""
    counter = Counter()
    due = written_time(counter.floor.venue_ns + 2 * 10**9)
    order_id = counter.placed(limit_price=50_000, time_in_force="gtd", expire_time=due)
    counter.pass_ms(1_990)
    assert order_id in counter.floor.open
    counter.pass_ms(20)
    assert counter.floor.orders[order_id].state is VenueState.EXPIRED


def test_a_conditional_close_follows_the_fill() -> None:
    """Shows that a filled order places its close on the other side, of its size; fails when the position is bare."""
    counter = Counter()
    close = {"order_type": "stop-loss", "trigger_price": 50_000}
    parent = counter.placed("market", conditional=close)
    [follower] = counter.floor.open.values()
    assert (follower.side.value, follower.size_lots, follower.terms.parent_id) == ("sell", 1_000_000, parent)
    assert follower.terms.trigger_ticks == 500_000


@pytest.mark.parametrize(
    ("self_trade", "states"),
    [
        ("cancel_newest", (VenueState.OPEN, VenueState.CANCELED)),
        ("cancel_oldest", (VenueState.CANCELED, VenueState.OPEN)),
        ("cancel_both", (VenueState.CANCELED, VenueState.CANCELED)),
    ],
)
def test_the_account_never_trades_with_itself(self_trade: str, states: tuple[VenueState, VenueState]) -> None:
    """Shows each way of self-trade prevention; fails when two own orders trade, or the wrong one gives way."""
    counter = Counter()
    counter.placed("market", order_qty=Decimal("0.02"))
    while counter.price("ask") - counter.price("bid") <= Decimal("0.1"):
        counter.pass_ms(50)
    price = counter.price("bid", -1)
    resting = counter.floor.orders[counter.placed(limit_price=price, order_qty=SMALL)]
    arriving = counter.floor.orders[counter.placed(side="sell", limit_price=price, stp_type=self_trade)]
    assert (resting.state, arriving.state) == states
    assert resting.trades == arriving.trades == []
    assert counter.floor.audit() == ()


def test_an_amended_order_keeps_its_place_only_when_it_shrinks() -> None:
    """Shows that a smaller size keeps the queue's place and a bigger one or another price loses it;
    fails when priority is taken for nothing.
    """
    counter = Counter()
    first, second = (counter.placed(limit_price=50_000, order_qty=Decimal("0.02")) for _ in range(2))
    queue = counter.floor.listings[PAIR].resting[counter.floor.orders[first].side]
    counter.ask("amend_order", order_id=first, order_qty=Decimal("0.01"))
    assert [order.venue_id for order in queue] == [first, second]
    counter.ask("amend_order", order_id=first, order_qty=Decimal("0.03"))
    assert [order.venue_id for order in queue] == [second, first]
    assert counter.floor.audit() == ()


def test_an_amendment_that_cannot_be_paid_changes_nothing() -> None:
    """Shows that a refused amendment leaves order, place and held money as they were; fails when one is lost."""
    counter = Counter()
    order_id = counter.placed(limit_price=50_000)
    held = counter.floor.account.held_quanta
    answer = counter.ask("amend_order", order_id=order_id, order_qty=5)
    assert answer["error"] == "EOrder:Insufficient funds"
    order = counter.floor.open[order_id]
    assert (order.size_lots, order.live_lots, counter.floor.account.held_quanta) == (1_000_000, 1_000_000, held)
    assert order in counter.floor.listings[PAIR].resting[order.side]


def test_fees_fall_with_volume() -> None:
    """Shows that the taker's fee after fifty thousand dollars is that of the next tier; fails when it stays."""
    counter = Counter(cash=Decimal(1_000_000))
    instrument = counter.floor.instruments[PAIR]
    first = counter.floor.account.fees_ppm(instrument, counter.floor.venue_ns)
    counter.placed("market", order_qty=1)
    second = counter.floor.account.fees_ppm(instrument, counter.floor.venue_ns)
    month_later = counter.floor.account.fees_ppm(instrument, counter.floor.venue_ns + 31 * 86_400 * 10**9)
    assert first == month_later == (1_600, 2_600)
    assert second == (1_400, 2_400)
