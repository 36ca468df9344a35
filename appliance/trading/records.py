"""The facts the journal keeps. The state of the account is the fold of these and of nothing else.

A record is written before its effect where the effect can cost money (an intent), and with it otherwise. Fields are
only ever added at the end, with a default, so that an old journal always reads.
"""

from typing import Any

import msgspec

from appliance.core.errors import JournalDamaged
from appliance.core.records import Row
from appliance.core.values import OrderKind, Side


class Record(msgspec.Struct, frozen=True, gc=False, tag_field="kind", tag=str.lower):
    """Be the common parent of all records."""


class Boot(Record, frozen=True, gc=False):
    """The trader started."""

    boot_count: int
    device: str
    config_fingerprint: str
    monotonic_ns: int


class Parameters(Record, frozen=True, gc=False):
    """These settings are in force from here on."""

    values: dict[str, str]


class Account(Record, frozen=True, gc=False):
    """The venue account was adopted, flat, with this much cash."""

    cash_quanta: int


class Steps(Record, frozen=True, gc=False):
    """From here on an instrument's prices and sizes count in these steps, each written as a decimal."""

    instrument: str
    tick: str
    lot: str


class Intent(Record, frozen=True, gc=False):
    """We mean to send this order; it may exist at the venue from the moment this row is durable."""

    client_id: str
    instrument: str
    strategy: str
    side: Side
    order_kind: OrderKind
    price_ticks: int
    size_lots: int
    reduce_only: bool
    reason: str
    trigger_ticks: int = 0


class Change(Record, frozen=True, gc=False):
    """We mean an order to have these amounts; it may have them from now on."""

    client_id: str
    size_lots: int
    price_ticks: int
    trigger_ticks: int
    reason: str


class Changed(Record, frozen=True, gc=False):
    """The venue said whether it changed an order; these are the order's amounts either way."""

    client_id: str
    done: bool
    size_lots: int
    price_ticks: int
    trigger_ticks: int
    reason: str
    venue_ns: int = 0


class Order(Record, frozen=True, gc=False):
    """An order moved to another state of its life."""

    client_id: str
    move: str
    state: str
    filled_lots: int
    reason: str


class Fill(Record, frozen=True, gc=False):
    """One execution of ours, exactly as the venue charged it."""

    client_id: str
    trade_id: str
    instrument: str
    side: Side
    price_ticks: int
    size_lots: int
    notional_quanta: int
    fee_quanta: int
    maker: bool
    venue_ns: int


class Mode(Record, frozen=True, gc=False):
    """The trader went from one mode to another."""

    old: str
    new: str
    reason: str
    origin: str
    latch_sequence: int
    start_sequence: int


class Equity(Record, frozen=True, gc=False):
    """What the account was worth at the marks of the moment."""

    equity_quanta: int
    cash_quanta: int
    peak_quanta: int
    day_start_quanta: int
    day: int


class Reconciled(Record, frozen=True, gc=False):
    """Our books were compared with the venue's."""

    agreed: bool
    differences: tuple[str, ...]
    venue_ns: int


class Refused(Record, frozen=True, gc=False):
    """A row that the full disk had no room for stood here; its kind is all that is left of it."""

    of: str


class Breaker(Record, frozen=True, gc=False):
    """A circuit breaker went from one state to another; the counts are what trips of this cause turned out to be."""

    component: str
    old: str
    new: str
    cause: str
    stimulus: str
    confirmed_count: int
    blip_count: int


class Cascade(Record, frozen=True, gc=False):
    """A layer of a stop ended so, or the whole of it; the number counts the stops of one run."""

    number: int
    layer: str
    outcome: str
    took_ns: int
    reason: str


class Decision(Record, frozen=True, gc=False):
    """An entry was decided: by whom, how sure, with which weights in parts per million, and for which reasons.

    A reason's contribution is in parts per million of the log-odds where a model gave it, of the score otherwise.
    """

    instrument: str
    strategy: str
    score_ppm: int
    certainty_ppm: int
    weights: dict[str, int]
    regime: str
    models: str
    reasons: tuple[tuple[str, int], ...]
    detail: str


class Models(Record, frozen=True, gc=False):
    """A set of models, named by its manifest's hash, serves as a canary, in full, or was withdrawn."""

    models: str
    stage: str
    reason: str


AnyRecord = (
    Boot
    | Parameters
    | Account
    | Steps
    | Intent
    | Change
    | Changed
    | Order
    | Fill
    | Mode
    | Equity
    | Reconciled
    | Refused
    | Breaker
    | Cascade
    | Decision
    | Models
)
_decoder: msgspec.json.Decoder[AnyRecord] = msgspec.json.Decoder(AnyRecord)
_encoder = msgspec.json.Encoder()


# What must still be written when only the disk's reserve is left: what was done, as against what was meant.
ESSENTIAL_KINDS = frozenset(
    {
        "boot",
        "mode",
        "steps",
        "order",
        "change",
        "changed",
        "fill",
        "account",
        "reconciled",
        "breaker",
        "cascade",
        "models",
    }
)


def encode(record: AnyRecord) -> bytes:
    """Return the record's canonical bytes."""
    return _encoder.encode(record)


def kind_of(record: AnyRecord) -> str:
    """Return the record's kind as the journal stores it."""
    return type(record).__name__.lower()


def decode(row: Row) -> AnyRecord:
    """Return the record a row holds, refusing one that is not ours."""
    try:
        return _decoder.decode(row.payload)
    except msgspec.ValidationError as problem:
        raise JournalDamaged(f"row {row.sequence} ({row.kind}) does not hold a record we know: {problem}") from problem
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise JournalDamaged(f"row {row.sequence} ({row.kind}) is not readable: {problem}") from problem


def plain(record: AnyRecord) -> dict[str, Any]:
    """Return the record as plain values, for reports."""
    document: dict[str, Any] = msgspec.to_builtins(record)
    return document
