"""How the market channels are spelled on the wire: prices and sizes stay text until they are made integers exactly.

Where a field could change what a price or a size means, an unknown one refuses the message. The instrument and status
channels only describe: the venue adds to them from time to time, and a new remark must not end trading.
"""

from decimal import Decimal
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from appliance.core.values import Side
from appliance.wire.kraken.messages import Asset, Pair, Text

CHECKSUM_MAX: Final = 2**32 - 1
LEVELS_MAX: Final = 1_128
TRADES_MAX: Final = 1_000
TRADE_NUMBER_MAX: Final = 10**18 - 1

Kind = Literal["snapshot", "update"]


class Strict(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Refuse a field that is not known."""


class WireLevel(Strict, frozen=True, gc=False):
    """Spell one price level."""

    price: Raw
    qty: Raw


class WireBook(Strict, frozen=True, gc=False):
    """Spell a book."""

    symbol: Text
    bids: list[WireLevel]
    asks: list[WireLevel]
    checksum: Annotated[int, Meta(ge=0, le=CHECKSUM_MAX)]
    timestamp: Text | UnsetType = UNSET


class BookFrame(Strict, frozen=True, gc=False):
    """Spell a frame of the book channel."""

    channel: str
    type: Kind
    data: Annotated[list[WireBook], Meta(min_length=1, max_length=1)]


class WireTrade(Strict, frozen=True, gc=False):
    """Spell a trade."""

    symbol: Text
    side: Side
    price: Raw
    qty: Raw
    ord_type: Literal["limit", "market"]
    trade_id: Annotated[int, Meta(ge=0, le=TRADE_NUMBER_MAX)]
    timestamp: Text


class TradeFrame(Strict, frozen=True, gc=False):
    """Spell a frame of the trade channel."""

    channel: str
    type: Kind
    data: Annotated[list[WireTrade], Meta(min_length=1, max_length=TRADES_MAX)]


class WireTicker(Strict, frozen=True, gc=False):
    """Spell a ticker."""

    symbol: Text
    bid: Raw
    bid_qty: Raw
    ask: Raw
    ask_qty: Raw
    last: Raw
    volume: Decimal
    vwap: Decimal
    low: Raw
    high: Raw
    change: Decimal
    change_pct: Decimal
    timestamp: Text | UnsetType = UNSET


class TickerFrame(Strict, frozen=True, gc=False):
    """Spell a frame of the ticker channel."""

    channel: str
    type: Kind
    data: Annotated[list[WireTicker], Meta(min_length=1, max_length=1)]


class WireCandle(Strict, frozen=True, gc=False):
    """Spell a bar."""

    symbol: Text
    open: Raw
    high: Raw
    low: Raw
    close: Raw
    trades: Annotated[int, Meta(ge=0, le=10**12)]
    volume: Decimal
    vwap: Decimal
    interval_begin: Text
    interval: Annotated[int, Meta(ge=1, le=10**6)]
    timestamp: Text | UnsetType = UNSET


class CandleFrame(Strict, frozen=True, gc=False):
    """Spell a frame of the ohlc channel."""

    channel: str
    type: Kind
    data: Annotated[list[WireCandle], Meta(max_length=10_000)]
    timestamp: Text | UnsetType = UNSET


class InstrumentData(msgspec.Struct, frozen=True, gc=False):
    """Spell assets and pairs."""

    assets: Annotated[tuple[Asset, ...], Meta(max_length=10_000)]
    pairs: Annotated[tuple[Pair, ...], Meta(max_length=10_000)]


class InstrumentFrame(Strict, frozen=True, gc=False):
    """Spell a frame of the instrument channel."""

    channel: str
    type: Kind
    data: InstrumentData


class WireStatus(msgspec.Struct, frozen=True, gc=False):
    """Spell the venue's state."""

    system: Text
    version: Text
    connection_id: int = 0


class StatusFrame(Strict, frozen=True, gc=False):
    """Spell a frame of the status channel."""

    channel: str
    type: Kind
    data: Annotated[list[WireStatus], Meta(min_length=1, max_length=1)]


class HeartbeatFrame(Strict, frozen=True, gc=False):
    """Spell a heartbeat."""

    channel: str


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """Read of a frame only which channel it is of."""

    channel: Text | UnsetType = UNSET
