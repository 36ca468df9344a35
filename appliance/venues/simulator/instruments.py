"""What the built-in venue lists. The grids are Kraken's; fees are its lowest tier's; the prices are only a start."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from appliance.core.instruments import Instrument

_MAKER_FEE_PPM = 1_600
_TAKER_FEE_PPM = 2_600

BUILT_IN: tuple[Instrument, ...] = (
    Instrument.define(
        "BTC/USD",
        tick=Decimal("0.1"),
        lot=Decimal("0.00000001"),
        size_lots_min=10_000,
        maker_fee_ppm=_MAKER_FEE_PPM,
        taker_fee_ppm=_TAKER_FEE_PPM,
    ),
    Instrument.define(
        "ETH/USD",
        tick=Decimal("0.01"),
        lot=Decimal("0.00000001"),
        size_lots_min=200_000,
        maker_fee_ppm=_MAKER_FEE_PPM,
        taker_fee_ppm=_TAKER_FEE_PPM,
    ),
)

START_TICKS: Mapping[str, int] = MappingProxyType({"BTC/USD": 640_000, "ETH/USD": 320_000})
