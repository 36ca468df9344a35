"""Oscillators: where price stands in its range, and which way it goes."""

import math

from appliance.kernels.indicators import layout
from appliance.signals.indicators.averages import aligned, average
from appliance.signals.indicators.program import Series
from appliance.signals.indicators.ranges import true_range
from appliance.signals.indicators.steps import (
    Pair,
    Triple,
    above,
    absolute,
    average_range,
    change,
    choose,
    deviation,
    distance,
    divided,
    ema,
    fall,
    following,
    highest,
    highest_age,
    hold,
    lag,
    larger,
    line,
    logarithm,
    lowest,
    lowest_age,
    mapped,
    mean_deviation,
    rank,
    recursive,
    relative_strength,
    rise,
    rma,
    root,
    sma,
    smaller,
    streak,
    weighted,
    where_known,
    window_sum,
    wma,
)

# Kinds of averages by TA-Lib's numbers; the last stands for what a function uses by itself.
EXPONENTIAL, WILDER, OWN_DEFAULT = 1, 13, 11
STRENGTH_GRID = 1e11


def typical(high: Series, low: Series, close: Series) -> Series:
    """Return the typical price."""
    return (high + low + close) / 3.0


def ratio(x: Series, n: int, scale: float = 1.0) -> Series:
    """Return price over price n rows ago."""
    return divided(x, lag(x, n), scale)


def rate(x: Series, n: int, scale: float = 100.0) -> Series:
    """Return the change over n rows as a share."""
    last = lag(x, n)
    return divided(x - last, last, scale)


def plain_gap(x: Series, fast: int, slow: int, kind: int) -> Series:
    """Return the distance of two averages."""
    kind = EXPONENTIAL if kind == OWN_DEFAULT else kind
    quick, slowly = (average(x, n, kind) for n in sorted((fast, slow)))
    return quick - slowly


def percent_gap(x: Series, fast: int, slow: int, kind: int) -> Series:
    """Return the distance of two averages in percent of the slow one."""
    kind = EXPONENTIAL if kind == OWN_DEFAULT else kind
    quick, slowly = (average(x, n, kind) for n in sorted((fast, slow)))
    return divided(quick - slowly, slowly, 100.0)


def macd_of_kinds(x: Series, fast: int, a: int, slow: int, b: int, signal: int, c: int) -> Triple:
    """Return the distance of two averages of any kind, its average, and their distance."""
    if slow < fast:
        fast, a, slow, b = slow, b, fast, a
    quick, slowly = average(x, fast, a), average(x, slow, b)
    gap_ = aligned(x, fast, a, slowly) - aligned(x, slow, b, quick)
    smooth = average(gap_, signal, c)
    return where_known(gap_, smooth), smooth, gap_ - smooth


def stand(x: Series, high: Series, low: Series, n: int) -> Series:
    """Return where price stands between the extremes of n rows, in percent."""
    bottom = lowest(low, n)
    return divided(x - bottom, highest(high, n) - bottom, 100.0)


def stochastic(x: Series, high: Series, low: Series, n: int, k: int, k_kind: int, d: int, d_kind: int) -> Pair:
    """Return the smoothed stand and its average."""
    smooth = average(stand(x, high, low, n), k, k_kind)
    signal = average(smooth, d, d_kind)
    return where_known(smooth, signal), signal


def stochastic_rsi(x: Series, n: int, k: int, d: int, d_kind: int) -> Pair:
    """Return where relative strength stands in its own range.

    While price rests, strength moves by rounding errors only; cut off, they cannot pass for a range.
    """
    strength = mapped(relative_strength(x, n) * STRENGTH_GRID + 0.5, layout.FLOOR) / STRENGTH_GRID
    return stochastic(strength, strength, strength, k, 1, 0, d, d_kind)


