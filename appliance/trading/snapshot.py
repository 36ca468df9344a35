"""A ledger as one document, and back: a recording carries it, so that a replay needs no journal.

Every slot that holds state has a field of its own name here (without the underscore). The order of the documents is
kept, because the ledger is walked in that order and a replay must walk it alike; an order that is working is the same
object in both of the ledger's tables, so that table is a list of names.
"""

from typing import Any, TypeVar

import msgspec

from appliance.core.errors import WireError
from appliance.core.values import OrderKind, Side
from appliance.trading.ledger import Ledger, OrderView, Position
from appliance.trading.orders import State

_FilledT = TypeVar("_FilledT", OrderView, Position)


class PositionDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hold one position's slots."""

    lots: int
    cost_quanta: int
    realized_quanta: int
    fees_quanta: int
    opened_wall_ns: dict[str, int]
    lots_by_strategy: dict[str, int]


class OrderDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hold one order's slots."""

    client_id: str
    instrument: str
    strategy: str
    side: Side
    order_kind: OrderKind
    price_ticks: int
    size_lots: int
    reduce_only: bool
    reason: str
    sequence: int
    planned_wall_ns: int
    trace: int
    state: State
    filled_lots: int
    expected_lots: int
    notional_quanta: int
    fee_quanta: int
    trade_ids: list[str]
    trigger_ticks: int = 0
    asked_lots: int = 0
    asked_price_ticks: int = 0
    asked_trigger_ticks: int = 0
    changed_venue_ns: int = 0


class LedgerDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hold a ledger's slots."""

    sequence: int
    boot_count: int
    funded: bool
    cash_quanta: int
    peak_quanta: int
    day: int
    day_start_quanta: int
    mode: str
    mode_reason: str
    mode_wall_ns: int
    latch_sequence: int
    start_sequence: int
    last_trade_ns: int
    intents_count: int
    fills_count: int
    refused_count: int
    rows_lost: int
    parameters: dict[str, str]
    positions: dict[str, PositionDocument]
    orders: tuple[OrderDocument, ...]
    working: tuple[str, ...]
    closed: tuple[str, ...]
    breakers: dict[str, dict[str, str | int]] = {}
    model_stages: dict[str, str] = {}
    steps: dict[str, tuple[str, str]] = {}


_STRUCTURED = ("positions", "orders", "working", "closed")
_PLAIN = tuple(name for name in LedgerDocument.__struct_fields__ if name not in _STRUCTURED)
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(LedgerDocument)


def freeze(ledger: Ledger) -> bytes:
    """Return everything the ledger holds as one document."""
    document = LedgerDocument(
        **{name: getattr(ledger, name) for name in _PLAIN},
        positions={name: PositionDocument(**_slots(position)) for name, position in ledger.positions.items()},
        orders=tuple(OrderDocument(**_slots(order)) for order in ledger.orders.values()),
        working=tuple(ledger.working),
        closed=tuple(ledger._closed),  # noqa: SLF001 - a snapshot is whole or it is none
    )
    return _ENCODER.encode(document)


def thaw(data: bytes) -> Ledger:
    """Return the ledger that was frozen, refusing a document that is not one."""
    document = _decode(data)
    ledger = Ledger()
    for name in _PLAIN:
        setattr(ledger, name, getattr(document, name))
    ledger.positions = {name: _filled(Position(), each) for name, each in document.positions.items()}
    ledger.orders = {each.client_id: _filled(OrderView.__new__(OrderView), each) for each in document.orders}
    unknown = [name for name in document.working if name not in ledger.orders]
    if unknown:
        raise WireError(f"the ledger snapshot says that order {unknown[0]} is working but does not hold it")
    ledger.working = {name: ledger.orders[name] for name in document.working}
    ledger._closed.extend(document.closed)  # noqa: SLF001 - as in freeze
    return ledger


def _decode(data: bytes) -> LedgerDocument:
    try:
        return _DECODER.decode(data)
    except (ValueError, RecursionError) as problem:  # msgspec's errors are ValueErrors
        raise WireError(f"the ledger snapshot is not readable: {problem}") from problem


def _slots(holder: OrderView | Position) -> dict[str, Any]:
    return {name: getattr(holder, name) for name in holder.__slots__}


def _filled(holder: _FilledT, document: OrderDocument | PositionDocument) -> _FilledT:
    for name in document.__struct_fields__:
        setattr(holder, name, getattr(document, name))
    return holder
