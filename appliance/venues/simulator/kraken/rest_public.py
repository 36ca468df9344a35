"""Answer the public REST calls."""

from collections.abc import Callable, Mapping
from typing import Final

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.values import PARTS_PER_MILLION, Side
from appliance.venues.simulator.fees import TIERS
from appliance.venues.simulator.kraken.names import COST_MIN, Listed, asset_alternative, asset_code
from appliance.venues.simulator.kraken.state import VenueState
from appliance.venues.simulator.kraken.tape import INTERVALS_MINUTES
from appliance.wire.kraken.numbers import written_time
from appliance.wire.kraken.serving.encoding import fixed

Fields = Mapping[str, str]
UNKNOWN_PAIR: Final = "EQuery:Unknown asset pair"
DEPTH_MAX: Final = 500
PAGE_TRADES: Final = 1_000


class PublicCalls:
    """Answer who asks without a key."""

    def __init__(self, state: VenueState) -> None:
        """Answer from what the venue knows."""
        self._state = state
        self.calls: dict[str, Callable[[Fields], object]] = {
            "Time": self._time,
            "SystemStatus": self._status,
            "Assets": self._assets,
            "AssetPairs": self._pairs,
            "Ticker": self._ticker,
            "Depth": self._depth,
            "Trades": self._trades,
            "OHLC": self._bars,
        }

    def _time(self, _: Fields) -> object:
        seconds = self._state.floor.venue_ns // NANOSECONDS_PER_SECOND
        return {"unixtime": seconds, "rfc1123": written_time(seconds * NANOSECONDS_PER_SECOND)}

    def _status(self, _: Fields) -> object:
        return {"status": self._state.desk.system.value, "timestamp": written_time(self._state.floor.venue_ns)}

    def _assets(self, _: Fields) -> object:
        return {
            asset_code(name): {
                "aclass": "currency",
                "altname": asset_alternative(name),
                "decimals": digits,
                "display_decimals": min(digits, 5),
                "status": "enabled",
            }
            for name, digits in self._state.catalogue.assets.items()
        }

    def _pairs(self, fields: Fields) -> object:
        listed = self._named(fields)
        return listed if isinstance(listed, str) else {name: _pair(each) for name, each in listed.items()}

    def _ticker(self, fields: Fields) -> object:
        listed = self._named(fields)
        return listed if isinstance(listed, str) else {name: self._figures(each) for name, each in listed.items()}

    def _figures(self, listed: Listed) -> dict[str, object]:
        figures, grid = self._state.figures(listed.symbol), listed.grid
        price = grid.price_digits
        volume = fixed(figures.volume_lots, grid.size_digits)
        recent = self._state.tapes[listed.symbol].recent
        last_lots = fixed(recent[-1].size_lots if recent else 0, grid.size_digits)
        count = sum(bar.trades_count for bar in self._state.tapes[listed.symbol].bars[15])

        def side(level: tuple[int, int]) -> list[str]:
            whole, lots = level[1] // 10**grid.size_digits, fixed(level[1], grid.size_digits)
            return [fixed(level[0], price), str(whole), lots]

        return {
            "a": side(figures.ask),
            "b": side(figures.bid),
            "c": [fixed(figures.last_ticks, price), last_lots],
            "v": [volume] * 2,
            "p": [fixed(figures.vwap_ticks, price)] * 2,
            "t": [count] * 2,
            "l": [fixed(figures.low_ticks, price)] * 2,
            "h": [fixed(figures.high_ticks, price)] * 2,
            "o": fixed(figures.first_ticks, price),
        }

    def _depth(self, fields: Fields) -> object:
        listed = self._state.catalogue.find(fields.get("pair", ""))
        count = _count(fields.get("count", "100"), DEPTH_MAX)
        if listed is None or count is None:
            return UNKNOWN_PAIR if listed is None else "EGeneral:Invalid arguments:count"
        seconds = self._state.floor.venue_ns // NANOSECONDS_PER_SECOND
        book = self._state.books[listed.symbol]
        grid = listed.grid
        sides = {
            name: [
                [fixed(ticks, grid.price_digits), fixed(lots, grid.size_digits), seconds]
                for ticks, lots in book.levels(side, count)
            ]
            for name, side in (("asks", Side.SELL), ("bids", Side.BUY))
        }
        return {listed.code: sides}

    def _trades(self, fields: Fields) -> object:
        listed = self._state.catalogue.find(fields.get("pair", ""))
        since = _moment(fields.get("since", "0"))
        count = _count(fields.get("count", str(PAGE_TRADES)), PAGE_TRADES)
        if listed is None or since is None or count is None:
            return UNKNOWN_PAIR if listed is None else f"EGeneral:Invalid arguments:{'count' if since else 'since'}"
        grid, recent = listed.grid, self._state.tapes[listed.symbol].recent
        # The first ones after a moment, or without one the last; who reads on asks again from `last`.
        told = [each for each in recent if each.venue_ns > since][:count] if since else list(recent)[-count:]
        rows = [
            [
                fixed(each.price_ticks, grid.price_digits),
                fixed(each.size_lots, grid.size_digits),
                each.venue_ns / NANOSECONDS_PER_SECOND,
                each.side.value[0],
                "m",
                "",
                each.trade_number,
            ]
            for each in told
        ]
        return {listed.code: rows, "last": str(told[-1].venue_ns if told else since)}

    def _bars(self, fields: Fields) -> object:
        listed = self._state.catalogue.find(fields.get("pair", ""))
        interval = _count(fields.get("interval", "1"), INTERVALS_MINUTES[-1])
        since = _moment(fields.get("since", "0"))
        if listed is None:
            return UNKNOWN_PAIR
        if interval not in INTERVALS_MINUTES or since is None:
            return "EGeneral:Invalid arguments"
        price, size = listed.grid.price_digits, listed.grid.size_digits
        bars = [bar for bar in self._state.tapes[listed.symbol].bars[interval] if bar.begin_ns > since]
        rows = [
            [
                bar.begin_ns // NANOSECONDS_PER_SECOND,
                *(fixed(t, price) for t in (bar.open_ticks, bar.high_ticks, bar.low_ticks, bar.close_ticks)),
                fixed(bar.vwap_ticks(), price),
                fixed(bar.volume_lots, size),
                bar.trades_count,
            ]
            for bar in bars
        ]
        last = bars[-2].begin_ns if len(bars) > 1 else since
        return {listed.code: rows, "last": last // NANOSECONDS_PER_SECOND}

    def _named(self, fields: Fields) -> dict[str, Listed] | str:
        names = [name for name in fields.get("pair", "").split(",") if name]
        if not names:
            return {each.code: each for each in self._state.catalogue.listed.values()}
        found: dict[str, Listed] = {}
        for name in names:
            listed = self._state.catalogue.find(name)
            if listed is None:
                return UNKNOWN_PAIR
            # Who asks by a name with a slash is answered under that name.
            found[name if "/" in name else listed.code] = listed
        return found


def _pair(listed: Listed) -> dict[str, object]:
    instrument, grid = listed.instrument, listed.grid

    def schedule(ppm: int, column: int) -> list[list[float]]:
        return [[tier[0], round(ppm * tier[column] / PARTS_PER_MILLION / 10_000, 4)] for tier in TIERS]

    return {
        "altname": listed.alternative,
        "wsname": listed.old_symbol,
        "aclass_base": "currency",
        "base": asset_code(instrument.base),
        "aclass_quote": "currency",
        "quote": asset_code(instrument.quote),
        "lot": "unit",
        "cost_decimals": 5,
        "pair_decimals": grid.price_digits,
        "lot_decimals": grid.size_digits,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": schedule(instrument.taker_fee_ppm, 2),
        "fees_maker": schedule(instrument.maker_fee_ppm, 1),
        "fee_volume_currency": asset_code(instrument.quote),
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": fixed(instrument.size_lots_min, grid.size_digits),
        "costmin": str(COST_MIN),
        "tick_size": fixed(1, grid.price_digits),
        "status": "online",
    }


def _count(text: str, greatest: int) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(greatest)) else 0
    return number if 0 < number <= greatest else None


def _moment(text: str) -> int | None:
    """Return a moment given in seconds or in nanoseconds since 1970, in nanoseconds."""
    whole = text.partition(".")[0]
    if not (whole.isascii() and whole.isdigit()) or len(whole) > len("9999999999999999999"):
        return None
    number = int(whole)
    return number if len(whole) > len("9999999999999") else number * NANOSECONDS_PER_SECOND
