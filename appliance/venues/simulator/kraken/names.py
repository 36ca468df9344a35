"""How Kraken names what the paper venue lists: old codes over REST, plain ones over WebSocket."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from appliance.core.instruments import Instrument
from appliance.wire.kraken.numbers import Grid
from appliance.wire.kraken.serving.market import AssetListed, PairListed

COST_MIN: Final = Decimal("0.5")
CASH_DIGITS: Final = 10
_CODES: Final = {"BTC": "XXBT", "ETH": "XETH", "USD": "ZUSD", "EUR": "ZEUR", "XRP": "XXRP", "LTC": "XLTC"}
_ALTERNATIVES: Final = {"BTC": "XBT"}


class Listed(msgspec.Struct, frozen=True):
    """Hold one instrument under all its names."""

    instrument: Instrument
    grid: Grid
    code: str
    alternative: str
    old_symbol: str

    @property
    def symbol(self) -> str:
        """Return its WebSocket v2 name."""
        return self.instrument.symbol

    def pair(self) -> PairListed:
        """Return what the instrument channel says of it."""
        smallest = self.instrument.lots_to_size(self.instrument.size_lots_min)
        return PairListed(self.grid, self.instrument.base, self.instrument.quote, smallest, COST_MIN)


class Catalogue:
    """Find instruments and assets by any of their names."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        """List these instruments."""
        self.listed = {instrument.symbol: _listed(instrument) for instrument in instruments}
        self._by_name: dict[str, Listed] = {}
        for each in self.listed.values():
            for name in (each.symbol, each.code, each.alternative, each.old_symbol):
                self._by_name[name] = each
        assets = {each.instrument.base: each.grid.size_digits for each in self.listed.values()}
        self.assets = assets | {each.instrument.quote: CASH_DIGITS for each in self.listed.values()}

    def find(self, name: str) -> Listed | None:
        """Return the instrument of a name, or None."""
        return self._by_name.get(name)

    def asset_listings(self) -> list[AssetListed]:
        """Return what the instrument channel says of the assets."""
        return [AssetListed(name, digits) for name, digits in self.assets.items()]


def asset_code(name: str) -> str:
    """Return an asset's REST name."""
    return _CODES.get(name, name)


def asset_alternative(name: str) -> str:
    """Return an asset's short REST name."""
    return _ALTERNATIVES.get(name, name)


def _listed(instrument: Instrument) -> Listed:
    grid = Grid(instrument.symbol, _digits(instrument.tick), _digits(instrument.lot))
    base, quote = instrument.base, instrument.quote
    return Listed(
        instrument,
        grid,
        asset_code(base) + asset_code(quote) if base in _CODES else base + quote,
        asset_alternative(base) + asset_alternative(quote),
        f"{asset_alternative(base)}/{asset_alternative(quote)}",
    )


def _digits(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
