"""Averages and bands about them."""

from collections.abc import Callable

from appliance.signals.indicators.program import Series
from appliance.signals.indicators.ranges import true_range
from appliance.signals.indicators.steps import (
    Pair,
    Triple,
    absolute,
    adapt,
    average_range,
    change,
    deviation,
    divided,
    ema,
    exponential,
    gaussian,
    highest,
    lag,
    larger,
    line,
    logarithm,
    lowest,
    mesa,
    rma,
    root,
    skip,
    sma,
    smaller,
    spread,
    window_sum,
    wma,
)

IDENTITY = 10


def dema(x: Series, n: int) -> Series:
    """Take twice the average less the average's average."""
    first = ema(x, n)
    return 2.0 * first - ema(first, n)


def tema(x: Series, n: int) -> Series:
    """Extrapolate from three averages in a row."""
    first = ema(x, n)
    second = ema(first, n)
    return 3.0 * (first - second) + ema(second, n)


def trima(x: Series, n: int) -> Series:
    """Average an average: triangular weights."""
    return sma(sma(x, (n + 1) // 2), n // 2 + 1)


def efficiency(x: Series, n: int) -> Series:
    """Return how straight the way of n rows was: 1 a line or no way at all, 0 back where it began."""
    return divided(absolute(change(x, n)), window_sum(absolute(change(x)), n), instead=1.0)


def kama(x: Series, n: int) -> Series:
    """Average faster the straighter price moves (Kaufman: between 2 and 30 rows)."""
    way = window_sum(absolute(change(x)), n)
    straight = divided(absolute(change(x, n)), way, instead=1.0)
    straight = smaller(straight, straight * 0.0 + 1.0)
    fast, slow = 2.0 / 3.0, 2.0 / 31.0
    weight = straight * (fast - slow) + slow
    return adapt(x, weight * weight)


def t3(x: Series, n: int, v: float) -> Series:
    """Apply Tillson's generalised double average three times."""
    averages = [x]
    for _ in range(6):
        averages.append(ema(averages[-1], n))
    return (
        averages[6] * -(v**3)
        + averages[5] * (3 * v * v + 3 * v**3)
        + averages[4] * (-6 * v * v - 3 * v - 3 * v**3)
        + averages[3] * (1 + 3 * v + v**3 + 3 * v * v)
    )


def hma(x: Series, n: int) -> Series:
    """Average Hull's extrapolation of two weighted means."""
    return wma(2.0 * wma(x, n // 2) - wma(x, n), int(n**0.5))


def zlema(x: Series, n: int) -> Series:
    """Average exponentially what was extrapolated by half the length."""
    return ema(2.0 * x - lag(x, (n - 1) // 2), n)


def _mesa(x: Series, _: int) -> Series:
    return mesa(x, 0.5, 0.05)[0]


def _t3(x: Series, n: int) -> Series:
    return t3(x, n, 0.7)


def _itself(x: Series, _: int) -> Series:
    return x


AVERAGES: tuple[Callable[[Series, int], Series], ...] = (
    sma,
    ema,
    wma,
    dema,
    tema,
    trima,
    kama,
    _mesa,
    _t3,
    hma,
    _itself,
    sma,
    zlema,
    rma,
)


def average(x: Series, n: int, kind: int) -> Series:
    """Average by TA-Lib's number of the kind; one row is its own average."""
    return x if n <= 1 else AVERAGES[kind](x, n)


def aligned(x: Series, n: int, kind: int, y: Series) -> Series:
    """Return an average that begins only as late as another series does, as TA-Lib seeds some pairs."""
    return average(skip(x, max(y.warm - average(x, n, kind).warm, 0)), n, kind)


def vwma(x: Series, volume: Series, n: int) -> Series:
    """Average by volume; without any there is no average."""
    return window_sum(x * volume, n) / window_sum(volume, n)


def vidya(x: Series, n: int, momentum: int) -> Series:
    """Average faster the stronger Chande's momentum."""
    steps = change(x)
    strength = divided(absolute(change(x, momentum)), window_sum(absolute(steps), momentum))
    return adapt(x, strength * (2.0 / (n + 1.0)), at_first=True)


def frama(x: Series, high: Series, low: Series, n: int) -> Series:
    """Average by the fractal dimension of two halves and the whole (Ehlers)."""
    half = n // 2
    top, bottom = highest(high, half), lowest(low, half)
    recent = (top - bottom) / half
    whole = (highest(high, 2 * half) - lowest(low, 2 * half)) / (2 * half)
    dimension = (logarithm(recent + lag(recent, half)) - logarithm(whole)) / 0.6931471805599453
    weight = exponential((dimension - 1.0) * -4.6)
    weight = smaller(larger(weight, weight * 0.0 + 0.01), weight * 0.0 + 1.0)
    return adapt(x, weight, at_first=True)


def alma(x: Series, n: int, offset: float, sigma: float) -> Series:
    """Average with Gaussian weights about a point near the end."""
    return gaussian(x, n, offset, sigma)


def bands(x: Series, n: int, up: float, down: float, kind: int) -> Triple:
    """Return Bollinger's bands: a mean and so many deviations above and below."""
    mean, _ = spread(x, n)
    middle = mean if kind == 0 else average(x, n, kind)
    reach = deviation(x, n)
    return middle + up * reach, middle + 0.0 * reach, middle - down * reach


def acceleration_bands(high: Series, low: Series, close: Series, n: int) -> Triple:
    """Return Headley's bands."""
    share = divided(high - low, high + low, 4.0)
    return sma(high * (share + 1.0), n), sma(close, n), sma(low * (1.0 - share), n)


def donchian(high: Series, low: Series, n: int) -> Triple:
    """Return the extremes of n rows and their middle."""
    top, bottom = highest(high, n), lowest(low, n)
    return top, (top + bottom) * 0.5, bottom


def keltner(high: Series, low: Series, close: Series, n: int, reach: int, factor: float) -> Triple:
    """Return an average of the typical price and so many average ranges about it, both seeded to begin at one row."""
    price, way = (high + low + close) / 3.0, true_range(high, low, close)
    late = n - 1 - reach
    middle = ema(skip(price, max(-late, 0)), n)
    away = factor * rma(skip(way, max(late, 0)), reach)
    return middle + away, middle + 0.0 * away, middle - away


def regression_channel(x: Series, n: int, factor: float) -> Triple:
    """Return the end of the least-squares line and so many standard errors about it."""
    _, slope, mean = line(x, n)
    end = mean + slope * ((n - 1) / 2.0)
    error = residual(x, n)
    return end + factor * error, end, end - factor * error


def residual(x: Series, n: int) -> Series:
    """Return the standard error about the least-squares line."""
    _, slope, _ = line(x, n)
    _, variance = spread(x, n)
    left = (variance - slope * slope * ((n * n - 1) / 12.0)) * (n / max(n - 2, 1))
    return root(larger(left, left * 0.0))


def ichimoku(high: Series, low: Series, fast: int, middle: int, slow: int) -> tuple[Series, ...]:
    """Return Ichimoku's lines as they stand at each row: conversion, base, and the two that lead, drawn late."""
    conversion, base, wide = (donchian(high, low, n)[1] for n in (fast, middle, slow))
    return conversion, base, lag((conversion + base) * 0.5, middle), lag(wide, middle)


def chandelier(high: Series, low: Series, close: Series, n: int, factor: float) -> Pair:
    """Return the stops of a long and of a short so many average ranges from the extreme of n rows."""
    away = factor * average_range(high, low, close, n)
    return highest(high, n) - away, lowest(low, n) + away


def chande_kroll(high: Series, low: Series, close: Series, n: int, factor: float, smooth: int) -> Pair:
    """Return the extremes of a chandelier's stops."""
    long, short = chandelier(high, low, close, n, factor)
    return highest(long, smooth), lowest(short, smooth)


def alligator(high: Series, low: Series, jaw: int, teeth: int, lips: int) -> Triple:
    """Return Williams' three smoothed averages of the middle, each drawn late by its own shift."""
    middle = (high + low) * 0.5
    return lag(rma(middle, jaw), 8), lag(rma(middle, teeth), 5), lag(rma(middle, lips), 3)
