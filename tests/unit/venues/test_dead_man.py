"""The venue's own timer."""

from appliance.core.commands import SendOrder, SetDeadMan
from appliance.core.events import AnyEvent, DeadManFired, OrderEnded
from appliance.core.values import Ending, OrderKind, Side
from appliance.venues.simulator.exchange import DEAD_MAN_S_MAX, Exchange, is_market_data
from appliance.venues.simulator.instruments import BUILT_IN

SECOND_NS = 1_000_000_000
BTC = BUILT_IN[0]


def answers(events: list[AnyEvent]) -> list[AnyEvent]:
    """Return what concerns the account alone."""
    return [event for event in events if not is_market_data(event)]


def test_the_dead_man_fires_when_not_refreshed_and_only_then() -> None:
    """Shows that refreshing and disarming hold it off and silence lets it fire; fails when orders outlive it."""
    exchange = Exchange((BTC,), 3, 10**14)
    exchange.submit(0, SetDeadMan(10), 0)
    order = SendOrder("a", BTC.symbol, Side.BUY, OrderKind.LIMIT, 500_000, 1_000_000, False, 2_000, 1)  # noqa: FBT003
    exchange.submit(0, order, 0)
    exchange.submit(9 * SECOND_NS, SetDeadMan(10), 0)
    assert answers(exchange.advance(19 * SECOND_NS - 1)) == []
    events = answers(exchange.advance(30 * SECOND_NS))
    assert events == [
        OrderEnded("a", Ending.CANCELED, 0, 19 * SECOND_NS),
        DeadManFired(19 * SECOND_NS),
    ]
    exchange.submit(30 * SECOND_NS, SetDeadMan(1), 0)
    exchange.submit(30 * SECOND_NS, SetDeadMan(0), 0)
    assert answers(exchange.advance(60 * SECOND_NS)) == []


def test_the_dead_man_cannot_be_put_off_for_ever() -> None:
    """Shows that an absurd wait is cut to the limit and a negative one changes nothing; fails if either disarms."""
    exchange = Exchange((BTC,), 3, 0, trade_interval_ns=SECOND_NS * 60)
    exchange.submit(0, SetDeadMan(10**9), 0)
    exchange.submit(0, SetDeadMan(-5), 0)
    assert answers(exchange.advance(DEAD_MAN_S_MAX * SECOND_NS)) == [DeadManFired(DEAD_MAN_S_MAX * SECOND_NS)]
