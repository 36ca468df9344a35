"""What the venue's REST interface calls assets and instruments, in the names its WebSocket and ours use.

REST keeps older names: XXBT and ZUSD are BTC and USD, and a pair answers to three names (its key, `altname`, `wsname`).
"""

from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Final

import msgspec

from appliance.core.errors import ConfigError
from appliance.core.instruments import Instrument
from appliance.core.values import PARTS_PER_MILLION
from appliance.wire.kraken.rest import PairInfo

_OLD: Final = frozenset(
    "XETC XETH XLTC XMLN XREP XXBT XXDG XXLM XXMR XXRP XZEC ZAUD ZCAD ZEUR ZGBP ZJPY ZUSD".split()  # noqa: SIM905
)
_RENAMED: Final = {"XBT": "BTC", "XDG": "DOGE"}
_PERCENT: Final = 100


def asset(name: str) -> str:
    """Return the present name of an asset, without the mark of a wallet such as `.F`."""
    plain = name.partition(".")[0]
    plain = plain[1:] if plain in _OLD else plain
    return _RENAMED.get(plain, plain)


def symbol(pair: PairInfo) -> str:
    """Return the name under which WebSocket v2 knows an instrument."""
    base, _, quote = pair.wsname.partition("/")
    return f"{asset(base)}/{asset(quote)}"


def instrument_of(pair: PairInfo) -> Instrument:
    """Return an instrument on the venue's present terms; fees are those of its lowest tier, the dearest."""
    name = symbol(pair)
    tick, lot = Decimal(1).scaleb(-pair.pair_decimals), Decimal(1).scaleb(-pair.lot_decimals)
    if pair.tick_size != tick:
        raise ConfigError(
            f"{name} is priced in steps of {pair.tick_size}, which this version cannot trade; leave it out"
        )
    taker = pair.fees[0][1]
    maker = taker if not isinstance(pair.fees_maker, tuple) else pair.fees_maker[0][1]
    instrument = Instrument.define(
        name, tick=tick, lot=lot, size_lots_min=1, maker_fee_ppm=_ppm(maker), taker_fee_ppm=_ppm(taker)
    )
    return msgspec.structs.replace(instrument, size_lots_min=instrument.smallest_from(pair.ordermin))


class Names:
    """Find an instrument by any name the venue has for it."""

    def __init__(self, pairs: Mapping[str, PairInfo], wanted: Iterable[str]) -> None:
        """Know the wanted instruments among the venue's pairs."""
        found = {symbol(pair): (key, pair) for key, pair in pairs.items()}
        missing = sorted(set(wanted) - found.keys())
        if missing:
            raise ConfigError(f"market.instruments names {', '.join(missing)}, which the venue does not offer")
        self.instruments = {name: instrument_of(found[name][1]) for name in wanted}
        _refuse_shared(self.instruments.values())
        self._by_name = {
            known: self.instruments[name] for name in self.instruments for known in _names_of(name, *found[name])
        }
        self.quote = next(iter(self.instruments.values())).quote

    def find(self, name: str) -> Instrument | None:
        """Return the instrument of that name, if it is one of ours."""
        return self._by_name.get(name)


def _names_of(name: str, key: str, pair: PairInfo) -> tuple[str, ...]:
    # Asked for an instrument by one name, the venue may answer under that name, and speak of it by another later.
    return name, key, pair.altname, pair.wsname, pair.base + pair.quote


def _ppm(percent: Decimal) -> int:
    return int((percent * PARTS_PER_MILLION / _PERCENT).to_integral_value(ROUND_CEILING))


def _refuse_shared(instruments: Iterable[Instrument]) -> None:
    """Refuse what one balance could not be told apart by: a base named twice, or cash in two currencies."""
    known = tuple(instruments)
    if len({each.quote for each in known}) != 1:
        raise ConfigError("market.instruments must all be priced in one currency: there is one cash account")
    if len({each.base for each in known}) != len(known):
        raise ConfigError(
            "market.instruments must each have another base: a balance does not say through which it was bought"
        )
