"""Write the market channels. Books and trades, of which there are many, are formatted; the rest is encoded."""

import zlib
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from appliance.wire.kraken.messages import TradePrint
from appliance.wire.kraken.numbers import Grid, written_time
from appliance.wire.kraken.serving.encoding import decimal, encoded, fixed

HEARTBEAT: Final = b'{"channel":"heartbeat"}'
CHECKSUM_LEVELS: Final = 10
Levels = Sequence[tuple[int, int]]


class TickerFigures(NamedTuple):
    """Hold the figures of a ticker in steps of the grid."""

    bid: tuple[int, int]
    ask: tuple[int, int]
    last_ticks: int
    first_ticks: int
    low_ticks: int
    high_ticks: int
    volume_lots: int
    vwap_ticks: int


class Bar(msgspec.Struct):
    """Hold one bar in steps of the grid; it grows with every trade."""

    begin_ns: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int = 0
    turnover: int = 0
    trades_count: int = 0

    def add(self, price_ticks: int, size_lots: int) -> None:
        """Take a trade in."""
        self.high_ticks = max(self.high_ticks, price_ticks)
        self.low_ticks = min(self.low_ticks, price_ticks)
        self.close_ticks = price_ticks
        self.volume_lots += size_lots
        self.turnover += price_ticks * size_lots
        self.trades_count += 1

    def vwap_ticks(self) -> int:
        """Return the average price by volume."""
        return self.turnover // self.volume_lots if self.volume_lots else self.close_ticks


class AssetListed(NamedTuple):
    """Describe an asset."""

    name: str
    digits: int


class PairListed(NamedTuple):
    """Describe an instrument."""

    grid: Grid
    base: str
    quote: str
    size_min: Decimal
    cost_min: Decimal
    status: str = "online"


def checksum(asks: Levels, bids: Levels) -> int:
    """Return the venue's CRC32 over the best ten levels of both sides, asks first, best first."""
    digits = [f"{ticks}{lots}" for side in (asks, bids) for ticks, lots in side[:CHECKSUM_LEVELS]]
    return zlib.crc32("".join(digits).encode())


def book(grid: Grid, bids: Levels, asks: Levels, crc: int, venue_ns: int, *, snapshot: bool) -> bytes:
    """Return a frame of the book channel."""
    # Only an update is dated.
    dated = "" if snapshot else f',"timestamp":"{written_time(venue_ns)}"'
    return (
        f'{{"channel":"book","type":"{_kind(snapshot)}","data":[{{"symbol":"{grid.symbol}",'
        f'"bids":[{_levels(grid, bids)}],"asks":[{_levels(grid, asks)}],"checksum":{crc}{dated}}}]}}'
    ).encode()


def trades(grid: Grid, prints: Iterable[TradePrint], *, snapshot: bool) -> bytes:
    """Return a frame of the trade channel."""
    told = ",".join(
        f'{{"symbol":"{grid.symbol}","side":"{each.side.value}","price":{fixed(each.price_ticks, grid.price_digits)},'
        f'"qty":{fixed(each.size_lots, grid.size_digits)},"ord_type":"market","trade_id":{each.trade_number},'
        f'"timestamp":"{written_time(each.venue_ns)}"}}'
        for each in prints
    )
    return f'{{"channel":"trade","type":"{_kind(snapshot)}","data":[{told}]}}'.encode()


def ticker(grid: Grid, figures: TickerFigures, venue_ns: int, *, snapshot: bool) -> bytes:
    """Return a frame of the ticker channel."""
    change = figures.last_ticks - figures.first_ticks
    data = {
        "symbol": grid.symbol,
        "bid": grid.price(figures.bid[0]),
        "bid_qty": grid.size(figures.bid[1]),
        "ask": grid.price(figures.ask[0]),
        "ask_qty": grid.size(figures.ask[1]),
        "last": grid.price(figures.last_ticks),
        "volume": grid.size(figures.volume_lots),
        "vwap": grid.price(figures.vwap_ticks),
        "low": grid.price(figures.low_ticks),
        "high": grid.price(figures.high_ticks),
        "change": grid.price(change),
        "change_pct": decimal(change * 10_000 // figures.first_ticks, 2),
        "timestamp": written_time(venue_ns),
    }
    return encoded({"channel": "ticker", "type": _kind(snapshot), "data": [data]})


def bars(grid: Grid, interval_minutes: int, told: Iterable[Bar], venue_ns: int, *, snapshot: bool) -> bytes:
    """Return a frame of the ohlc channel."""
    data = [
        {
            "symbol": grid.symbol,
            "open": grid.price(bar.open_ticks),
            "high": grid.price(bar.high_ticks),
            "low": grid.price(bar.low_ticks),
            "close": grid.price(bar.close_ticks),
            "trades": bar.trades_count,
            "volume": grid.size(bar.volume_lots),
            "vwap": grid.price(bar.vwap_ticks()),
            "interval_begin": written_time(bar.begin_ns),
            "interval": interval_minutes,
            "timestamp": written_time(bar.begin_ns + interval_minutes * 60_000_000_000),
        }
        for bar in told
    ]
    return encoded({"channel": "ohlc", "type": _kind(snapshot), "timestamp": written_time(venue_ns), "data": data})


def instruments(assets: Iterable[AssetListed], pairs: Iterable[PairListed], *, snapshot: bool) -> bytes:
    """Return a frame of the instrument channel."""
    data = {
        "assets": [
            {
                "id": asset.name,
                "status": "enabled",
                "precision": asset.digits,
                "precision_display": min(asset.digits, 5),
                "borrowable": False,
                "collateral_value": Decimal("0.00"),
            }
            for asset in assets
        ],
        "pairs": [_pair(pair) for pair in pairs],
    }
    return encoded({"channel": "instrument", "type": _kind(snapshot), "data": data})


def status(system: str, connection: int) -> bytes:
    """Return a frame of the status channel."""
    data = {"api_version": "v2", "connection_id": connection, "system": system, "version": "2.0.10"}
    return encoded({"channel": "status", "type": "update", "data": [data]})


def _pair(pair: PairListed) -> dict[str, object]:
    grid = pair.grid
    return {
        "symbol": grid.symbol,
        "base": pair.base,
        "quote": pair.quote,
        "status": pair.status,
        "qty_precision": grid.size_digits,
        "qty_increment": grid.size(1),
        "price_precision": grid.price_digits,
        "cost_precision": 5,
        "marginable": False,
        "has_index": False,
        "cost_min": pair.cost_min,
        "tick_size": grid.price(1),
        "price_increment": grid.price(1),
        "qty_min": pair.size_min,
    }


def _levels(grid: Grid, levels: Levels) -> str:
    price, size = grid.price_digits, grid.size_digits
    return ",".join(f'{{"price":{fixed(ticks, price)},"qty":{fixed(lots, size)}}}' for ticks, lots in levels)


def _kind(snapshot: bool) -> str:
    return "snapshot" if snapshot else "update"
