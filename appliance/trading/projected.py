"""The ledger as documents: what changed with each row, for the tables that reports read."""

from collections.abc import Iterable

import msgspec

from appliance.core.records import Row
from appliance.trading import records
from appliance.trading.ledger import Ledger, OrderView, Position

_encode = msgspec.json.Encoder(order="deterministic").encode


class ProjectedLedger:
    """Fold rows and remember which documents they touched."""

    __slots__ = ("_changed", "ledger")

    def __init__(self) -> None:
        """Begin before the first row."""
        self.ledger = Ledger()
        self._changed: dict[tuple[str, str], bytes] = {}

    def apply(self, row: Row) -> None:
        """Fold one row in."""
        record = records.decode(row)
        self.ledger.apply(row.sequence, row.wall_ns, row.trace, record)
        if isinstance(record, records.Intent | records.Change | records.Changed | records.Order | records.Fill):
            order = self.ledger.orders.get(record.client_id)
            if order is not None:
                self._touch("orders", record.client_id, _order_document(order))
        if isinstance(record, records.Fill):
            position = self.ledger.positions[record.instrument]
            self._touch("positions", record.instrument, _position_document(position))
        elif isinstance(record, records.Steps):
            self._count_anew(record.instrument)
        elif isinstance(record, records.Mode):
            self._touch("modes", f"{row.sequence:012d}", records.plain(record) | {"wall_ns": row.wall_ns})
        elif isinstance(record, records.Equity):
            self._touch("equity", f"{row.sequence:012d}", records.plain(record) | {"wall_ns": row.wall_ns})
        elif isinstance(record, records.Parameters):
            for name, value in record.values.items():
                self._touch("parameters", name, {"value": value, "sequence": row.sequence})

    def _count_anew(self, instrument: str) -> None:
        if instrument in self.ledger.positions:
            self._touch("positions", instrument, _position_document(self.ledger.positions[instrument]))
        for order in self.ledger.orders.values():
            if order.instrument == instrument:
                self._touch("orders", order.client_id, _order_document(order))

    def changed(self) -> Iterable[tuple[str, str, bytes]]:
        """Return the documents touched since last asked, each in its newest form."""
        touched = [(table, key, document) for (table, key), document in self._changed.items()]
        self._changed.clear()
        return touched

    def _touch(self, table: str, key: str, document: dict[str, object]) -> None:
        self._changed[table, key] = _encode(document)


def _order_document(order: OrderView) -> dict[str, object]:
    return {
        "instrument": order.instrument,
        "strategy": order.strategy,
        "side": order.side,
        "order_kind": order.order_kind,
        "price_ticks": order.price_ticks,
        "trigger_ticks": order.trigger_ticks,
        "size_lots": order.size_lots,
        "filled_lots": order.filled_lots,
        "exposed_lots": order.exposed_lots,
        "notional_quanta": order.notional_quanta,
        "fee_quanta": order.fee_quanta,
        "state": order.state,
        "reduce_only": order.reduce_only,
        "reason": order.reason,
        "trace": order.trace,
    }


def _position_document(position: Position) -> dict[str, object]:
    return {
        "lots": position.lots,
        "cost_quanta": position.cost_quanta,
        "realized_quanta": position.realized_quanta,
        "fees_quanta": position.fees_quanta,
        "lots_by_strategy": position.lots_by_strategy,
    }
