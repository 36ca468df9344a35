"""What the market channels say, in integers: the messages a decoder returns."""

from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from appliance.core.values import Side
from appliance.wire.kraken.numbers import Grid

Text = Annotated[str, Meta(max_length=64)]
Level = tuple[int, int]


class BookChanged(msgspec.Struct, frozen=True, gc=False):
    """Carry a book's levels as (ticks, lots), best first in a snapshot; zero lots remove a level."""

    symbol: str
    snapshot: bool
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    checksum: int
    venue_ns: int


class TradePrint(msgspec.Struct, frozen=True, gc=False):
    """Carry one trade of the market."""

    symbol: str
    side: Side
    price_ticks: int
    size_lots: int
    trade_number: int
    venue_ns: int


class TradesPrinted(msgspec.Struct, frozen=True, gc=False):
    """Carry trades; those of a snapshot happened before the subscription."""

    snapshot: bool
    trades: tuple[TradePrint, ...]


class Ticker(msgspec.Struct, frozen=True, gc=False):
    """Carry the best quotes and the figures of the last day."""

    symbol: str
    bid_ticks: int
    bid_lots: int
    ask_ticks: int
    ask_lots: int
    last_ticks: int
    low_ticks: int
    high_ticks: int
    volume: Decimal
    vwap: Decimal
    change: Decimal
    change_percent: Decimal


class Candle(msgspec.Struct, frozen=True, gc=False):
    """Carry one bar as the venue sees it."""

    symbol: str
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    trades_count: int
    volume: Decimal
    vwap: Decimal
    begin_ns: int
    interval_minutes: int


class Candles(msgspec.Struct, frozen=True, gc=False):
    """Carry bars; those of a snapshot are past."""

    snapshot: bool
    candles: tuple[Candle, ...]


class Asset(msgspec.Struct, frozen=True, gc=False):
    """Describe one asset."""

    id: Text
    status: Text
    precision: int
    precision_display: int


class Pair(msgspec.Struct, frozen=True, gc=False):
    """Describe one instrument's digits, steps and smallest order."""

    symbol: Text
    base: Text
    quote: Text
    status: Text
    qty_precision: Annotated[int, Meta(ge=0, le=17)]
    qty_increment: Decimal
    price_precision: Annotated[int, Meta(ge=0, le=17)]
    price_increment: Decimal
    qty_min: Decimal
    cost_min: Decimal
    cost_precision: Annotated[int, Meta(ge=0, le=17)]

    def grid(self) -> Grid:
        """Return the digits in which its books are written."""
        return Grid(self.symbol, self.price_precision, self.qty_precision)


class Instruments(msgspec.Struct, frozen=True, gc=False):
    """Describe assets and instruments: all of them in a snapshot, the changed ones in an update."""

    snapshot: bool
    assets: tuple[Asset, ...]
    pairs: tuple[Pair, ...]


class VenueStatus(msgspec.Struct, frozen=True, gc=False):
    """Tell whether the venue trades: online, cancel_only, maintenance, post_only."""

    system: Text
    version: Text
    connection: int


class Heartbeat(msgspec.Struct, frozen=True, gc=False):
    """Tell that the connection lives."""


MarketMessage = BookChanged | TradesPrinted | Ticker | Candles | Instruments | VenueStatus | Heartbeat
