"""Fills and ends of an order: in any order, any number of times, and what cannot be is reported."""

import pytest

from appliance.core import commands, events
from appliance.core.values import REFUSED_AS_DUPLICATE, Ending, Side, VenueState
from appliance.trading.orders import State
from tests.unit.trading.builders import (
    OTHER_MARKET,
    SECOND_NS,
    Bench,
    acknowledged,
    ended,
    fold_of,
    refused,
    reported,
    timed_out,
    traded,
)


def test_a_word_that_cannot_be_true_is_reported_and_changes_nothing() -> None:
    """Shows that an order the venue accepted and then refuses, or does not know, contradicts; fails when the order is
    dropped while it may still trade.
    """
    bench = Bench()
    order = bench.opened()
    bench.desk.refused(refused(order))
    bench.desk.reported(reported(order, VenueState.NOT_FOUND))
    assert (order.state, order.exposed_lots, len(bench.desk.contradictions)) == (State.OPEN, 100, 2)


def test_a_fill_before_the_acknowledgement_counts() -> None:
    """Shows that a fill that overtakes its acknowledgement is booked, and the late word changes nothing; fails when it
    is dropped or reopens the order.
    """
    bench = Bench()
    order = bench.sent()
    bench.desk.traded(traded(order, "a", 30))
    assert (order.state, order.exposed_lots) == (State.OPEN, 70)
    bench.desk.traded(traded(order, "b", 70))
    bench.desk.acknowledged(acknowledged(order))
    assert (order.state, bench.ledger.position_lots("BTC/USD")) == (State.FILLED, 100)
    assert bench.desk.contradictions == []


@pytest.mark.parametrize("sequence", [("a", "b", "a"), ("b", "a", "b"), ("a", "a", "b", "b")])
def test_each_trade_is_booked_once(sequence: tuple[str, ...]) -> None:
    """Shows that fills repeated or out of order add up once each; fails when a repetition is booked again."""
    bench = Bench()
    order = bench.opened()
    for trade_id in sequence:
        bench.desk.traded(traded(order, trade_id, 30))
    assert (order.filled_lots, bench.ledger.fills_count, order.fee_quanta) == (60, 2, 14)
    assert bench.desk.contradictions == []


def test_an_overfill_is_booked_and_contradicts() -> None:
    """Shows that a fill beyond the order is kept in the books and reported; fails when it passes in silence."""
    bench = Bench()
    order = bench.opened()
    bench.desk.traded(traded(order, "a", 101))
    assert bench.ledger.position_lots("BTC/USD") == 101
    assert [f"order {order.client_id}: trade a fills more than was ordered"] == bench.desk.contradictions


def test_a_trade_of_a_refused_order_contradicts() -> None:
    """Shows that a fill of an order the venue refused is booked and reported; fails when either is missing."""
    bench = Bench()
    order = bench.sent()
    bench.desk.refused(refused(order))
    bench.desk.traded(traded(order, "a", 10))
    assert bench.ledger.position_lots("BTC/USD") == 10
    assert "of an order that was refused" in bench.desk.contradictions[0]


@pytest.mark.parametrize(
    "change", [{"instrument": OTHER_MARKET}, {"instrument": "XRP/USD"}, {"side": Side.SELL}], ids=str
)
def test_a_trade_that_is_not_the_orders_is_not_booked(change: dict[str, object]) -> None:
    """Shows that a fill naming another market or side is reported and left to the comparison with the venue; fails
    when it is booked or breaks the step.
    """
    bench = Bench()
    order = bench.opened()
    fill = traded(order, "a", 10)
    values = {name: getattr(fill, name) for name in fill.__struct_fields__}
    bench.desk.traded(events.OrderTraded(**values | change))
    assert (bench.ledger.fills_count, len(bench.desk.contradictions)) == (0, 1)


def test_a_duplicate_refused_proves_the_order_exists() -> None:
    """Shows that the refusal of a repeated id leaves the order exposed and asks about it, and means nothing once it is
    settled; fails when a working order is taken for refused.
    """
    bench = Bench()
    order, done = bench.sent(), bench.opened()
    bench.desk.ended(ended(done))
    for each in (order, done):
        bench.desk.refused(events.OrderRefused(each.client_id, REFUSED_AS_DUPLICATE))
    assert bench.asked() == [commands.AskOrder(order.client_id)]
    assert (order.exposed_lots, done.state, bench.desk.contradictions) == (100, State.CANCELED, [])


@pytest.mark.parametrize("how", Ending, ids=str)
def test_a_partial_fill_then_an_end_frees_the_rest(how: Ending) -> None:
    """Shows that an ended order keeps its fills and exposes nothing more; fails when the rest stays or fills go."""
    bench = Bench()
    order = bench.opened()
    bench.desk.traded(traded(order, "a", 40))
    bench.desk.ended(ended(order, 40, how))
    assert (order.filled_lots, order.exposed_lots, order.state) == (40, 0, State(how.value))
    assert list(bench.ledger.unsettled()) == []


def test_fills_announced_by_the_end_stay_exposure_until_seen() -> None:
    """Shows that an end naming more fills than we saw keeps them exposed and asks until they arrive; fails when the
    order is closed on the venue's total alone.
    """
    bench = Bench()
    order = bench.opened()
    bench.desk.ended(ended(order, 60))
    assert (order.state, order.exposed_lots) == (State.CANCELED, 60)
    assert bench.pass_time(SECOND_NS) == [commands.AskOrder(order.client_id)]
    assert bench.pass_time(SECOND_NS + 1) == []
    bench.desk.traded(traded(order, "a", 60))
    assert (order.settled, order.state) == (True, State.CANCELED)
    assert bench.pass_time(9 * SECOND_NS) == []


def test_fills_announced_after_the_order_was_settled_reopen_the_question() -> None:
    """Shows that an order believed settled is asked about again when the venue names more fills; fails when nobody
    follows it any more.
    """
    bench = Bench()
    order = bench.opened()
    bench.desk.ended(ended(order, 0))
    assert order.settled
    bench.desk.reported(reported(order, VenueState.CANCELED, 25))
    assert order.exposed_lots == 25
    assert bench.pass_time(SECOND_NS) == [commands.AskOrder(order.client_id)]
    bench.desk.cancel(order)
    bench.desk.traded(traded(order, "late", 25))
    assert order.settled
    assert fold_of(bench.replayed()) == fold_of(bench.ledger)


def test_a_total_beyond_the_order_contradicts() -> None:
    """Shows that an end naming more lots than were ordered is reported; fails when it waits for them for ever."""
    bench = Bench()
    order = bench.opened()
    bench.desk.ended(ended(order, 101))
    assert len(bench.desk.contradictions) == 1
    assert order.exposed_lots <= order.size_lots


def test_late_words_about_a_filled_order_change_nothing() -> None:
    """Shows that whatever is repeated after the end writes no row and contradicts nothing; fails when it does."""
    bench = Bench()
    order = bench.opened()
    bench.desk.traded(traded(order, "a", 100))
    bench.asked()
    rows_count = len(bench.rows)
    bench.desk.acknowledged(acknowledged(order))
    bench.desk.timed_out(timed_out(order))
    bench.desk.ended(ended(order, 100))
    bench.desk.traded(traded(order, "a", 100))
    bench.desk.reported(reported(order, VenueState.FILLED, 100, (traded(order, "a", 100),)))
    bench.desk.missing_fills(events.CancelRefused(order.client_id, "gone"))
    bench.asked()
    assert (len(bench.rows), bench.desk.contradictions) == (rows_count, [])
