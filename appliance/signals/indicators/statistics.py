"""Statistics of windows, and levels found in them."""

import math

from appliance.kernels.indicators import layout
from appliance.signals.indicators.program import Series
from appliance.signals.indicators.steps import (
    Pair,
    Triple,
    change,
    divided,
    highest,
    highest_age,
    lag,
    line,
    logarithm,
    lowest,
    lowest_age,
    mapped,
    relation,
    root,
    sma,
    spread,
)

DEGREES = 180.0 / math.pi


def beta(x: Series, y: Series, n: int) -> Series:
    """Return the slope of the second's returns on the first's."""
    a, b = (divided(change(z), lag(z, 1)) for z in (x, y))
    own, _, both = relation(a, b, n)
    return divided(both, own)


def correlation(x: Series, y: Series, n: int) -> Series:
    """Return Pearson's correlation."""
    a, b, both = relation(x, y, n)
    return divided(both, root(a * b))


def covariance(x: Series, y: Series, n: int) -> Series:
    """Return the covariance of the population."""
    return relation(x, y, n)[2]


def autocorrelation(x: Series, n: int, back: int) -> Series:
    """Return the correlation of returns with those so many rows ago."""
    step = logarithm(x / lag(x, 1))
    return correlation(step, lag(step, back), n)


def explained(x: Series, n: int) -> Series:
    """Return the share of variance that a straight line explains."""
    _, slope, _ = line(x, n)
    _, variance = spread(x, n)
    return divided(slope * slope * ((n * n - 1) / 12.0), variance)


def angle(x: Series, n: int) -> Series:
    """Return the angle of the least-squares line in degrees."""
    return mapped(line(x, n)[1], layout.ARC_TANGENT) * DEGREES


def on_line(x: Series, n: int, ahead: float) -> Series:
    """Return the least-squares line so many rows after its last."""
    _, slope, mean = line(x, n)
    return mean + slope * ((n - 1) / 2.0 + ahead)


def moment(x: Series, n: int, power: int) -> Series:
    """Return a central moment of n values in units of their deviation."""
    return x.draft.one(layout.MOMENT, (x, x), n - 1, state=2 * n + 2, n=n, par=(float(power),))


def hurst(x: Series, n: int, longest: int) -> Series:
    """Return the exponent by which deviations of differences grow with their lag: 0.5 a random walk."""
    logs = [math.log(back) for back in range(2, longest + 1)]
    mean = sum(logs) / len(logs)
    size = sum((value - mean) ** 2 for value in logs)
    result = x * 0.0
    for back, value in zip(range(2, longest + 1), logs, strict=True):
        result = result + logarithm(spread(change(x, back), n)[1]) * (0.5 * (value - mean) / size)
    return result


def variance_ratio(x: Series, n: int, back: int) -> Series:
    """Return the variance of long returns over that of short ones times their length: 1 a random walk."""
    price = logarithm(x)
    return divided(spread(change(price, back), n)[1], spread(change(price), n)[1], 1.0 / back)


def half_life(x: Series, n: int) -> Series:
    """Return after how many rows half of a distance from the mean is gone, by regression on the level."""
    level, step = lag(x, 1), change(x)
    own, _, both = relation(level, step, n)
    pull = logarithm(divided(both, own) + 1.0)
    return -math.log(2.0) / 1.0 * divided(pull * 0.0 + 1.0, pull, instead=math.nan)


def extremes(x: Series, n: int) -> Pair:
    """Return the least and the greatest of n values."""
    return lowest(x, n), highest(x, n)


def ages(x: Series, n: int) -> Pair:
    """Return how many rows ago the least and the greatest of n values were."""
    return lowest_age(x, n), highest_age(x, n)


def session(opened: Series, high: Series, low: Series, close: Series, n: int) -> tuple[Series, Series, Series, Series]:
    """Return high, low and close of the last whole session, and the open of the present one."""
    h, w, c, o = high.draft.instruct(layout.SESSION, (opened, high, low, close), (n,) * 4, state=9, n=n)
    return h, w, c, o


def classic(opened: Series, high: Series, low: Series, close: Series, n: int) -> tuple[Series, ...]:
    """Return the pivot of the last session and two levels on each side."""
    h, w, c, _ = session(opened, high, low, close, n)
    p = (h + w + c) / 3.0
    return p, 2.0 * p - w, 2.0 * p - h, p + (h - w), p - (h - w)


def by_ratios(opened: Series, high: Series, low: Series, close: Series, n: int) -> tuple[Series, ...]:
    """Return the pivot and Fibonacci shares of the range on each side."""
    h, w, c, _ = session(opened, high, low, close, n)
    p, reach = (h + w + c) / 3.0, h - w
    return p, p + 0.382 * reach, p - 0.382 * reach, p + 0.618 * reach, p - 0.618 * reach


def camarilla(opened: Series, high: Series, low: Series, close: Series, n: int) -> tuple[Series, ...]:
    """Return the last close and Scott's third and fourth levels on each side."""
    h, w, c, _ = session(opened, high, low, close, n)
    reach = (h - w) * 1.1
    return c, c + reach / 4.0, c - reach / 4.0, c + reach / 2.0, c - reach / 2.0


def woodie(opened: Series, high: Series, low: Series, close: Series, n: int) -> tuple[Series, ...]:
    """Return the pivot that weighs the present open twice, and two levels on each side."""
    h, w, _, o = session(opened, high, low, close, n)
    p = (h + w + 2.0 * o) / 4.0
    return p, 2.0 * p - w, 2.0 * p - h, p + (h - w), p - (h - w)


def fractals(high: Series, low: Series, before: int, after: int) -> Pair:
    """Return the high (low) so many rows ago where it stands out on both sides, else zero."""
    whole = before + after
    top, bottom = (
        x.draft.one(layout.FRACTAL, (x,), whole, state=whole + 3, n=before, m=after, par=(sign,))
        for x, sign in ((high, 1.0), (low, -1.0))
    )
    return top, bottom


def zigzag(high: Series, low: Series, percent: float) -> Triple:
    """Return the last confirmed turn, the direction since, and the extreme since."""
    a, b, c = high.draft.instruct(layout.ZIGZAG, (high, low), (0, 0, 0), state=5, par=(percent / 100.0,))
    return a, b, c


def percent_from_mean(x: Series, n: int) -> Series:
    """Return the distance from the mean in percent."""
    base = sma(x, n)
    return divided(x - base, base, 100.0)
