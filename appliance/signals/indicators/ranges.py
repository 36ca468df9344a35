"""Ranges of bars and what is measured with them."""

import math

from appliance.signals.indicators.program import Series
from appliance.signals.indicators.steps import (
    Pair,
    above,
    absolute,
    change,
    choose,
    deviation,
    divided,
    ema,
    highest,
    lag,
    larger,
    line,
    logarithm,
    lowest,
    rise,
    rma,
    root,
    sma,
    smaller,
    spread,
    window_sum,
)


def true_range(high: Series, low: Series, close: Series) -> Series:
    """Return the range of a row, the last close included."""
    last = lag(close, 1)
    return larger(high, last) - smaller(low, last)


def log_ratio(x: Series, y: Series) -> Series:
    """Return the logarithm of a ratio."""
    return logarithm(x / y)


def log_return(x: Series) -> Series:
    """Return the logarithmic return of a row."""
    return log_ratio(x, lag(x, 1))


def parkinson(high: Series, low: Series, n: int, year: int) -> Series:
    """Estimate volatility from highs and lows."""
    reach = log_ratio(high, low)
    return root(window_sum(reach * reach, n, year / (n * 2.772588722239781)))


def garman_klass(opened: Series, high: Series, low: Series, close: Series, n: int, year: int) -> Series:
    """Estimate volatility from all four prices, without gaps."""
    reach, body = log_ratio(high, low), log_ratio(close, opened)
    return root(rise(sma(0.5 * reach * reach - 0.3862943611198906 * body * body, n) * float(year)))


def rogers_satchell_variance(opened: Series, high: Series, low: Series, close: Series, n: int) -> Series:
    """Estimate a row's variance in the presence of drift."""
    up, down = log_ratio(high, opened), log_ratio(low, opened)
    body = log_ratio(close, opened)
    return sma(up * (up - body) + down * (down - body), n)


def rogers_satchell(opened: Series, high: Series, low: Series, close: Series, n: int, year: int) -> Series:
    """Estimate volatility in the presence of drift."""
    return root(rise(rogers_satchell_variance(opened, high, low, close, n) * float(year)))


def yang_zhang(opened: Series, high: Series, low: Series, close: Series, n: int, year: int) -> Series:
    """Estimate volatility with gaps and drift: overnight, open to close, and within the row."""
    share = 0.34 / (1.34 + (n + 1.0) / (n - 1.0))
    overnight = spread(log_ratio(opened, lag(close, 1)), n)[1] * (n / (n - 1.0))
    day = spread(log_ratio(close, opened), n)[1] * (n / (n - 1.0))
    within = rogers_satchell_variance(opened, high, low, close, n)
    return root(rise((overnight + share * day + (1.0 - share) * within) * float(year)))


def historical(x: Series, n: int, year: int) -> Series:
    """Return the sample deviation of logarithmic returns, a year's worth."""
    return root(spread(log_return(x), n)[1] * (n / (n - 1.0) * year))


def chaikin(high: Series, low: Series, n: int, back: int) -> Series:
    """Return the percent change of the averaged range."""
    smooth = ema(high - low, n)
    last = lag(smooth, back)
    return divided(smooth - last, last, 100.0)


def mass(high: Series, low: Series, fast: int, slow: int) -> Series:
    """Sum the ratio of the averaged range to its own average."""
    first = ema(high - low, fast)
    return window_sum(divided(first, ema(first, fast)), slow)


def relative_volatility(x: Series, n: int, window: int) -> Series:
    """Return the share of deviation that came with rising prices (Dorsey)."""
    size, step = deviation(x, window), change(x)
    zero = step * 0.0
    up = rma(choose(step, size, zero * size), n)
    down = rma(choose(-step, size, zero * size), n)
    return divided(up, up + down, 100.0)


def ulcer(x: Series, n: int) -> Series:
    """Return the root mean square of the percent below the highest close."""
    top = highest(x, n)
    below = divided(x - top, top, 100.0)
    return root(sma(below * below, n))


def choppiness(high: Series, low: Series, close: Series, n: int) -> Series:
    """Return how much of the way was to and fro: 100 all, 0 a straight line (Dreiss)."""
    top, bottom = highest(high, n), lowest(low, n)
    way = window_sum(true_range(high, low, close), n)
    return logarithm(way / (top - bottom)) * (100.0 / math.log(n))


def vortex(high: Series, low: Series, close: Series, n: int) -> Pair:
    """Return the upward and the downward movement as shares of the ranges."""
    way = window_sum(true_range(high, low, close), n)
    up = window_sum(absolute(high - lag(low, 1)), n)
    down = window_sum(absolute(low - lag(high, 1)), n)
    return divided(up, way), divided(down, way)


def squeeze(high: Series, low: Series, close: Series, n: int, wide: float, narrow: float) -> Pair:
    """Tell whether Bollinger's bands lie inside Keltner's, and which way price leans (after Carter)."""
    inner, outer = wide * deviation(close, n), narrow * sma(true_range(high, low, close), n)
    middle = (highest(high, n) + lowest(low, n)) * 0.5
    away = close - (middle + sma(close, n)) * 0.5
    _, slope, mean = line(away, n)
    return above(outer, inner), mean + slope * ((n - 1) / 2.0)
