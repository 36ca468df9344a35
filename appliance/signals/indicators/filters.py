"""Ehlers' filters and cycles."""

import math

from appliance.kernels.indicators import layout
from appliance.signals.indicators.program import Series
from appliance.signals.indicators.steps import (
    Pair,
    divided,
    highest,
    lag,
    lowest,
    mapped,
    recursive,
    root,
    sma,
    window_sum,
)

ROOT_2 = math.sqrt(2.0)


def super_smoother(x: Series, n: int) -> Series:
    """Pass what is slower than n rows, twice."""
    a = math.exp(-ROOT_2 * math.pi / n)
    b = 2.0 * a * math.cos(ROOT_2 * math.pi / n)
    share = (1.0 - b + a * a) / 2.0
    return recursive(x, (share, share, 0.0), (b, -a * a))


def high_pass(x: Series, n: int) -> Series:
    """Pass what is faster than n rows, twice."""
    angle = 0.707 * 2.0 * math.pi / n
    a = (math.cos(angle) + math.sin(angle) - 1.0) / math.cos(angle)
    share = (1.0 - a / 2.0) ** 2
    return recursive(x, (share, -2.0 * share, share), (2.0 * (1.0 - a), -((1.0 - a) ** 2)))


def roofing(x: Series, short: int, long: int) -> Series:
    """Pass what is between the two lengths."""
    return super_smoother(high_pass(x, long), short)


def decycler(x: Series, n: int) -> Series:
    """Take what is faster than n rows away."""
    angle = 2.0 * math.pi / n
    a = (math.cos(angle) + math.sin(angle) - 1.0) / math.cos(angle)
    return recursive(x, (a / 2.0, a / 2.0, 0.0), (1.0 - a, 0.0))


def cyber_cycle(x: Series, alpha: float) -> Pair:
    """Return the cycle in the smoothed price, and its value a row before."""
    smooth = (x + 2.0 * lag(x, 1) + 2.0 * lag(x, 2) + lag(x, 3)) / 6.0
    share = (1.0 - alpha / 2.0) ** 2
    cycle = recursive(smooth, (share, -2.0 * share, share), (2.0 * (1.0 - alpha), -((1.0 - alpha) ** 2)))
    return cycle, lag(cycle, 1)


def instantaneous(x: Series, alpha: float) -> Pair:
    """Return the trend with the cycle taken out, and its trigger."""
    square = alpha * alpha
    trend = recursive(
        x,
        (alpha - square / 4.0, square / 2.0, -(alpha - 0.75 * square)),
        (2.0 * (1.0 - alpha), -((1.0 - alpha) ** 2)),
    )
    return trend, 2.0 * trend - lag(trend, 2)


def even_better_sine(x: Series, long: int, short: int) -> Series:
    """Return the wave of the filtered price over its own power."""
    angle = 2.0 * math.pi / long
    a = (1.0 - math.sin(angle)) / math.cos(angle)
    passed = recursive(x, (0.5 * (1.0 + a), -0.5 * (1.0 + a), 0.0), (a, 0.0))
    smooth = super_smoother(passed, short)
    return divided(window_sum(smooth, 3, 1.0 / 3.0), root(sma(smooth * smooth, 3)))


def band_pass(x: Series, n: int, width: float) -> Pair:
    """Return what swings with a period of n rows, and its normalised size."""
    b = math.cos(2.0 * math.pi / n)
    g = 1.0 / math.cos(4.0 * math.pi * width / n)
    a = g - math.sqrt(g * g - 1.0)
    share = 0.5 * (1.0 - a)
    passed = recursive(x, (share, 0.0, -share), (b * (1.0 + a), -a))
    top = highest(mapped(passed, layout.ABSOLUTE), n)
    return passed, divided(passed, top)


def stochastic_cycle(x: Series, n: int) -> Series:
    """Return where the filtered price stands in its range of n rows."""
    passed = roofing(x, 10, 48)
    bottom = lowest(passed, n)
    return super_smoother(divided(passed - bottom, highest(passed, n) - bottom, 100.0), 10)
