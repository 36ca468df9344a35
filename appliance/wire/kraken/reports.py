"""The venue's REST answers about the account and its orders, as the reports the trader compares its books with.

A cash or holding balance may be finer than our books; what is below their unit is left out, for it can neither be
traded nor spent.
"""

from collections.abc import Iterable, Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Final, NamedTuple, TypeVar

from appliance.core.events import AccountReported, Holding, OpenOrder, OrderReported, OrderTraded
from appliance.core.instruments import Instrument
from appliance.core.values import STOP_KINDS, OrderKind, Side, VenueState, cash_to_quanta
from appliance.wire.kraken.names import Names, asset
from appliance.wire.kraken.orders import amount_steps, fee_quanta
from appliance.wire.kraken.refusals import Reason, Refused, refused
from appliance.wire.kraken.rest import OrderInfo, TradeInfo, seconds_ns

T = TypeVar("T")
_STATES: Final = {
    "pending": VenueState.OPEN,
    "open": VenueState.OPEN,
    "closed": VenueState.FILLED,
    "canceled": VenueState.CANCELED,
    "expired": VenueState.EXPIRED,
}


class Account(NamedTuple):
    """Hold what the venue answered about the account, moments apart."""

    balances: Mapping[str, Decimal]
    open_orders: Mapping[str, OrderInfo]
    closed_orders: Mapping[str, OrderInfo]
    trades: Mapping[str, TradeInfo]
    complete: bool
    venue_ns: int


def account_report(request: int, account: Account, names: Names) -> AccountReported | Refused:
    """Return the account as the trader compares it."""
    ours = _client_ids({**account.closed_orders, **account.open_orders})
    trades = _all(_trade(key, trade, ours, names) for key, trade in account.trades.items())
    orders = _all(_open_order(key, info, names) for key, info in account.open_orders.items())
    if isinstance(trades, Refused):
        return trades
    if isinstance(orders, Refused):
        return orders
    held: dict[str, Decimal] = {}
    for name, amount in account.balances.items():
        held[asset(name)] = held.get(asset(name), Decimal(0)) + amount
    return AccountReported(
        request=request,
        cash_quanta=cash_to_quanta(held.get(names.quote, Decimal(0))),
        holdings=tuple(
            Holding(each.symbol, lots)
            for each in names.instruments.values()
            if (lots := _whole_lots(held.get(each.base, Decimal(0)), each))
        ),
        open_orders=orders,
        trades=tuple(sorted(trades, key=lambda trade: trade.venue_ns)),
        trades_complete=account.complete,
        venue_ns=account.venue_ns,
    )


def order_report(
    client_id: str, order_id: str, info: OrderInfo, trades: Mapping[str, TradeInfo], names: Names, venue_ns: int
) -> OrderReported | Refused:
    """Return one order as the venue knows it, refused when its executions are not all there."""
    instrument, state = names.find(info.descr.pair), _STATES.get(info.status)
    if instrument is None or state is None:
        return refused(Reason.UNKNOWN_SYMBOL, f"{info.descr.pair} {info.status}")
    filled = amount_steps(info.vol_exec, instrument, price=False, smallest=0)
    own = {key: trade for key, trade in trades.items() if trade.ordertxid == order_id}
    told = _all(_trade(key, trade, {order_id: client_id}, names) for key, trade in own.items())
    if isinstance(filled, Refused):
        return filled
    if isinstance(told, Refused):
        return told
    if sum(trade.size_lots for trade in told) != filled:
        return refused(Reason.WRONG_SHAPE, f"order {client_id} is filled further than its executions tell")
    return OrderReported(client_id, state, filled, tuple(sorted(told, key=lambda trade: trade.venue_ns)), venue_ns)


def not_found(client_id: str, venue_ns: int) -> OrderReported:
    """Return the report of an order that the venue does not know."""
    return OrderReported(client_id, VenueState.NOT_FOUND, 0, (), venue_ns)


def _client_ids(orders: Mapping[str, OrderInfo]) -> dict[str, str]:
    return {key: info.cl_ord_id for key, info in orders.items() if info.cl_ord_id}


def _trade(key: str, trade: TradeInfo, ours: Mapping[str, str], names: Names) -> OrderTraded | Refused:
    instrument = names.find(trade.pair)
    if instrument is None or trade.type not in {Side.BUY, Side.SELL}:
        return refused(Reason.UNKNOWN_SYMBOL, f"{trade.type} {trade.pair}")
    ticks = amount_steps(trade.price, instrument, price=True)
    lots = amount_steps(trade.vol, instrument, price=False)
    if isinstance(ticks, Refused):
        return ticks
    if isinstance(lots, Refused):
        return lots
    return OrderTraded(
        client_id=trade.cl_ord_id or ours.get(trade.ordertxid, trade.ordertxid),
        trade_id=key,
        instrument=instrument.symbol,
        side=Side(trade.type),
        price_ticks=ticks,
        size_lots=lots,
        fee_quanta=fee_quanta(trade.fee),
        maker=trade.maker,
        venue_ns=seconds_ns(trade.time),
    )


def _open_order(key: str, info: OrderInfo, names: Names) -> OpenOrder | Refused:
    instrument, description = names.find(info.descr.pair), info.descr
    if instrument is None or description.type not in {Side.BUY, Side.SELL}:
        return refused(Reason.UNKNOWN_SYMBOL, f"{description.type} {description.pair}")
    # A stop's first price is its trigger, its second one what it may sell at ("Get Open Orders", descr).
    stop = description.ordertype in STOP_KINDS
    known = description.ordertype in {each.value for each in OrderKind}
    ticks = amount_steps(description.price, instrument, price=True, smallest=0)
    lots = amount_steps(info.vol, instrument, price=False)
    filled = amount_steps(info.vol_exec, instrument, price=False, smallest=0)
    second = amount_steps(description.price2, instrument, price=True, smallest=0)
    if isinstance(second, Refused):
        return second
    if isinstance(ticks, Refused) or isinstance(lots, Refused) or isinstance(filled, Refused):
        return next(part for part in (ticks, lots, filled) if isinstance(part, Refused))
    return OpenOrder(
        client_id=info.cl_ord_id or key,
        instrument=instrument.symbol,
        side=Side(description.type),
        kind=OrderKind(description.ordertype) if known else OrderKind.MARKET,
        price_ticks=second if stop else ticks,
        size_lots=lots,
        filled_lots=filled,
        trigger_ticks=ticks if stop else 0,
    )


def _whole_lots(amount: Decimal, instrument: Instrument) -> int:
    return int((amount / instrument.lot).to_integral_value(ROUND_FLOOR))


def _all(parts: Iterable[T | Refused]) -> tuple[T, ...] | Refused:
    good: list[T] = []
    for part in parts:
        if isinstance(part, Refused):
            return part
        good.append(part)
    return tuple(good)
