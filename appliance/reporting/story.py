"""What a journal row says, in a person's words: one small function for each kind of record.

A row of a kind that is not known here, or that does not decode, is still shown, as its kind and its bytes: a reader of
the panel must never believe that nothing happened because this module did not know the word for it.
"""

import enum
from collections.abc import Mapping
from typing import assert_never

import msgspec

from appliance.core.errors import JournalDamaged
from appliance.core.records import Row
from appliance.core.values import Side
from appliance.reporting.amounts import duration_ns, money, price, size, tail
from appliance.trading.records import (
    Account,
    AnyRecord,
    Boot,
    Breaker,
    Cascade,
    Change,
    Changed,
    Decision,
    Equity,
    Fill,
    Intent,
    Mode,
    Models,
    Order,
    Parameters,
    Reconciled,
    Refused,
    Steps,
    decode,
)
from appliance.wire.report import Grid

_TEXT_LENGTH_MAX = 240


class Tone(enum.StrEnum):
    """Say how a line should strike the eye; words carry the meaning, never the colour alone."""

    PLAIN = "plain"
    GOOD = "good"
    CAUTION = "caution"
    BAD = "bad"


class Entry(msgspec.Struct, frozen=True, gc=False):
    """Carry one row as a line of the panel."""

    sequence: int
    wall_ms: int
    kind: str
    title: str
    detail: str
    tone: Tone = Tone.PLAIN


class _Line(msgspec.Struct, frozen=True, gc=False):
    title: str
    detail: str
    tone: Tone = Tone.PLAIN


_TONE_OF_MODE = {
    "NORMAL": Tone.GOOD,
    "REDUCED": Tone.CAUTION,
    "PAUSED": Tone.CAUTION,
    "EMERGENCY": Tone.BAD,
    "HALTED": Tone.BAD,
    "FAULT": Tone.BAD,
}
_TONE_OF_CASCADE = {
    "done": Tone.GOOD,
    "complete": Tone.GOOD,
    "done late": Tone.CAUTION,
    "pressed again": Tone.CAUTION,
}
_TONE_OF_ORDER = {"filled": Tone.GOOD, "refused": Tone.BAD, "rejected": Tone.BAD, "unknown": Tone.CAUTION}
_VERB_OF_SIDE = {Side.BUY: ("Buy", "Bought"), Side.SELL: ("Sell", "Sold")}


def entry_of(row: Row, grids: Mapping[str, Grid]) -> Entry:
    """Return the line that a row makes."""
    try:
        line = _line(decode(row), grids)
    except JournalDamaged:
        line = _Line(row.kind, row.payload[:_TEXT_LENGTH_MAX].decode(errors="replace"), Tone.CAUTION)
    return Entry(
        sequence=row.sequence,
        wall_ms=row.wall_ns // 1_000_000,
        kind=row.kind,
        title=line.title[:_TEXT_LENGTH_MAX],
        detail=line.detail[:_TEXT_LENGTH_MAX],
        tone=line.tone,
    )


def _line(record: AnyRecord, grids: Mapping[str, Grid]) -> _Line:
    match record:
        case Intent():
            return _intent(record, grids.get(record.instrument))
        case Fill():
            return _fill(record, grids.get(record.instrument))
        case Order() | Change() | Changed():
            return _order(record) if isinstance(record, Order) else _change(record, grids)
        case Mode():
            tone = _TONE_OF_MODE.get(record.new, Tone.PLAIN)
            return _Line(f"{record.old} → {record.new}", f"{record.reason} (by {record.origin})", tone)
        case Reconciled():
            return _reconciled(record)
        case Refused():
            return _Line(f"A row of kind {record.of} was lost", "the disk had no room for it", Tone.BAD)
        case Breaker() | Cascade() | Decision() | Models():
            return _happening(record)
        case Equity() | Boot() | Parameters() | Account() | Steps():
            return _bookkeeping(record)
        case _:
            assert_never(record)


def _happening(record: Breaker | Cascade | Decision | Models) -> _Line:
    match record:
        case Breaker():
            return _breaker(record)
        case Cascade():
            return _cascade(record)
        case Decision():
            return _decision(record)
        case Models():
            return _models(record)


