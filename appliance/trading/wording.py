"""How an order and a change of one are put to the venue: everything it says comes from the order's own records."""

from appliance.core.commands import SendAmend, SendOrder
from appliance.core.values import SelfTrade
from appliance.trading.ledger import OrderView

_NS_PER_MS = 1_000_000


def order_of(order: OrderView, deadline_ns: int) -> SendOrder:
    """Word an order as it was planned."""
    return SendOrder(
        order.client_id,
        order.instrument,
        order.side,
        order.order_kind,
        order.price_ticks,
        order.size_lots,
        order.reduce_only,
        deadline_ns // _NS_PER_MS,
        order.trace,
        order.trigger_ticks,
        # A stop that wakes must go on; an entry that is in its way can be given up.
        SelfTrade.CANCEL_OLDEST if order.protects else SelfTrade.CANCEL_NEWEST,
    )


def change_of(order: OrderView, deadline_ns: int, now_ns: int) -> SendAmend:
    """Word the change that was asked for last, known again by the moment it is said."""
    return SendAmend(
        order.client_id,
        order.instrument,
        order.asked_lots,
        order.asked_price_ticks,
        order.asked_trigger_ticks,
        deadline_ns // _NS_PER_MS,
        now_ns,
    )
