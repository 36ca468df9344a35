"""The exchange's rules, one by one."""

import pytest

from appliance.core.commands import AskAccount, AskOrder, SendCancel, SendCancelAll, SendOrder
from appliance.core.errors import ConfigError, InvariantBroken
from appliance.core.events import (
    AccountReported,
    AnyEvent,
    CancelRefused,
    OrderAcknowledged,
    OrderEnded,
    OrderRefused,
    OrderReported,
    OrderTraded,
    QuoteChanged,
)
from appliance.core.values import Ending, OrderKind, Side, VenueState, fee_quanta
from appliance.venues.simulator.exchange import OPEN_ORDERS_MAX, Exchange
from appliance.venues.simulator.instruments import BUILT_IN
from appliance.venues.simulator.orders import TRADES_PER_ORDER_MAX
from appliance.wire.link import FRAME_BYTES_MAX, encode

SECOND_NS = 1_000_000_000
BTC = BUILT_IN[0]
CASH_QUANTA = 10_000 * 10**10
FAR_BELOW_TICKS = 500_000
LOTS = 1_000_000


def exchange_with(cash_quanta: int = CASH_QUANTA) -> Exchange:
    """Return an exchange that lists BTC alone."""
    return Exchange((BTC,), 3, cash_quanta)


def order(
    client_id: str,
    side: Side = Side.BUY,
    kind: OrderKind = OrderKind.MARKET,
    *,
    price_ticks: int = 0,
    size_lots: int = LOTS,
    reduce_only: bool = False,
) -> SendOrder:
    """Return an order for BTC."""
    return SendOrder(client_id, BTC.symbol, side, kind, price_ticks, size_lots, reduce_only, 2_000, 1)


def resting(client_id: str, size_lots: int = LOTS, price_ticks: int = FAR_BELOW_TICKS) -> SendOrder:
    """Return a buying order far below the market."""
    return order(client_id, kind=OrderKind.LIMIT, price_ticks=price_ticks, size_lots=size_lots)


def answers(events: list[AnyEvent]) -> list[AnyEvent]:
    """Return what concerns the account alone."""
    return [event for event in events if type(event).__name__.startswith(("Order", "Cancel", "Account"))]


def refusal(events: list[AnyEvent]) -> str:
    """Return the reason of the one refusal there is."""
    (event,) = answers(events)
    assert isinstance(event, OrderRefused)
    return event.reason


def test_a_market_order_is_acknowledged_traded_and_charged() -> None:
    """Shows the order of answers and the exact taker fee; fails when cash moves by another amount."""
    exchange = exchange_with()
    acknowledged, traded = answers(exchange.submit(0, order("a"), 0))
    assert isinstance(acknowledged, OrderAcknowledged)
    assert isinstance(traded, OrderTraded)
    notional = BTC.notional_quanta(traded.price_ticks, LOTS)
    assert traded.fee_quanta == fee_quanta(notional, BTC.taker_fee_ppm)
    assert exchange.cash_quanta == CASH_QUANTA - notional - traded.fee_quanta
    assert exchange.position_lots("BTC/USD") == LOTS


def test_a_duplicate_id_changes_nothing() -> None:
    """Shows that a repeated order is refused and the first one lives on; fails when it trades twice."""
    exchange = exchange_with()
    exchange.submit(0, resting("a"), 0)
    assert refusal(exchange.submit(1, resting("a"), 1)) == "duplicate client id"
    assert [each.client_id for each in exchange.open_orders()] == ["a"]
    exchange.submit(2, order("b"), 2)
    assert refusal(exchange.submit(3, order("b"), 3)) == "duplicate client id"
    assert exchange.position_lots("BTC/USD") == LOTS


@pytest.mark.parametrize(("age_ns", "reason"), [(2 * SECOND_NS, ""), (2 * SECOND_NS + 1, "deadline passed")])
def test_the_deadline_is_enforced_to_the_nanosecond(age_ns: int, reason: str) -> None:
    """Shows that an order is good up to its deadline and refused after; fails when a late order trades."""
    exchange = exchange_with()
    events = exchange.submit(9 * SECOND_NS, order("a"), 9 * SECOND_NS - age_ns)
    assert (refusal(events) if reason else "") == reason
    assert (exchange.position_lots("BTC/USD") == 0) is bool(reason)


