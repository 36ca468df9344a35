"""The building blocks of formulas: each adds one instruction, or a few, and returns series."""

from appliance.kernels.indicators import cycles, layout
from appliance.signals.indicators.program import Series

Pair = tuple[Series, Series]
Triple = tuple[Series, Series, Series]
Weights = tuple[float, float, float]


def lag(x: Series, n: int) -> Series:
    """Take the value n rows ago."""
    return x.draft.one(layout.LAG, (x,), n, state=n + 2, n=n) if n else x


def skip(x: Series, n: int) -> Series:
    """Hide the first n values."""
    return x.draft.one(layout.SKIP, (x,), n, state=1, n=n) if n else x


def change(x: Series, n: int = 1) -> Series:
    """Subtract the value n rows ago."""
    return x - lag(x, n)


def total(x: Series) -> Series:
    """Add up everything so far."""
    return x.draft.one(layout.TOTAL, (x,), state=1)


def window_sum(x: Series, n: int, scale: float = 1.0) -> Series:
    """Sum the last n values."""
    return x.draft.one(layout.SUM, (x,), n - 1, state=2 * n + 4, n=n, par=(scale,))


def sma(x: Series, n: int) -> Series:
    """Average the last n values."""
    return window_sum(x, n, 1.0 / n)


def spread(x: Series, n: int) -> Pair:
    """Return mean and variance of the last n values."""
    mean, variance = x.draft.instruct(layout.SPREAD, (x,), (n - 1, n - 1), state=3 * n + 7, n=n)
    return mean, variance


def deviation(x: Series, n: int) -> Series:
    """Return the standard deviation (of the population) of the last n values."""
    return root(spread(x, n)[1])


def line(x: Series, n: int) -> Triple:
    """Return linearly weighted mean, least-squares slope and mean of the last n values."""
    weighted, slope, mean = x.draft.instruct(layout.SLOPE, (x,), (n - 1,) * 3, state=3 * n + 7, n=n)
    return weighted, slope, mean


def wma(x: Series, n: int) -> Series:
    """Average the last n values, the latest weighing most."""
    return line(x, n)[0]


def relation(x: Series, y: Series, n: int) -> Triple:
    """Return the two variances and the covariance of the last n pairs."""
    a, b, both = x.draft.instruct(layout.RELATION, (x, y), (n - 1,) * 3, state=7 * n + 14, n=n)
    return a, b, both


def highest(x: Series, n: int) -> Series:
    """Return the greatest of the last n values."""
    return x.draft.one(layout.PEAK, (x,), n - 1, state=2 * n + 3, n=n, par=(1.0,))


def lowest(x: Series, n: int) -> Series:
    """Return the least of the last n values."""
    return x.draft.one(layout.PEAK, (x,), n - 1, state=2 * n + 3, n=n, par=(-1.0,))


def highest_age(x: Series, n: int, *, latest: bool = False) -> Series:
    """Return how many rows ago the greatest of the last n values was; among equals see the instruction."""
    return x.draft.one(layout.EXTREME, (x,), n - 1, state=n + 4, n=n, m=int(latest), par=(1.0,))


def lowest_age(x: Series, n: int, *, latest: bool = False) -> Series:
    """Return how many rows ago the least of the last n values was; among equals see the instruction."""
    return x.draft.one(layout.EXTREME, (x,), n - 1, state=n + 4, n=n, m=int(latest), par=(-1.0,))


def mean_deviation(x: Series, n: int) -> Series:
    """Return the mean distance of the last n values from their mean."""
    return x.draft.one(layout.DEVIATION, (x, x), n - 1, state=2 * n + 2, n=n)


def rank(x: Series, n: int, *, ties: bool) -> Series:
    """Return how many percent of the n-1 values before are below (with ties: not above) the latest."""
    return x.draft.one(layout.RANK, (x, x), n - 1, state=2 * n + 2, n=n, par=(float(ties),))


def percentile(x: Series, n: int, percent: float) -> Series:
    """Return the value of nearest rank among the last n."""
    return x.draft.one(layout.MIDDLE, (x, x), n - 1, state=2 * n + 2, n=n, par=(percent,))


def variable_mean(x: Series, lengths: Series, shortest: int, longest: int) -> Series:
    """Average as many values as the second series says."""
    return x.draft.one(layout.VARIABLE, (x, lengths), longest - 1, state=2 * longest + 2, n=longest, par=(shortest,))


def gaussian(x: Series, n: int, offset: float, sigma: float) -> Series:
    """Average with Gaussian weights."""
    return x.draft.one(layout.WEIGHTED, (x, x), n - 1, state=2 * n + 2, n=n, par=(offset, sigma))


def profile(x: Series, volume: Series, n: int, bins: int, share: float) -> Triple:
    """Return the fullest price level of the last n rows and the ends of the area that holds a share of the volume."""
    point, low, high = x.draft.instruct(
        layout.PROFILE, (x, volume), (n - 1,) * 3, state=2 * n + 2 + bins, n=n, m=bins, par=(share,)
    )
    return point, low, high


def weighted(x: Series, n: int, weight: float) -> Series:
    """Average exponentially with a given weight, from the mean of the first n values on."""
    return x.draft.one(layout.AVERAGE, (x,), n - 1, state=2, n=n, par=(weight,))


def ema(x: Series, n: int) -> Series:
    """Average exponentially."""
    return weighted(x, n, 2.0 / (n + 1.0))


def rma(x: Series, n: int) -> Series:
    """Average as Wilder does."""
    return weighted(x, n, 1.0 / n)


def average_range(high: Series, low: Series, close: Series, n: int) -> Series:
    """Average true ranges after Wilder."""
    return high.draft.one(layout.RANGE, (high, low, close), n, state=3, n=n)


