"""What the journal's rows add up to, added up a second time and in another way.

The ledger folds records into orders and positions; this keeps only sets and sums, so that a mistake in the one is not
a mistake in the other. Beside it runs a second ledger that is fed nothing but the rows' bytes.
"""

from appliance.core.records import Row
from appliance.trading import records
from appliance.trading.ledger import Ledger
from appliance.trading.orders import Move
from appliance.venues.simulator.exchange import Exchange
from appliance.world.coverage import Coverage


class Books:
    """Add up every row that was written in this journal."""

    def __init__(self) -> None:
        """Begin before the first row."""
        self.shadow = Ledger()
        self.cash_quanta = 0
        self.lots: dict[str, int] = {}
        self.trade_ids: set[str] = set()
        self.intent_rows: dict[str, int] = {}
        self.faults: list[str] = []
        self.last_intent: records.Intent | None = None

    def add(self, row: Row, exchange: Exchange, coverage: Coverage | None = None) -> str:
        """Add one row and return what is wrong with it, if anything; a row that is new is counted as a turn."""
        record = records.decode(row)
        if coverage is not None:
            self._count_turn(record, coverage)
        self.shadow.apply(row.sequence, row.wall_ns, row.trace, record)
        match record:
            case records.Account():
                self.cash_quanta = record.cash_quanta
            case records.Intent():
                self.intent_rows[record.client_id] = row.sequence
                self.last_intent = record
            case records.Fill():
                return self._add_fill(record, exchange)
            case records.Mode() if record.new == "FAULT":
                self.faults.append(record.reason)
            case _:
                pass
        return ""

    def _count_turn(self, record: records.AnyRecord, coverage: Coverage) -> None:
        if isinstance(record, records.Mode):
            coverage.mode_moved(record.old, record.new)
        elif isinstance(record, records.Order) and (order := self.shadow.orders.get(record.client_id)) is not None:
            coverage.order_moved(order.state, record.move)
        elif isinstance(record, records.Fill) and (order := self.shadow.orders.get(record.client_id)) is not None:
            whole = order.filled_lots + record.size_lots >= order.largest_lots
            coverage.order_moved(order.state, Move.COMPLETE if whole else Move.FILL)

    def _add_fill(self, fill: records.Fill, exchange: Exchange) -> str:
        notional = exchange.instruments[fill.instrument].notional_quanta(fill.price_ticks, fill.size_lots)
        self.cash_quanta -= fill.side.sign * notional + fill.fee_quanta
        self.lots[fill.instrument] = self.lots.get(fill.instrument, 0) + fill.side.sign * fill.size_lots
        if fill.trade_id in self.trade_ids:
            return f"trade {fill.trade_id} was booked twice"
        self.trade_ids.add(fill.trade_id)
        told = (fill.trade_id, fill.side, fill.price_ticks, fill.size_lots, fill.fee_quanta)
        known = exchange.trades_of(fill.client_id)
        true = any(told == (t.trade_id, t.side, t.price_ticks, t.size_lots, t.fee_quanta) for t in known)
        return "" if true else f"trade {fill.trade_id} was booked otherwise than the venue executed it"