def test_an_order_from_the_future_is_refused() -> None:
    """Shows that a deadline nobody could enforce is not accepted; fails when a wrong clock lengthens it."""
    assert refusal(exchange_with().submit(5, order("a"), 6)) == "sent in the future"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (order("a", size_lots=BTC.size_lots_min - 1), "below minimum size"),
        (order("a", size_lots=10**18), "price or size out of range"),
        (order("a", kind=OrderKind.LIMIT, price_ticks=0), "price or size out of range"),
        (order("a", kind=OrderKind.LIMIT, price_ticks=10**15, size_lots=10**17), "price or size out of range"),
        (order("a", Side.SELL), "insufficient funds"),
        (order("a", size_lots=100_000_000), "insufficient funds"),
        (order("a", reduce_only=True), "nothing to reduce"),
        (order("a", Side.SELL, reduce_only=True), "nothing to reduce"),
        (order(""), "client id must be short printable ASCII"),
        (order("x" * 65), "client id must be short printable ASCII"),
        (SendOrder("a", "NO/USD", Side.BUY, OrderKind.MARKET, 0, LOTS, False, 2_000, 1), "unknown instrument"),  # noqa: FBT003
    ],
)
def test_what_is_refused_and_why(command: SendOrder, reason: str) -> None:
    """Shows each refusal's reason, and that it leaves the books alone; fails when one of these trades or rests."""
    exchange = exchange_with()
    assert refusal(exchange.submit(0, command, 0)) == reason
    assert exchange.cash_quanta == CASH_QUANTA
    assert exchange.open_orders() == ()


def test_resting_orders_hold_their_cash() -> None:
    """Shows that cash can be promised once and is free again after a cancel; fails when two orders share it."""
    exchange = exchange_with(BTC.notional_quanta(FAR_BELOW_TICKS, LOTS) + 10**11)
    exchange.submit(0, resting("a"), 0)
    assert refusal(exchange.submit(1, resting("b"), 1)) == "insufficient funds"
    exchange.submit(2, SendCancel("a"), 2)
    assert isinstance(answers(exchange.submit(3, resting("c"), 3))[0], OrderAcknowledged)


def test_the_last_quantum_is_enough() -> None:
    """Shows that cash for exactly an order and its fee is accepted and one quantum less is not;
    fails when rounding refuses what can be paid, or accepts what cannot.
    """
    notional = BTC.notional_quanta(FAR_BELOW_TICKS, 1_234_567)
    cost = notional + fee_quanta(notional, BTC.taker_fee_ppm)
    assert refusal(exchange_with(cost - 1).submit(0, resting("a", 1_234_567), 0)) == "insufficient funds"
    exchange = exchange_with(cost)
    exchange.submit(0, resting("a", 1_234_567), 0)
    assert len(exchange.open_orders()) == 1
    assert exchange.account.free_quanta() == 0


def test_an_order_that_cost_everything_stays_covered_when_it_fills_in_parts() -> None:
    """Shows that what a partly filled order still holds never exceeds the cash, to the quantum;
    fails when two roundings up hold one quantum that is not there.
    """
    asked = exchange_with().quotes()[0]
    for odd_lots in range(1, 40):
        first_lots = BTC.size_lots_min + odd_lots
        second_lots = asked.ask_lots + 7 * odd_lots
        costs = [BTC.notional_quanta(asked.ask_ticks, size_lots) for size_lots in (first_lots, second_lots)]
        exchange = exchange_with(sum(cost + fee_quanta(cost, BTC.taker_fee_ppm) for cost in costs))
        exchange.submit(0, order("a", size_lots=first_lots), 0)
        command = order("b", kind=OrderKind.LIMIT, price_ticks=asked.ask_ticks, size_lots=second_lots)
        exchange.submit(0, command, 0)
        assert exchange.position_lots("BTC/USD") == asked.ask_lots
        assert len(exchange.open_orders()) == 1
        assert exchange.audit() == ()


def test_a_sell_is_held_to_the_holding_and_reduce_only_shrinks_to_it() -> None:
    """Shows that promised lots cannot be sold again, and that a reduce-only order is cut to what is free and told so;
    fails when a holding becomes negative.
    """
    exchange = exchange_with()
    exchange.submit(0, order("a"), 0)
    half = LOTS // 2
    exchange.submit(1, order("s", Side.SELL, OrderKind.LIMIT, price_ticks=900_000, size_lots=half), 1)
    assert refusal(exchange.submit(2, order("t", Side.SELL), 2)) == "insufficient funds"
    events = answers(exchange.submit(3, order("u", Side.SELL, reduce_only=True), 3))
    assert isinstance(events[-1], OrderEnded)
    assert (events[-1].how, events[-1].filled_lots) == (Ending.CANCELED, half)
    assert exchange.position_lots("BTC/USD") == half


def test_our_own_orders_never_meet() -> None:
    """Shows that a taker stops before our own resting order and its rest is canceled; fails on a self-trade."""
    exchange = exchange_with()
    exchange.submit(0, order("a"), 0)
    quote = exchange.quotes()[0]
    inside = quote.ask_ticks
    exchange.submit(0, order("s", Side.SELL, OrderKind.LIMIT, price_ticks=inside), 0)
    events = answers(
        exchange.submit(0, order("b", kind=OrderKind.LIMIT, price_ticks=inside + 50, size_lots=BTC.size_lots_min), 0)
    )
    assert [type(event) for event in events] == [OrderAcknowledged, OrderEnded]
    assert [each.client_id for each in exchange.open_orders()] == ["s"]