def kdj(high: Series, low: Series, close: Series, n: int, k: int, k_kind: int, d: int, d_kind: int) -> Triple:
    """Return the stochastic and three times its line less twice the signal."""
    k_kind, d_kind = (WILDER if kind == OWN_DEFAULT else kind for kind in (k_kind, d_kind))
    fast, slow = stochastic(close, high, low, n, k, k_kind, d, d_kind)
    return fast, slow, 3.0 * fast - 2.0 * slow


def momentum_index(high: Series, low: Series, close: Series, n: int, fast: int, slow: int, signal: int) -> Pair:
    """Return Blau's stochastic momentum and its average."""
    top, bottom = highest(high, n), lowest(low, n)
    away = ema(ema(close - (top + bottom) * 0.5, slow), fast)
    reach = ema(ema(top - bottom, slow), fast)
    index = divided(away, reach, 200.0)
    smooth = ema(index, signal)
    return where_known(index, smooth), smooth


def true_strength(x: Series, first: int, second: int) -> Series:
    """Return twice smoothed momentum over its size (Blau)."""
    step = change(x)
    return divided(ema(ema(step, first), second), ema(ema(absolute(step), first), second), 100.0)


def ultimate(high: Series, low: Series, close: Series, a: int, b: int, c: int) -> Series:
    """Weigh buying pressure over three windows (Williams)."""
    bought = close - smaller(low, lag(close, 1))
    way = true_range(high, low, close)
    total = way * 0.0
    for n, weight in zip(sorted((a, b, c)), (4.0, 2.0, 1.0), strict=True):
        total = total + divided(window_sum(bought, n), window_sum(way, n), weight)
    return total * (100.0 / 7.0)


def commodity(high: Series, low: Series, close: Series, n: int) -> Series:
    """Return the distance from the mean in mean deviations (Lambert)."""
    price = typical(high, low, close)
    return divided(price - sma(price, n), mean_deviation(price, n), 1.0 / 0.015)


def aroon(high: Series, low: Series, n: int) -> Pair:
    """Return how recent the lowest and the highest of n rows are, in percent."""
    down = lowest_age(low, n + 1, latest=True)
    up = highest_age(high, n + 1, latest=True)
    return 100.0 - down * (100.0 / n), 100.0 - up * (100.0 / n)


def aroon_gap(high: Series, low: Series, n: int) -> Series:
    """Return how much more recent the highest is than the lowest."""
    down, up = aroon(high, low, n)
    return up - down


def below_top(high: Series, low: Series, close: Series, n: int) -> Series:
    """Return how far price is below the highest of n rows, in percent of their range."""
    top = highest(high, n)
    return divided(close - top, top - lowest(low, n), 100.0)


def unsmoothed(x: Series, n: int) -> Series:
    """Return Chande's momentum from plain sums."""
    step = change(x)
    return divided(window_sum(step, n), window_sum(absolute(step), n), 100.0)


def intraday(opened: Series, close: Series, n: int) -> Series:
    """Return the share of rising bodies among all."""
    body = close - opened
    return divided(window_sum(rise(body), n), window_sum(absolute(body), n), 100.0, instead=50.0)


def fisher(high: Series, low: Series, n: int) -> Pair:
    """Return Ehlers' Fisher transform of the stand, and its value a row before."""
    price = (high + low) * 0.5
    bottom = lowest(price, n)
    where = divided(price - bottom, highest(price, n) - bottom, instead=0.5)
    smooth = recursive(where * 2.0 - 1.0, (0.33, 0.0, 0.0), (0.67, 0.0))
    edge = smooth * 0.0 + 0.999
    smooth = larger(smaller(smooth, edge), -edge)
    turned = recursive(logarithm((smooth + 1.0) / (1.0 - smooth)), (0.5, 0.0, 0.0), (0.5, 0.0))
    return turned, lag(turned, 1)


def inverse_fisher_rsi(x: Series, n: int, smooth: int) -> Series:
    """Squeeze averaged relative strength between -1 and 1 (Ehlers)."""
    return mapped(wma((relative_strength(x, n) - 50.0) * 0.1, smooth), layout.TANGENT_HYPERBOLIC)


