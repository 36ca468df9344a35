"""What is published, as small JSON with a version; TOPICS.md carries the same fields in words.

Money is written as JSON numbers with exactly the digits it has. A row is named by (device, journal, sequence): who saw
that triple before has a duplicate, which QoS 1 permits. `journal` changes when another journal begins and when rows
that were published are missing from the trader's journal afterwards, so a sequence never means two things.
"""

from decimal import Decimal, localcontext

import msgspec

from appliance.core.records import Row
from appliance.core.values import PARTS_PER_MILLION, QUANTA_PER_QUOTE_UNIT
from appliance.reporting.story import Entry
from appliance.trading.records import Equity

SCHEMA_VERSION = 1
THINNED_KIND = "equity"
_DIGITS_MAX = 60
_encoder = msgspec.json.Encoder(decimal_format="number")


class Payload(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=False):
    """Be the common parent of everything published."""

    device: str
    v: int = SCHEMA_VERSION


class Event(Payload, frozen=True, gc=False, kw_only=True):
    """Carry one row of the journal, and what it says in words."""

    journal: str
    sequence: int
    wall_ns: int
    trace: str
    kind: str
    title: str
    detail: str
    tone: str
    record: msgspec.Raw


class Summary(Payload, frozen=True, gc=False, kw_only=True):
    """Carry one equity row, or many in one where the outbox had to make room."""

    journal: str
    sequence_first: int
    sequence: int
    count: int
    wall_ms_first: int
    wall_ms: int
    equity: Decimal
    equity_min: Decimal
    equity_max: Decimal
    drawdown_percent: Decimal


class Birth(Payload, frozen=True, gc=False, kw_only=True):
    """Say which appliance this is."""

    version: str
    journal: str | None = None
    synthetic: bool | None = None
    trader_started_wall_ms: int | None = None
    instruments: tuple[str, ...] = ()


class State(Payload, frozen=True, gc=False, kw_only=True):
    """Carry the present; what nobody knows at the moment is null."""

    wall_ms: int
    stale: bool
    mode: str | None = None
    mode_since_wall_ms: int | None = None
    lamp: str | None = None
    lamp_text: str | None = None
    estop: bool | None = None
    case_open: bool | None = None
    relay: str | None = None
    equity: Decimal | None = None
    cash: Decimal | None = None
    day_pnl: Decimal | None = None
    drawdown_percent: Decimal | None = None
    open_risk_percent: Decimal | None = None
    positions: int | None = None
    feed_age_ms: int | None = None
    journal_latency_us: int | None = None
    temperature_c: Decimal | None = None
    bad_checks: tuple[str, ...] = ()
    orders: int | None = None
    fills: int | None = None
    rejected: int | None = None
    dropped: int | None = None
    head: str | None = None
    waiting: int = 0
    thinned: int = 0


class Chain(Payload, frozen=True, gc=False, kw_only=True):
    """Carry the heads by which a truncated or edited record can be found from outside."""

    wall_ms: int
    journal: str | None = None
    head: str | None = None
    audit_head: str | None = None


class RecentEntry(msgspec.Struct, frozen=True, gc=False):
    """Carry one line of the recent past."""

    sequence: int
    wall_ms: int
    kind: str
    title: str
    tone: str


class Recent(Payload, frozen=True, gc=False, kw_only=True):
    """Carry the last entries and the equity's course, for who comes late."""

    journal: str | None
    entries: tuple[RecentEntry, ...]
    equity: tuple[tuple[int, Decimal], ...]


def encode(payload: Payload) -> bytes:
    """Return a payload as JSON."""
    return _encoder.encode(payload)


def trace_text(trace: int) -> str:
    """Return a trace as people copy it."""
    return f"{trace:016x}"


def quote(amount_quanta: int) -> Decimal:
    """Return an amount of quote currency, exactly."""
    with localcontext(prec=_DIGITS_MAX):
        return Decimal(amount_quanta) / QUANTA_PER_QUOTE_UNIT


def percent(parts_ppm: int) -> Decimal:
    """Return parts per million as percent."""
    return Decimal(parts_ppm) / 10_000


def event_of(device: str, journal: str, row: Row, entry: Entry) -> Event:
    """Return the message of one row."""
    return Event(
        device=device,
        journal=journal,
        sequence=row.sequence,
        wall_ns=row.wall_ns,
        trace=trace_text(row.trace),
        kind=row.kind,
        title=entry.title,
        detail=entry.detail,
        tone=entry.tone,
        record=msgspec.Raw(row.payload),
    )


def summary_of(device: str, journal: str, row: Row, equity: Equity) -> Summary:
    """Return the message of one equity row."""
    fall_quanta = max(equity.peak_quanta - equity.equity_quanta, 0)
    fall_ppm = fall_quanta * PARTS_PER_MILLION // equity.peak_quanta if equity.peak_quanta > 0 else 0
    amount = quote(equity.equity_quanta)
    return Summary(
        device=device,
        journal=journal,
        sequence_first=row.sequence,
        sequence=row.sequence,
        count=1,
        wall_ms_first=row.wall_ns // 1_000_000,
        wall_ms=row.wall_ns // 1_000_000,
        equity=amount,
        equity_min=amount,
        equity_max=amount,
        drawdown_percent=percent(fall_ppm),
    )


def merged(one: Summary, next_one: Summary) -> Summary:
    """Return two summaries that follow each other as one, keeping the extremes and the later state."""
    return msgspec.structs.replace(
        next_one,
        sequence_first=one.sequence_first,
        count=one.count + next_one.count,
        wall_ms_first=one.wall_ms_first,
        equity_min=min(one.equity_min, next_one.equity_min),
        equity_max=max(one.equity_max, next_one.equity_max),
        drawdown_percent=max(one.drawdown_percent, next_one.drawdown_percent),
    )