def test_an_order_beyond_the_book_fills_in_part_and_expires() -> None:
    """Shows that a market order takes what is there at worsening prices and the rest expires;
    fails when it fills out of nothing or rests.
    """
    exchange = exchange_with(10**17)
    events = answers(exchange.submit(0, order("a", size_lots=10**10), 0))
    trades = [event for event in events if isinstance(event, OrderTraded)]
    assert [trade.price_ticks for trade in trades] == sorted({trade.price_ticks for trade in trades})
    assert isinstance(events[-1], OrderEnded)
    assert events[-1].how is Ending.EXPIRED
    assert 0 < events[-1].filled_lots == sum(trade.size_lots for trade in trades) < 10**10


def test_fees_of_parts_add_up_to_the_fee_of_the_whole() -> None:
    """Shows that splitting into fills costs nothing extra; fails when each part is rounded up on its own."""
    exchange = exchange_with(10**16)
    exchange.submit(0, order("a", size_lots=600_000_001), 0)
    trades = exchange.trades_of("a")
    notional = sum(BTC.notional_quanta(trade.price_ticks, trade.size_lots) for trade in trades)
    assert len(trades) > 1
    assert sum(trade.fee_quanta for trade in trades) == fee_quanta(notional, BTC.taker_fee_ppm)


def test_a_resting_order_inside_the_spread_is_the_published_best() -> None:
    """Shows that the feed quotes our order too, and no longer after its cancel; fails when the book hides it."""
    exchange = exchange_with()
    now_ns, quote = 0, exchange.quotes()[0]
    while quote.ask_ticks - quote.bid_ticks < 3:
        now_ns += SECOND_NS
        exchange.advance(now_ns)
        quote = exchange.quotes()[0]
    events = exchange.submit(now_ns, resting("a", price_ticks=quote.bid_ticks + 1), now_ns)
    assert isinstance(events[-1], QuoteChanged)
    assert (events[-1].bid_ticks, events[-1].bid_lots) == (quote.bid_ticks + 1, LOTS)
    events = exchange.submit(now_ns, SendCancelAll(), now_ns)
    assert isinstance(events[-1], QuoteChanged)
    assert (events[-1].bid_ticks, events[-1].bid_lots) == (quote.bid_ticks, quote.bid_lots)


def test_a_maker_fill_pays_the_maker_fee_at_its_own_price() -> None:
    """Shows that a resting order fills passively as the market comes to it; fails when it pays another price or fee."""
    exchange = exchange_with()
    price = exchange.quotes()[0].bid_ticks - 100
    exchange.submit(0, resting("a", price_ticks=price), 0)
    exchange.advance(600 * SECOND_NS)
    trades = exchange.trades_of("a")
    assert sum(trade.size_lots for trade in trades) == LOTS
    assert {(trade.price_ticks, trade.maker) for trade in trades} == {(price, True)}
    notional = BTC.notional_quanta(price, LOTS)
    assert sum(trade.fee_quanta for trade in trades) == fee_quanta(notional, BTC.maker_fee_ppm)


def test_questions_are_answered_from_the_books() -> None:
    """Shows each state an order can be reported in; fails when the venue claims to know or not to know."""
    exchange = exchange_with()
    exchange.submit(0, resting("open"), 0)
    exchange.submit(0, order("filled"), 0)
    exchange.submit(0, resting("canceled", price_ticks=FAR_BELOW_TICKS - 1), 0)
    exchange.submit(0, SendCancel("canceled"), 0)
    exchange.submit(0, order("refused", size_lots=1), 0)
    states = {}
    for name in ("open", "filled", "canceled", "refused", "never"):
        (report,) = exchange.submit(0, AskOrder(name), 0)
        assert isinstance(report, OrderReported)
        assert report.filled_lots == sum(trade.size_lots for trade in report.trades)
        states[name] = report.state
    assert states == {
        "open": VenueState.OPEN,
        "filled": VenueState.FILLED,
        "canceled": VenueState.CANCELED,
        "refused": VenueState.REFUSED,
        "never": VenueState.NOT_FOUND,
    }


def test_cancels_of_the_unknown_and_the_done_are_refused() -> None:
    """Shows the two reasons; fails when a cancel of nothing looks like a success."""
    exchange = exchange_with()
    exchange.submit(0, order("done"), 0)
    for name, reason in (("done", "order is not open"), ("never", "unknown order")):
        (event,) = exchange.submit(0, SendCancel(name), 0)
        assert event == CancelRefused(name, reason)