def following(x: Series, n: int) -> Series:
    """Average exponentially from the first value on."""
    return weighted(x, 1, 2.0 / (n + 1.0))


def relative_strength(x: Series, n: int) -> Series:
    """Return Wilder's relative strength: gains as a share of all moves."""
    return x.draft.one(layout.MOVES, (x,), n, state=4, n=n)


def chande_momentum(x: Series, n: int) -> Series:
    """Return Chande's momentum: gains less losses as a share of all moves."""
    return x.draft.one(layout.MOVES, (x,), n, state=4, n=n, m=1)


def distance(x: Series, lengths: tuple[int, int, int], weights: tuple[float, float, float]) -> Triple:
    """Return the distance of a fast and a slow average, its average, and their distance."""
    fast, slow, signal = lengths
    a, b, c = x.draft.instruct(
        layout.MACD, (x,), (slow + signal - 2,) * 3, state=4, n=slow, m=fast, third=signal, par=weights
    )
    return a, b, c


def direction(high: Series, low: Series, close: Series, n: int) -> tuple[Series, ...]:
    """Return up and down movement, up and down indicator, their index and its average."""
    first = max(n - 1, 1)
    return high.draft.instruct(layout.DIRECTION, (high, low, close), (first, first, n, n, n, 2 * n - 1), state=9, n=n)


def adapt(x: Series, weights: Series, *, at_first: bool = False) -> Series:
    """Average with a weight of each row's own, from the value before (or at) the first weight on."""
    return x.draft.one(layout.ADAPT, (x, weights), state=3, m=int(at_first))


def hold(x: Series, known: Series, begin: float = 0.0) -> Series:
    """Repeat the last number where there is none but the second series has one."""
    held = x.draft.one(layout.HOLD, (x, known), state=2, par=(begin,))
    held.warm = known.warm
    return held


def recursive(x: Series, ins: Weights, outs: tuple[float, float], n: int = 0) -> Series:
    """Filter with three weights on inputs and two on outputs."""
    ins_sum, outs_sum = sum(ins), sum(outs)
    # Where the filter would rest if the first value had been there forever.
    rest = 0.0 if abs(ins_sum) < layout.NEARLY_ZERO else ins_sum / (1.0 - outs_sum)
    return x.draft.one(layout.FILTER, (x,), n, state=5, n=n, par=(*ins, *outs, rest))


def streak(x: Series) -> Series:
    """Count rises (above zero) or falls (below zero) in a row."""
    return x.draft.one(layout.STREAK, (x,), state=3)


def indexed(ratio: Series, begin: float) -> Series:
    """Multiply an index by each ratio."""
    return ratio.draft.one(layout.INDEXED, (ratio,), state=2, par=(begin,))


def hilbert(x: Series, *, late: bool) -> tuple[Series, ...]:
    """Return period, phasor (two), phase, sine, leading sine, trend line and trend mode."""
    shown, begin = (63, 37) if late else (32, 12)
    return x.draft.instruct(
        layout.HILBERT, (x,), (shown,) * cycles.OUTPUTS, state=cycles.STATE_LENGTH, n=shown, m=begin
    )


def mesa(x: Series, fast: float, slow: float) -> Pair:
    """Return MESA's adaptive average and the one that follows it."""
    a, b = x.draft.instruct(layout.MESA, (x,), (32, 32), state=cycles.STATE_LENGTH, n=32, m=12, par=(fast, slow))
    return a, b


def laguerre(x: Series, damping: float) -> Pair:
    """Return the Laguerre filter and the relative strength of its stages."""
    a, b = x.draft.instruct(layout.LAGUERRE, (x,), (0, 0), state=5, par=(damping,))
    return a, b


def mapped(x: Series, which: int) -> Series:
    """Apply a function of one number."""
    return x.draft.one(layout.MAPPED, (x,), n=which)


def absolute(x: Series) -> Series:
    """Drop the sign."""
    return mapped(x, layout.ABSOLUTE)


def root(x: Series) -> Series:
    """Take the square root."""
    return mapped(x, layout.SQUARE_ROOT)


def logarithm(x: Series) -> Series:
    """Take the natural logarithm."""
    return mapped(x, layout.LOGARITHM)


def exponential(x: Series) -> Series:
    """Raise e to the value."""
    return mapped(x, layout.EXPONENTIAL)


def power(x: Series, exponent: float) -> Series:
    """Raise to a fixed power."""
    return x.draft.one(layout.POWER, (x, x), par=(exponent,))


def divided(x: Series, y: Series, scale: float = 1.0, instead: float = 0.0) -> Series:
    """Divide and scale; where the divisor is all but zero, take the given number instead."""
    return x.draft.one(layout.DIVIDE_OR, (x, y), par=(scale, instead))


def larger(x: Series, y: Series) -> Series:
    """Take the greater."""
    return x.draft.one(layout.LARGER, (x, y))


def smaller(x: Series, y: Series) -> Series:
    """Take the lesser."""
    return x.draft.one(layout.SMALLER, (x, y))


def above(x: Series, y: Series) -> Series:
    """Return one where the first is greater, else zero."""
    return x.draft.one(layout.GREATER, (x, y))


def choose(which: Series, x: Series, y: Series) -> Series:
    """Take the second series where the first is above zero, else the third."""
    return x.draft.one(layout.CHOOSE, (which, x, y))


def where_known(x: Series, y: Series) -> Series:
    """Hide a series where the other is not known."""
    return x.draft.one(layout.WHERE_KNOWN, (x, y))


def rise(x: Series) -> Series:
    """Keep what is above zero."""
    return larger(x, x * 0.0)


def fall(x: Series) -> Series:
    """Keep the size of what is below zero."""
    return larger(-x, x * 0.0)
