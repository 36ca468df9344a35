"""A trader's outside made from a script: the real report server over a journal in memory, with rows that read well."""

import itertools
import random
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from appliance.core.identifiers import client_id
from appliance.core.records import Row
from appliance.core.values import QUANTA_PER_QUOTE_UNIT, OrderKind, Side
from appliance.engine.report_server import ReportLimits, ReportServer
from appliance.trading.records import AnyRecord, Boot, Equity, Fill, Intent, Mode, Order, Reconciled, encode, kind_of
from appliance.wire.report import (
    PROTOCOL_VERSION,
    Dropped,
    Exposure,
    Grid,
    HealthVerdict,
    Hello,
    Position,
    Telemetry,
)

TAG = "abc12"
START_WALL_NS = 1_760_000_000 * 10**9
GRIDS = (
    Grid("BTC/USD", Decimal("0.1"), Decimal("0.00000001")),
    Grid("ETH/USD", Decimal("0.01"), Decimal("0.00000001")),
)
_STEP_NS = 700_000_000


def hello(head_sequence: int = 0, journal_tag: str = TAG) -> Hello:
    """Return a trader's hello."""
    return Hello(
        version=PROTOCOL_VERSION,
        device="bot4-demo",
        journal_tag=journal_tag,
        head_sequence=head_sequence,
        synthetic=True,
        started_wall_ns=START_WALL_NS,
        grids=GRIDS,
    )


def row(sequence: int, record: AnyRecord, wall_ns: int | None = None) -> Row:
    """Return a journal row holding a record."""
    when_ns = START_WALL_NS + sequence * _STEP_NS if wall_ns is None else wall_ns
    return Row(sequence=sequence, wall_ns=when_ns, trace=sequence, kind=kind_of(record), payload=encode(record))


