"""Ledgers for tests: made from records, and taken apart without the help of what is tested."""

from collections import deque
from typing import Any

from appliance.core.values import OrderKind, Side
from appliance.trading import records
from appliance.trading.ledger import Ledger, OrderView, Position


def everything_in(holder: Ledger | OrderView | Position) -> Any:  # noqa: ANN401 - a tree of plain values
    """Return all slots as a tree that keeps the order of every table."""
    return {name: _plain(getattr(holder, name)) for name in holder.__slots__ if name != "_appliers"}


def _plain(value: Any) -> Any:  # noqa: ANN401 - as above
    if isinstance(value, dict):
        return [(key, _plain(each)) for key, each in value.items()]
    if isinstance(value, list | deque):
        return [_plain(each) for each in value]
    if isinstance(value, Ledger | OrderView | Position):
        return everything_in(value)
    return value


def apply(ledger: Ledger, record: records.AnyRecord) -> None:
    """Fold one record in as the next row."""
    sequence = ledger.sequence + 1
    ledger.apply(sequence, sequence * 1_000, sequence * 7, record)


def intent(ledger: Ledger, instrument: str = "BTC/USD", strategy: str = "trend", side: Side = Side.BUY) -> str:
    """Plan an order and return its name."""
    name = f"order-{ledger.sequence + 1}"
    record = records.Intent(
        client_id=name,
        instrument=instrument,
        strategy=strategy,
        side=side,
        order_kind=OrderKind.LIMIT,
        price_ticks=640_000,
        size_lots=100,
        reduce_only=False,
        reason="because",
    )
    apply(ledger, record)
    return name


def fill(ledger: Ledger, name: str, lots: int) -> None:
    """Fill some of an order."""
    order = ledger.orders[name]
    trade = f"{name}/{len(order.trade_ids)}"
    record = records.Fill(
        client_id=name,
        trade_id=trade,
        instrument=order.instrument,
        side=order.side,
        price_ticks=640_000,
        size_lots=lots,
        notional_quanta=lots * 640,
        fee_quanta=lots,
        maker=False,
        venue_ns=ledger.sequence,
    )
    apply(ledger, record)


def moved(ledger: Ledger, name: str, state: str, filled_lots: int = 0) -> None:
    """Note another state of an order."""
    apply(ledger, records.Order(name, "cancel", state, filled_lots, "because"))


def ledger_of_orders(count: int, ledger: Ledger | None = None) -> Ledger:
    """Return a ledger with that many more orders in every state, some unsettled."""
    ledger = Ledger() if ledger is None else ledger
    for number in range(count):
        name = intent(ledger, ("BTC/USD", "ETH/USD")[number % 2], ("trend", "reversion")[number % 3 % 2])
        if number % 5 == 0:
            moved(ledger, name, "canceled", filled_lots=40)  # announces a fill that has not come: unsettled
        if number % 10 != 0:
            fill(ledger, name, 40)
        if number % 3 == 0:
            moved(ledger, name, "canceled", filled_lots=40)
        elif number % 7 != 0:
            fill(ledger, name, 60)
    return ledger
