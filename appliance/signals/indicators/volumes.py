"""What volume says about price."""

from appliance.kernels.indicators import layout
from appliance.signals.indicators.averages import average
from appliance.signals.indicators.momentum import percent_gap, rate, typical
from appliance.signals.indicators.program import Series
from appliance.signals.indicators.ranges import true_range
from appliance.signals.indicators.steps import (
    Pair,
    Triple,
    above,
    change,
    choose,
    deviation,
    divided,
    ema,
    following,
    hold,
    indexed,
    lag,
    larger,
    mapped,
    profile,
    rise,
    rma,
    root,
    sma,
    smaller,
    total,
    window_sum,
)


def flow(high: Series, low: Series, close: Series, volume: Series) -> Series:
    """Weigh volume by where the close stands in its row: 1 at the high, -1 at the low."""
    return divided((close - low) - (high - close), high - low) * volume


def accumulation(high: Series, low: Series, close: Series, volume: Series) -> Series:
    """Add up Chaikin's flow."""
    return total(flow(high, low, close, volume))


def accumulation_gap(high: Series, low: Series, close: Series, volume: Series, fast: int, slow: int) -> Series:
    """Return the distance of two averages of accumulation, both from its first value on."""
    line = accumulation(high, low, close, volume)
    gap = following(line, fast) - following(line, slow)
    return gap + 0.0 * sma(line, max(fast, slow))


def on_balance(close: Series, volume: Series) -> Series:
    """Add volume when price rises, take it away when it falls; the first row's counts as a rise."""
    signed = mapped(change(close), layout.SIGN)
    return total(hold(signed, close, 1.0) * volume)


def price_volume(close: Series, volume: Series) -> Series:
    """Add up volume times the relative change of price, from zero."""
    return total(hold(rate(close, 1, 1.0), close) * volume)


def one_sided(close: Series, volume: Series, sign: float) -> Series:
    """Follow price only over rows whose volume rose (sign 1) or fell (-1), from 1,000 on."""
    moved = change(volume) * sign
    step = rate(close, 1, 1.0)
    ratio = choose(moved, step, step * 0.0) + 1.0
    return indexed(hold(ratio, close, 1.0), 1000.0)


def money_flow(high: Series, low: Series, close: Series, volume: Series, n: int) -> Series:
    """Return the share of money that came with a rising typical price."""
    price = typical(high, low, close)
    step, money = change(price), price * volume
    up = window_sum(choose(step, money, money * 0.0 + 0.0 * step), n)
    down = window_sum(choose(-step, money, money * 0.0 + 0.0 * step), n)
    return divided(up, up + down, 100.0)


def chaikin_flow(high: Series, low: Series, close: Series, volume: Series, n: int) -> Series:
    """Return the flow of n rows over their volume."""
    return divided(window_sum(flow(high, low, close, volume), n), window_sum(volume, n))


def force(close: Series, volume: Series, n: int) -> Series:
    """Average the change of price times volume (Elder)."""
    return ema(change(close) * volume, n)


def ease(high: Series, low: Series, volume: Series, n: int, divisor: float) -> Series:
    """Average how far the middle moved for the volume it took (Arms)."""
    moved = change((high + low) * 0.5)
    return sma(divided(moved * (high - low), volume, divisor), n)


def klinger(high: Series, low: Series, close: Series, volume: Series, fast: int, slow: int, signal: int) -> Pair:
    """Return the distance of two averages of Klinger's volume force, and its average."""
    power = high.draft.one(layout.KLINGER, (high, low, close, volume), 1, state=5)
    gap = ema(power, fast) - ema(power, slow)
    return gap, ema(gap, signal)


def relative(volume: Series, n: int) -> Series:
    """Return volume over the mean of the n rows before."""
    return divided(volume, lag(sma(volume, n), 1))


def williams(high: Series, low: Series, close: Series) -> Series:
    """Add up how far the close came from the true low when rising, from the true high when falling."""
    last = lag(close, 1)
    step = close - last
    bought, sold = close - smaller(low, last), close - larger(high, last)
    moved = choose(step, bought, choose(-step, sold, step * 0.0))
    return total(hold(moved, close))


def anchored(high: Series, low: Series, close: Series, volume: Series, session: int, factor: float) -> Triple:
    """Return the mean price by volume of the session so far, and deviations by volume above and below."""
    price = typical(high, low, close)
    mean, variance = price.draft.instruct(layout.WEIGHED, (price, volume), (0, 0), state=4, n=session)
    away = factor * root(variance)
    return mean + away, mean, mean - away


def rolling(high: Series, low: Series, close: Series, volume: Series, n: int) -> Series:
    """Return the mean typical price by volume of n rows."""
    return window_sum(typical(high, low, close) * volume, n) / window_sum(volume, n)


def twiggs(high: Series, low: Series, close: Series, volume: Series, n: int) -> Series:
    """Return Chaikin's flow with true ranges and Wilder's averages."""
    last = lag(close, 1)
    bottom, top = smaller(low, last), larger(high, last)
    moved = divided(2.0 * close - top - bottom, top - bottom) * volume
    return divided(rma(moved, n), rma(volume + 0.0 * moved, n))


def volume_profile(high: Series, low: Series, close: Series, volume: Series, n: int, bins: int) -> Triple:
    """Return the price with most volume in n rows and the ends of the area that holds 70 % of it."""
    return profile(typical(high, low, close), volume, n, bins, 0.7)


def volume_oscillator(volume: Series, fast: int, slow: int, kind: int) -> Series:
    """Return the distance of two averages of volume in percent."""
    return percent_gap(volume, fast, slow, kind)


def volume_score(volume: Series, n: int) -> Series:
    """Return volume's distance from its mean in deviations."""
    return divided(volume - sma(volume, n), deviation(volume, n))


def intensity(high: Series, low: Series, close: Series, volume: Series, n: int) -> Series:
    """Sum Bostian's intraday intensity over n rows."""
    return window_sum(flow(high, low, close, volume), n)


def trade_pressure(close: Series, volume: Series, n: int) -> Series:
    """Return the share of volume on rising rows less that on falling ones, in percent."""
    signed = mapped(change(close), layout.SIGN) * volume
    return divided(window_sum(signed, n), window_sum(volume, n), 100.0)


def volume_weighted_macd(x: Series, volume: Series, fast: int, slow: int, signal: int) -> Triple:
    """Return the distance of two averages by volume, its average, and their distance."""
    quick, slowly = (divided(ema(x * volume, n), ema(volume, n)) for n in sorted((fast, slow)))
    gap = quick - slowly
    smooth = ema(gap, signal)
    return gap, smooth, gap - smooth


def range_share(high: Series, low: Series, volume: Series) -> Series:
    """Return the range that one unit of volume made."""
    return divided(high - low, volume)


def normal_volume(high: Series, low: Series, close: Series, volume: Series, n: int, fast: int) -> Series:
    """Return averaged volume times the share of the true range that was gained."""
    way = true_range(high, low, close)
    gained = divided(rise(change(close)), way) * volume
    return divided(average(gained, fast, 1), sma(volume, n))


def heavier(volume: Series, n: int) -> Series:
    """Tell whether volume is above its mean."""
    return above(volume, sma(volume, n))
