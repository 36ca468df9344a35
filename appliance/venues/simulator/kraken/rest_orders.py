"""Spell orders and executions as the private REST calls do."""

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.events import OrderTraded
from appliance.core.values import VenueState, quanta_to_cash
from appliance.venues.simulator.kraken.names import Listed
from appliance.venues.simulator.terms import LIMITED, TRIGGERED, PaperOrder
from appliance.wire.kraken.serving.encoding import fixed

_STATUSES = {
    VenueState.OPEN: "open",
    VenueState.FILLED: "closed",
    VenueState.CANCELED: "canceled",
    VenueState.EXPIRED: "expired",
}


def described(order: PaperOrder, listed: Listed) -> dict[str, object]:
    """Return an order in words, with its two prices."""
    terms, price = order.terms, listed.grid.price_digits
    first, second = terms.price_ticks, 0
    if terms.order_type in TRIGGERED:
        first, second = terms.trigger_ticks, terms.price_ticks
    volume = fixed(order.size_lots, listed.grid.size_digits)
    words = f"{order.side.value} {volume} {listed.alternative} @ {terms.order_type.value}"
    if first:
        words += f" {fixed(first, price)}"
    if second:
        words += f" -> limit {fixed(second, price)}"
    close = terms.close
    return {
        "pair": listed.alternative,
        "aclass": "forex",
        "type": order.side.value,
        "ordertype": terms.order_type.value,
        "price": fixed(first, price) if first else "0",
        "price2": fixed(second, price) if second else "0",
        "leverage": "none",
        "order": words,
        "close": "" if close is None else f"close position @ {close.order_type.value}",
    }


def order_entry(order: PaperOrder, listed: Listed) -> dict[str, object]:
    """Return what OpenOrders, ClosedOrders and QueryOrders say of an order."""
    terms, grid = order.terms, listed.grid
    average = order.told_quanta // (order.told_lots * listed.instrument.tick_lot_quanta) if order.told_lots else 0
    limited = terms.price_ticks if terms.order_type in LIMITED & TRIGGERED else 0
    entry: dict[str, object] = {
        "refid": terms.parent_id or None,
        "userref": terms.reference,
        "status": _STATUSES.get(order.state, "canceled"),
        "opentm": _seconds(order.opened_ns),
        "starttm": 0,
        "expiretm": _seconds(terms.expire_ns),
        "descr": described(order, listed),
        "vol": fixed(order.size_lots, grid.size_digits),
        "vol_exec": fixed(order.told_lots, grid.size_digits),
        "cost": f"{quanta_to_cash(order.told_quanta):f}",
        "fee": f"{quanta_to_cash(order.fees_quanta):f}",
        "price": fixed(average, grid.price_digits),
        "stopprice": fixed(terms.trigger_ticks, grid.price_digits),
        "limitprice": fixed(limited, grid.price_digits),
        "misc": "amended" if order.amended else "",
        "oflags": "fciq,post" if terms.post_only else "fciq",
    }
    if terms.client_id:
        entry["cl_ord_id"] = terms.client_id
    if order.state is not VenueState.OPEN:
        entry |= {"closetm": _seconds(order.closed_ns), "reason": order.reason or None}
    return entry


def trade_entry(trade: OrderTraded, order: PaperOrder | None, listed: Listed) -> dict[str, object]:
    """Return what TradesHistory says of an execution; an order that is forgotten is named by its id alone."""
    grid = listed.grid
    cost = listed.instrument.notional_quanta(trade.price_ticks, trade.size_lots)
    entry: dict[str, object] = {
        "ordertxid": trade.client_id,
        "postxid": trade.client_id,
        "pair": listed.code,
        "aclass": "forex",
        "time": _seconds(trade.venue_ns),
        "type": trade.side.value,
        "ordertype": order.terms.order_type.value if order else "limit",
        "price": fixed(trade.price_ticks, grid.price_digits),
        "cost": f"{quanta_to_cash(cost):f}",
        "fee": f"{quanta_to_cash(trade.fee_quanta):f}",
        "vol": fixed(trade.size_lots, grid.size_digits),
        "margin": "0.0",
        "misc": "",
        "trade_id": int(trade.trade_id.split("-")[1]),
        "maker": trade.maker,
    }
    return entry | ({"cl_ord_id": order.terms.client_id} if order and order.terms.client_id else {})


def _seconds(moment_ns: int) -> float:
    return moment_ns / NANOSECONDS_PER_SECOND
