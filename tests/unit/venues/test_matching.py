"""Price-time priority between synthetic makers and our orders."""

from appliance.core.commands import SendOrder
from appliance.core.values import OrderKind, Side
from appliance.venues.simulator.matching import Place, queue_for, take
from appliance.venues.simulator.orders import VenueOrder


def resting(client_id: str, price_ticks: int, size_lots: int, ahead_lots: int = 0) -> VenueOrder:
    """Return one of our selling orders with that much in front of it."""
    order = VenueOrder(
        SendOrder(
            client_id, "BTC/USD", Side.SELL, OrderKind.LIMIT, price_ticks, size_lots, reduce_only=False,
            deadline_ms=1_000, trace=0,
        ),
        "V1",
    )  # fmt: skip
    order.ahead_lots = ahead_lots
    return order


def said(places: list[Place]) -> list[tuple[int, int, str]]:
    """Return places in a form that can be compared."""
    return [(place.price_ticks, place.size_lots, place.order.client_id if place.order else "") for place in places]


def test_time_priority_within_a_price() -> None:
    """Shows what was there before us trades first, what came after us last, and our own orders in the order they came;
    fails when we jump the queue or are held behind newcomers.
    """
    first, second = resting("first", 100, 5, ahead_lots=10), resting("second", 100, 7, ahead_lots=12)
    assert said(queue_for(1, [(100, 20), (101, 30)], [first, second])) == [
        (100, 10, ""),
        (100, 5, "first"),
        (100, 2, ""),
        (100, 7, "second"),
        (100, 8, ""),
        (101, 30, ""),
    ]


def test_price_priority_beats_time() -> None:
    """Shows that a better price of ours trades first although it came later; fails when levels are walked by age."""
    order = resting("inside", 99, 5)
    assert said(queue_for(1, [(100, 20)], [order]))[0] == (99, 5, "inside")


def test_a_seller_walks_the_bids_downwards() -> None:
    """Shows the same for the other side; fails when a sign is wrong."""
    assert said(queue_for(-1, [(100, 1), (98, 2)], [resting("between", 99, 3)])) == [
        (100, 1, ""),
        (99, 3, "between"),
        (98, 2, ""),
    ]


def test_makers_that_left_are_not_waited_for() -> None:
    """Shows that the lots ahead of us never exceed those that are there; fails when we queue behind ghosts."""
    assert said(queue_for(1, [(100, 4)], [resting("ours", 100, 5, ahead_lots=10)])) == [(100, 4, ""), (100, 5, "ours")]


def test_a_taker_stops_at_its_size_and_its_limit() -> None:
    """Shows both ends of a sweep; fails when a limit pays one tick too much or a lot is taken twice."""
    places = queue_for(1, [(100, 4), (101, 4), (102, 4)], [])
    assert said(take(1, 6, places)) == [(100, 4, ""), (101, 2, "")]
    assert said(take(1, 100, places, 101)) == [(100, 4, ""), (101, 4, "")]
    assert take(1, 100, places, 99) == []
