"""The messages of the link between the trader and the reporter.

The trader says hello first, so that a reporter knows which journal this is and how long it is before it asks for rows
from a sequence number. Rows then follow without a gap, and telemetry between them: the latest only, never a queue of
it. The reporter says one thing in its life, `Subscribe`; nothing it could say reaches the trading side.
"""

from decimal import Decimal

import msgspec

from appliance.core.records import Row
from appliance.wire.link import Decoder

PROTOCOL_VERSION = 1
SUBSCRIBE_BYTES_MAX = 256


class Grid(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Tell how one instrument's ticks and lots read as prices and sizes."""

    instrument: str
    tick: Decimal
    lot: Decimal


class Position(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Carry one position at the mark of the moment."""

    instrument: str
    size_lots: int
    price_ticks: int
    value_quanta: int


class Exposure(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Tell how much of one limit is used."""

    limit: str
    used_ppm: int


class Dropped(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Count what one queue dropped by its policy."""

    queue: str
    count: int


class HealthVerdict(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Carry one health check's verdict."""

    check: str
    good: bool
    detail: str


class Latency(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Count durations of one kind: place n holds those shorter than base times two to the n, and no shorter place."""

    name: str
    base_ns: int
    counts: tuple[int, ...]


class Frame(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=True):
    """Be the common parent of the link's messages."""


class Hello(Frame, frozen=True, gc=False):
    """Open the link: whose journal this is and the last row that is durable in it."""

    version: int
    device: str
    journal_tag: str
    head_sequence: int
    synthetic: bool
    started_wall_ns: int
    grids: tuple[Grid, ...] = ()


class RowFrame(Frame, frozen=True, gc=False):
    """Carry one durable row of the journal."""

    row: Row


class Telemetry(Frame, frozen=True, gc=False, kw_only=True):
    """Carry the trader's state at one moment; a value nobody has measured yet is None."""

    wall_ns: int
    mode: str
    mode_since_wall_ns: int
    lamp: str
    equity_quanta: int
    cash_quanta: int
    drawdown_ppm: int
    day_pnl_quanta: int
    positions: tuple[Position, ...]
    exposure: tuple[Exposure, ...]
    feed_age_ms: int | None
    journal_latency_us: int | None
    tick_to_order_ns_p50: int | None
    tick_to_order_ns_p99: int | None
    tick_to_order_ns_p99_9: int | None
    events_count: int
    orders_count: int
    fills_count: int
    rejected_count: int
    dropped: tuple[Dropped, ...]
    head_sequence: int
    head_hash: str
    health: tuple[HealthVerdict, ...]
    latencies: tuple[Latency, ...] = ()


class Subscribe(Frame, frozen=True, gc=False):
    """Ask for every row from this sequence on."""

    from_sequence: int


TraderFrame = Hello | RowFrame | Telemetry


def trader_decoder() -> Decoder[TraderFrame]:
    """Return the decoder of what a trader sends."""
    return Decoder(TraderFrame)


def reporter_decoder() -> Decoder[Subscribe]:
    """Return the decoder of what a reporter sends."""
    return Decoder(Subscribe, SUBSCRIBE_BYTES_MAX)