def know_sure_thing(x: Series, signal: int) -> Pair:
    """Sum four smoothed rates of change with rising weights (Pring)."""
    parts = [sma(rate(x, back), smooth) for back, smooth in ((10, 10), (15, 10), (20, 10), (30, 15))]
    line_ = parts[0] + 2.0 * parts[1] + 3.0 * parts[2] + 4.0 * parts[3]
    return line_, sma(line_, signal)


def connors(x: Series, n: int, runs: int, window: int) -> Series:
    """Average relative strength of price and of its streaks with the rank of the last return."""
    ranked = rank(rate(x, 1), window + 1, ties=False)
    return (relative_strength(x, n) + relative_strength(streak(x), runs) + ranked) / 3.0


def schaff(x: Series, fast: int, slow: int, cycle: int, factor: float) -> Series:
    """Take the stochastic of a stochastic of the distance of two averages; flat stretches keep the last value."""
    gap_ = following(x, fast) - following(x, slow)

    def once(y: Series) -> Series:
        bottom = lowest(y, cycle)
        reach = highest(y, cycle) - bottom
        return weighted(hold((y - bottom) / reach * 100.0, reach), 1, factor)

    return once(once(gap_))


def coppock(x: Series, n: int, a: int, b: int) -> Series:
    """Average two rates of change, the latest weighing most."""
    return wma(rate(x, a) + rate(x, b), n)


def awesome(high: Series, low: Series, fast: int, slow: int) -> Series:
    """Return the distance of two means of the middle price (Williams)."""
    middle = (high + low) * 0.5
    return sma(middle, fast) - sma(middle, slow)


def accelerator(high: Series, low: Series, fast: int, slow: int, signal: int) -> Series:
    """Return the awesome oscillator less its mean."""
    base = awesome(high, low, fast, slow)
    return base - sma(base, signal)


def forecast(x: Series, n: int) -> Series:
    """Return how far price is from where the last line pointed, in percent."""
    _, slope, mean = line(x, n)
    return divided(x - lag(mean + slope * ((n + 1) / 2.0), 1), x, 100.0)


def vertical_horizontal(x: Series, n: int) -> Series:
    """Return the range of closes over the way between them (White)."""
    return divided(highest(x, n) - lowest(x, n), window_sum(absolute(change(x)), n))


def vigor(opened: Series, high: Series, low: Series, close: Series, n: int) -> Pair:
    """Return the body over the range, both smoothed, and the signal (Ehlers)."""

    def smooth(x: Series) -> Series:
        return (x + 2.0 * lag(x, 1) + 2.0 * lag(x, 2) + lag(x, 3)) / 6.0

    index = divided(window_sum(smooth(close - opened), n), window_sum(smooth(high - low), n))
    return index, smooth(index)


def wave_trend(high: Series, low: Series, close: Series, channel: int, average_: int) -> Pair:
    """Return LazyBear's wave trend and its signal."""
    price = typical(high, low, close)
    base = ema(price, channel)
    away = price - base
    first = ema(divided(away, ema(absolute(away), channel), 1.0 / 0.015), average_)
    return first, sma(first, 4)


def demarker(high: Series, low: Series, n: int) -> Series:
    """Return the share of rising highs among all new extremes (DeMark)."""
    up, down = sma(rise(change(high)), n), sma(fall(change(low)), n)
    return divided(up, up + down)


def random_walk(high: Series, low: Series, close: Series, n: int) -> Pair:
    """Return how far the extremes went compared with a random walk of n rows (Poulos)."""
    reach = lag(sma(true_range(high, low, close), n), 1) * float(n) ** 0.5
    return divided(high - lag(low, n), reach), divided(lag(high, n) - low, reach)


def pretty_good(high: Series, low: Series, close: Series, n: int) -> Series:
    """Return the distance from the mean in average ranges (Johnson)."""
    return divided(close - sma(close, n), ema(true_range(high, low, close), n))