def test_an_account_report_that_lacks_executions_says_so() -> None:
    """Shows that forgotten executions make the answer incomplete, and only for times they belong to;
    fails when a bounded memory pretends to be everything.
    """
    exchange = exchange_with()
    exchange.account._trades_kept_max = 3
    for number in range(5):
        exchange.submit(number * SECOND_NS, order(f"a{number}", size_lots=BTC.size_lots_min), number * SECOND_NS)
    everything, recent = (
        exchange.submit(4 * SECOND_NS, AskAccount(1, from_ns), 4 * SECOND_NS)[-1] for from_ns in (0, 2 * SECOND_NS)
    )
    assert isinstance(everything, AccountReported)
    assert isinstance(recent, AccountReported)
    assert (len(everything.trades), everything.trades_complete) == (3, False)
    assert (len(recent.trades), recent.trades_complete) == (3, True)
    assert exchange.audit() == ()


def test_a_report_is_cut_from_its_new_end() -> None:
    """Shows that a cut report holds the oldest executions, so that asking on from its last finds the rest;
    fails when the cut leaves a hole.
    """
    exchange = exchange_with()
    for number in range(5):
        exchange.submit(number, order(f"a{number}", size_lots=BTC.size_lots_min), number)
    trades, complete = exchange.account.trades_from(1, 2)
    assert ([trade.client_id for trade in trades], complete) == (["a1", "a2"], False)


def test_open_orders_are_bounded() -> None:
    """Shows that the book of one account is finite; fails when an order beyond the limit rests."""
    exchange = exchange_with(10**18)
    for number in range(OPEN_ORDERS_MAX):
        exchange.submit(0, resting(f"a{number}", size_lots=BTC.size_lots_min), 0)
    assert refusal(exchange.submit(0, resting("b", size_lots=BTC.size_lots_min), 0)) == "too many open orders"


def test_memory_of_ended_orders_is_bounded() -> None:
    """Shows that the oldest ended orders are forgotten first and open ones never; fails when memory grows or an open
    order is lost.
    """
    exchange = Exchange((BTC,), 3, CASH_QUANTA, ended_orders_kept_max=5)
    exchange.submit(0, resting("open"), 0)
    for number in range(50):
        exchange.submit(0, order(f"r{number}", size_lots=1), 0)
    assert len(exchange._orders) == 6
    assert [each.client_id for each in exchange.open_orders()] == ["open"]


def test_executions_of_one_order_are_bounded() -> None:
    """Shows that an order filled in endless small parts expires before its report outgrows a frame;
    fails when one order's memory has no end.
    """
    exchange = exchange_with()
    exchange.submit(0, resting("a", size_lots=BTC.size_lots_min), 0)
    (ours,) = exchange.open_orders()
    events: list[AnyEvent] = []
    while ours.state is VenueState.OPEN:
        exchange._listings["BTC/USD"]._fill(ours, FAR_BELOW_TICKS, 1, maker=True, venue_ns=0, events=events)
    (report,) = exchange.submit(0, AskOrder("a"), 0)
    assert events[-1] == OrderEnded("a", Ending.EXPIRED, TRADES_PER_ORDER_MAX, 0)
    assert len(encode(report)) < FRAME_BYTES_MAX
    assert exchange.audit() == ()


def test_time_does_not_go_back() -> None:
    """Shows that a driver's bug stops the run; fails when an exchange would quietly reorder the past."""
    exchange = exchange_with()
    exchange.advance(10)
    with pytest.raises(InvariantBroken):
        exchange.advance(9)


def test_trade_ids_of_a_restarted_venue_differ() -> None:
    """Shows that a new venue's executions cannot be taken for the old one's; fails when a restart repeats an id."""
    ids = set()
    for epoch_ns in (1_000, 2_000):
        exchange = Exchange((BTC,), 3, CASH_QUANTA, epoch_ns=epoch_ns)
        exchange.submit(0, order("a"), 0)
        ids |= {trade.trade_id for trade in exchange.trades_of("a")}
    assert len(ids) == 2


def test_an_exchange_without_prices_or_instruments_is_refused() -> None:
    """Shows that both are said in a sentence; fails when a market starts at zero."""
    with pytest.raises(ConfigError, match="start price"):
        Exchange((BTC,), 1, 0, start_ticks={})
    with pytest.raises(ConfigError, match="at least one"):
        Exchange((), 1, 0)


def test_the_audit_finds_what_is_wrong() -> None:
    """Shows that the audit is not blind: one quantum, one lot, one forgotten hold are each found."""
    for damage in ("cash_quanta", "held_quanta"):
        exchange = exchange_with()
        exchange.submit(0, resting("a"), 0)
        setattr(exchange.account, damage, getattr(exchange.account, damage) + 1)
        assert len(exchange.audit()) == 1
    exchange = exchange_with()
    exchange.account.lots["BTC/USD"] += 1
    assert "holdings" in exchange.audit()[0]
