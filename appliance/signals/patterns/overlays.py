"""Lines drawn over the bars of a chart: averages and bands of the catalogue, named as a person types them."""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from appliance.core.errors import ConfigError
from appliance.market.bar_table import BarTable
from appliance.signals.indicators.compute import batch

Floats = npt.NDArray[np.float64]
# As the catalogue bounds a length.
BARS_MAX: Final = 1_000
# What stands on the scale of prices: the word, its row of the catalogue, and how the chart names it.
KINDS: Final = MappingProxyType(
    {
        "sma": ("sma", "SMA"),
        "ema": ("ema", "EMA"),
        "wma": ("wma", "WMA"),
        "vwma": ("vwma", "VWMA"),
        "bollinger": ("bbands", "Bollinger"),
        "donchian": ("donchian", "Donchian"),
    }
)


class Overlay(NamedTuple):
    """Hold one named line, or a band where there is a second; NaN where it is not warm."""

    name: str
    line: Floats
    other: Floats | None = None


def overlays(words: str, table: BarTable) -> Iterator[Overlay]:
    """Yield the lines for words like `sma:20,bollinger:20`; of a band its upper and its lower edge."""
    columns = {name: column for name, column in table._asdict().items() if name != "time_ms"}
    for word in filter(None, words.split(",")):
        name, _, digits = word.partition(":")
        if name not in KINDS or not digits.isdigit() or not 1 <= int(digits) <= BARS_MAX:
            known = ", ".join(f"{kind}:N" for kind in KINDS)
            raise ConfigError(f"no line is named {word}; there are {known}, N from 1 to {BARS_MAX}")
        row, label = KINDS[name]
        lines = list(batch(row, columns, length=int(digits)).values())
        yield Overlay(f"{label} {digits}", lines[0], lines[-1] if len(lines) > 1 else None)
