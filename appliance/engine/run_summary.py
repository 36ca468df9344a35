"""What a run came to, read from what it left behind: the journal, the venue's own books and the last report."""

from pathlib import Path

import msgspec

from appliance.core.values import quanta_to_cash
from appliance.store.verify import verify
from appliance.trading.ledger import Ledger
from appliance.trading.projected import ProjectedLedger
from appliance.venues.simulator.kraken.operator import Books
from appliance.wire.report import Telemetry


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Tell a run in figures; `agreed` means position and cash equal the venue's, to the last unit."""

    synthetic_market: bool
    seed: int
    mode: str
    lamp: str
    events: int
    orders: int
    fills: int
    rejected: int
    journal_rows: int
    chain_head: str
    journal_good: bool
    tick_to_order_us_p50: float | None
    tick_to_order_us_p99: float | None
    tick_to_order_us_p99_9: float | None
    dropped: dict[str, int]
    equity: str
    positions_lots: dict[str, int]
    venue_positions_lots: dict[str, int]
    cash_quanta: int
    venue_cash_quanta: int
    agreed: bool
    restarts: dict[str, int]
    failed: str


class _FoldKept:
    """Let `verify` replay the journal and keep the ledger it came to."""

    def __init__(self) -> None:
        self.ledger = Ledger()

    def make(self) -> ProjectedLedger:
        fold = ProjectedLedger()
        self.ledger = fold.ledger
        return fold


def summarize(
    journal: Path, books: Books, telemetry: Telemetry | None, restarts: dict[str, int], failed: str
) -> Summary:
    """Verify the journal, replay it, and set it beside the venue's books."""
    kept = _FoldKept()
    report = verify(journal, fold_factory=kept.make)
    ledger = kept.ledger
    ours = {name: position.lots for name, position in ledger.positions.items() if position.lots}
    theirs = {name: lots for name, lots in books.holdings.items() if lots}
    venue_cash = books.cash_quanta
    agreed = ours == theirs and ledger.cash_quanta == venue_cash and books.audit_ok
    return Summary(
        synthetic_market=True,
        seed=books.seed,
        mode=telemetry.mode if telemetry else ledger.mode,
        lamp=telemetry.lamp if telemetry else "",
        events=telemetry.events_count if telemetry else 0,
        orders=ledger.intents_count,
        fills=ledger.fills_count,
        rejected=ledger.refused_count,
        journal_rows=ledger.sequence,
        chain_head=report.head,
        journal_good=report.good,
        tick_to_order_us_p50=_microseconds(telemetry.tick_to_order_ns_p50 if telemetry else None),
        tick_to_order_us_p99=_microseconds(telemetry.tick_to_order_ns_p99 if telemetry else None),
        tick_to_order_us_p99_9=_microseconds(telemetry.tick_to_order_ns_p99_9 if telemetry else None),
        dropped={dropped.queue: dropped.count for dropped in telemetry.dropped} if telemetry else {},
        equity=str(quanta_to_cash(telemetry.equity_quanta)) if telemetry else "",
        positions_lots=ours,
        venue_positions_lots=theirs,
        cash_quanta=ledger.cash_quanta,
        venue_cash_quanta=venue_cash,
        agreed=agreed,
        restarts=restarts,
        failed=failed,
    )


def _microseconds(nanoseconds: int | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / 1_000
