"""Lines drawn over the bars of a chart: moving averages and Bollinger bands, named as a person types them."""

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from appliance.core.errors import ConfigError

Floats = npt.NDArray[np.float64]
BARS_MAX: Final = 5_000
BAND_DEVIATIONS: Final = 2.0
KINDS: Final = ("sma", "ema", "bollinger")


class Overlay(NamedTuple):
    """Hold one named line, or a band where there is a second; NaN where it is not warm."""

    name: str
    line: Floats
    other: Floats | None = None


def overlays(words: str, close: Floats) -> Iterator[Overlay]:
    """Yield the lines for words like `sma:20,bollinger:20`."""
    close = np.where(np.isfinite(close), close, np.nan)
    for word in filter(None, words.split(",")):
        name, _, digits = word.partition(":")
        if name not in KINDS or not digits.isdigit() or not 1 <= int(digits) <= BARS_MAX:
            raise ConfigError(
                f"no line is named {word}; there are sma:N, ema:N and bollinger:N, N from 1 to {BARS_MAX}"
            )
        bars = int(digits)
        if name == "sma":
            yield Overlay(f"SMA {bars}", _rolling(close, bars).mean(axis=1))
        elif name == "ema":
            yield Overlay(f"EMA {bars}", _exponential(close, bars))
        else:
            windows = _rolling(close, bars)
            reach = BAND_DEVIATIONS * windows.std(axis=1)
            yield Overlay(f"Bollinger {bars}", windows.mean(axis=1) + reach, windows.mean(axis=1) - reach)


def _rolling(close: Floats, bars: int) -> Floats:
    padded = np.concatenate([np.full(bars - 1, np.nan), close])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, bars))


def _exponential(close: Floats, bars: int) -> Floats:
    out = np.full(len(close), np.nan)
    average, seen = 0.0, 0
    for bar, price in enumerate(close.tolist()):
        if math.isnan(price):
            continue
        average = price if seen == 0 else average + (price - average) * 2.0 / (bars + 1.0)
        seen += 1
        if seen >= bars:
            out[bar] = average
    return out
