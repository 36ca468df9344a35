"""What the journal's rows add up to, added up a second time and in another way.

The ledger folds records into orders and positions; this keeps only sets and sums, so that a mistake in the one is not
a mistake in the other. Beside it runs a second ledger that is fed nothing but the rows' bytes.
"""

from appliance.core.records import Row
from appliance.trading import records
from appliance.trading.ledger import Ledger
from appliance.venues.simulator.exchange import Exchange


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

    def add(self, row: Row, exchange: Exchange) -> str:
        """Add one row and return what is wrong with it, if anything."""
        record = records.decode(row)
        self.shadow.apply(row.sequence, row.wall_ns, row.trace, record)
        match record:
            case records.Account():
                self.cash_quanta = record.cash_quanta
            case records.Intent():
                self.intent_rows[record.client_id] = row.sequence
            case records.Fill():
                return self._add_fill(record, exchange)
            case records.Mode() if record.new == "FAULT":
                self.faults.append(record.reason)
            case _:
                pass
        return ""

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