def telemetry(wall_ns: int = START_WALL_NS, *, mode: str = "NORMAL", equity_quanta: int = 10**14) -> Telemetry:
    """Return telemetry with every field filled."""
    return Telemetry(
        wall_ns=wall_ns,
        mode=mode,
        mode_since_wall_ns=START_WALL_NS,
        lamp="BOOT" if mode == "RECONCILING" else mode,
        equity_quanta=equity_quanta,
        cash_quanta=equity_quanta - 330 * QUANTA_PER_QUOTE_UNIT,
        drawdown_ppm=max((10**14 - equity_quanta) // 10**8, 0),
        day_pnl_quanta=equity_quanta - 10**14,
        positions=(
            Position("BTC/USD", 300_000, 641_823, 192 * QUANTA_PER_QUOTE_UNIT + 5_469_000_000),
            Position("ETH/USD", 4_000_000, 344_175, 137 * QUANTA_PER_QUOTE_UNIT + 6_700_000_000),
        ),
        exposure=(
            Exposure("position", 962_000),
            Exposure("symbol", 385_000),
            Exposure("venue", 165_000),
            Exposure("heat", 1_000_000),
            Exposure("daily_loss", 41_000),
            Exposure("drawdown", 12_000),
        ),
        feed_age_ms=48,
        journal_latency_us=4_120,
        tick_to_order_ns_p50=41_000,
        tick_to_order_ns_p99=118_000,
        tick_to_order_ns_p99_9=402_000,
        events_count=184_223,
        orders_count=212,
        fills_count=187,
        rejected_count=3,
        dropped=(Dropped("quotes", 17), Dropped("recorder", 0)),
        head_sequence=0,
        head_hash="9f2c4e1ab07755d1c6e0",
        health=(
            HealthVerdict("clock", good=True, detail="synchronised, 0.4 ms off"),
            HealthVerdict("disk_space", good=True, detail="21.3 GB free"),
            HealthVerdict("cpu_temperature", good=False, detail="81 °C, limit 80 °C"),
        ),
    )


class ScriptedTrader:
    """Publish scripted rows through the real report server and remember all of them as its journal."""

    def __init__(
        self, socket: Path, rows: Sequence[Row] = (), limits: ReportLimits | None = None, *, tag: str = TAG
    ) -> None:
        """Start from a journal that holds these rows."""
        self.rows = list(rows)
        self.pages_read = 0
        self.server = ReportServer(socket, hello(len(self.rows), tag), self._read_rows, limits)

    async def _read_rows(self, from_sequence: int, limit: int) -> Sequence[Row]:
        self.pages_read += 1
        return self.rows[from_sequence - 1 : from_sequence - 1 + limit]

    def publish(self, record: AnyRecord, wall_ns: int | None = None) -> Row:
        """Append one record and publish its row."""
        added = row(len(self.rows) + 1, record, wall_ns)
        self.rows.append(added)
        self.server.publish_row(added)
        return added


def note(number: int) -> Order:
    """Return a small record that carries a number."""
    return Order(client_id=f"b4{TAG}-{number:08d}", move="acknowledge", state="open", filled_lots=number, reason="")


def story(generator: random.Random, trades: int, start_wall_ns: int) -> list[tuple[int, AnyRecord]]:
    """Return a plausible course of a day: a start, decisions with their orders and fills, equity, modes."""
    wall_ns = start_wall_ns
    told: list[tuple[int, AnyRecord]] = [
        (wall_ns, Boot(7, "bot4-demo", "5c1f0e77ab3d2299", 1)),
        (wall_ns, Mode("BOOT", "RECONCILING", "the journal is replayed and the latch is clear", "trader", 0, 0)),
        (wall_ns, Reconciled(agreed=True, differences=(), venue_ns=wall_ns)),
        (wall_ns, Mode("RECONCILING", "NORMAL", "the venue agrees and all inputs are good", "trader", 0, 0)),
    ]
    equity_quanta = peak_quanta = 10**14
    for number in itertools.islice(itertools.count(10), trades):
        wall_ns += generator.randrange(5, 40) * 10**9
        told += [(wall_ns, record) for record in _trade(generator, number, wall_ns)]
        equity_quanta += generator.randrange(-18, 20) * QUANTA_PER_QUOTE_UNIT
        peak_quanta = max(peak_quanta, equity_quanta)
        told.append((wall_ns, Equity(equity_quanta, equity_quanta // 2, peak_quanta, 10**14, 20_000)))
    return told


def _trade(generator: random.Random, number: int, wall_ns: int) -> list[AnyRecord]:
    identifier = client_id(TAG, number)
    side = generator.choice((Side.BUY, Side.SELL))
    strategy, reason = generator.choice(
        (
            ("trend", "fast average 64,180.2 above slow 64,151.7, slope rising"),
            ("reversion", "price 2.3 deviations below its mean"),
            ("trend", "fast average fell through slow"),
        )
    )
    price_ticks, size_lots = 640_000 + generator.randrange(4_000), generator.randrange(100_000, 400_000)
    notional_quanta = price_ticks * size_lots * 10
    intent = Intent(
        client_id=identifier,
        instrument="BTC/USD",
        strategy=strategy,
        side=side,
        order_kind=OrderKind.LIMIT,
        price_ticks=price_ticks,
        size_lots=size_lots,
        reduce_only=side is Side.SELL,
        reason=reason,
    )
    if number % 9 == 0:
        return [intent, Order(identifier, "refuse", "refused", 0, "insufficient funds")]
    fill = Fill(
        client_id=identifier,
        trade_id=f"T{number}",
        instrument="BTC/USD",
        side=side,
        price_ticks=price_ticks,
        size_lots=size_lots,
        notional_quanta=notional_quanta,
        fee_quanta=notional_quanta * 26 // 10_000,
        maker=False,
        venue_ns=wall_ns,
    )
    return [
        intent,
        Order(identifier, "acknowledge", "open", 0, ""),
        fill,
        Order(identifier, "complete", "filled", size_lots, ""),
    ]