def _breaker(breaker: Breaker) -> _Line:
    tone = Tone.GOOD if breaker.new == "CLOSED" else Tone.CAUTION
    state = breaker.new.lower().replace("_", " ")
    return _Line(f"Breaker of {breaker.component} {state}", f"{breaker.cause} ({breaker.stimulus})", tone)


def _decision(decision: Decision) -> _Line:
    reasons = "; ".join(name for name, _ in decision.reasons) or decision.detail
    return _Line(f"{decision.strategy} decided to buy {decision.instrument}", reasons)


def _models(models: Models) -> _Line:
    tone = Tone.CAUTION if models.stage == "withdrawn" else Tone.PLAIN
    return _Line(f"Models {models.models}: {models.stage}", models.reason, tone)


def _cascade(cascade: Cascade) -> _Line:
    what = "Stop" if cascade.layer == "all" else f"Stop of {cascade.layer}"
    tone = _TONE_OF_CASCADE.get(cascade.outcome, Tone.BAD)
    return _Line(f"{what}: {cascade.outcome} after {duration_ns(cascade.took_ns)}", cascade.reason, tone)


def _bookkeeping(record: Equity | Boot | Parameters | Account | Steps) -> _Line:
    match record:
        case Equity():
            detail = f"cash {money(record.cash_quanta)} · highest {money(record.peak_quanta)}"
            return _Line(f"Equity {money(record.equity_quanta)}", detail)
        case Boot():
            return _Line(f"Start number {record.boot_count}", f"configuration {record.config_fingerprint[:12]}")
        case Parameters():
            detail = ", ".join(f"{name} {value}" for name, value in record.values.items())
            return _Line("Settings in force", detail)
        case Account():
            return _Line("Account adopted", f"cash {money(record.cash_quanta)}")
        case Steps():
            return _Line(f"{record.instrument} counts anew", f"price steps {record.tick}, size steps {record.lot}")
        case _:
            assert_never(record)


def _intent(intent: Intent, grid: Grid | None) -> _Line:
    verb = _VERB_OF_SIDE[intent.side][0]
    level_ticks = intent.trigger_ticks or intent.price_ticks
    at = f" at {price(grid, level_ticks)}" if level_ticks else ""
    title = f"{verb} {size(grid, intent.size_lots)} {intent.instrument}{at}"
    purpose = "reduce: " if intent.reduce_only else ""
    return _Line(title, f"{intent.strategy} · {purpose}{intent.reason} · {intent.order_kind} {tail(intent.client_id)}")


def _fill(fill: Fill, grid: Grid | None) -> _Line:
    verb = _VERB_OF_SIDE[fill.side][1]
    title = f"{verb} {size(grid, fill.size_lots)} {fill.instrument} at {price(grid, fill.price_ticks)}"
    role = "maker" if fill.maker else "taker"
    detail = f"for {money(fill.notional_quanta)} · fee {money(fill.fee_quanta)} · {role} {tail(fill.client_id)}"
    return _Line(title, detail, Tone.GOOD)


def _order(order: Order) -> _Line:
    tone = _TONE_OF_ORDER.get(order.state, Tone.PLAIN)
    reason = f" · {order.reason}" if order.reason else ""
    return _Line(f"Order {tail(order.client_id)} {order.state}", f"{order.move}{reason}", tone)


def _change(change: Change | Changed, grids: Mapping[str, Grid]) -> _Line:
    # A change does not name its instrument, so its size is told in lots where there is more than one grid.
    grid = next(iter(grids.values())) if len(grids) == 1 else None
    verb = "to be changed" if isinstance(change, Change) else "changed" if change.done else "left as it was"
    at = f" at {price(grid, change.trigger_ticks)}" if change.trigger_ticks else ""
    return _Line(f"Order {tail(change.client_id)} {verb}: {size(grid, change.size_lots)}{at}", change.reason)


def _reconciled(reconciled: Reconciled) -> _Line:
    if reconciled.agreed:
        return _Line("Books agree with the venue", "", Tone.GOOD)
    return _Line("Books differ from the venue", "; ".join(reconciled.differences), Tone.BAD)