def psychological(x: Series, n: int) -> Series:
    """Return the percent of rising rows."""
    step = change(x)
    return sma(above(step, step * 0.0), n) * 100.0


def trend_intensity(x: Series, n: int, window: int) -> Series:
    """Return the share of positive distances from the mean (Pee)."""
    away = x - sma(x, n)
    return divided(window_sum(rise(away), window), window_sum(absolute(away), window), 100.0)


def price_momentum(x: Series, first: int, second: int, signal: int) -> Pair:
    """Return DecisionPoint's twice smoothed rate of change and its signal."""
    smooth = weighted(weighted(rate(x, 1), first, 2.0 / first) * 10.0, second, 2.0 / second)
    return smooth, ema(smooth, signal)


def quantitative(x: Series, n: int, smooth: int, factor: float) -> Pair:
    """Return smoothed relative strength and how far it usually moves: the width of QQE's band."""
    strength = ema(relative_strength(x, n), smooth)
    width = 2 * n - 1
    return strength, ema(ema(absolute(change(strength)), width), width) * factor


def z_score(x: Series, n: int) -> Series:
    """Return the distance from the mean in deviations."""
    return divided(x - sma(x, n), deviation(x, n))


def elder_impulse(x: Series, n: int) -> Series:
    """Return 1 while average and distance of averages both rise, -1 while both fall, else 0."""
    histogram = distance(x, (12, 26, 9), (2.0 / 13.0, 2.0 / 27.0, 0.2))[2]
    a, b = (mapped(change(y), layout.SIGN) for y in (ema(x, n), histogram))
    return mapped(rise(a * b), layout.SIGN) * a


def center_of_gravity(x: Series, n: int) -> Series:
    """Return the centre of gravity of the last n prices about their middle (Ehlers)."""
    mean = sma(x, n)
    return divided(wma(x, n) - mean, mean, (n + 1) / 2.0)


def swing(opened: Series, high: Series, low: Series, close: Series, limit: float) -> Series:
    """Return Wilder's swing index of each row."""
    last, first = lag(close, 1), lag(opened, 1)
    a, b, c = absolute(high - last), absolute(low - last), high - low
    body = absolute(last - first) * 0.25
    most_up = larger(above(b, a), above(c, a))
    most_down = larger(above(a, b), above(c, b))
    reach = choose(1.0 - most_up, a - 0.5 * b + body, choose(1.0 - most_down, b - 0.5 * a + body, c + body))
    numerator = (close - last) + 0.5 * (close - opened) + 0.25 * (last - first)
    return divided(numerator * larger(a, b), reach, 50.0 / limit)


def gopalakrishnan(high: Series, low: Series, n: int) -> Series:
    """Return the logarithm of the range of n rows over that of n."""
    return logarithm(highest(high, n) - lowest(low, n)) / math.log(n)


def average_reach(high: Series, low: Series, close: Series, n: int) -> Series:
    """Return the average range in percent of the close."""
    return divided(average_range(high, low, close, n), close, 100.0)


def skewed(x: Series, n: int) -> Series:
    """Return the root of the mean square step."""
    step = change(x)
    return root(sma(step * step, n))


def smoothed_rsi(x: Series, n: int) -> Series:
    """Return relative strength after Cutler: plain means."""
    step = change(x)
    return divided(sma(rise(step), n), sma(absolute(step), n), 100.0)


def derivative(x: Series, n: int, first: int, second: int, signal: int) -> Series:
    """Return Brown's derivative oscillator of twice smoothed relative strength."""
    smooth = ema(ema(relative_strength(x, n), first), second)
    return smooth - sma(smooth, signal)


def wilder_gap(x: Series, n: int) -> Series:
    """Return the distance of price from Wilder's average in percent."""
    base = rma(x, n)
    return divided(x - base, base, 100.0)
