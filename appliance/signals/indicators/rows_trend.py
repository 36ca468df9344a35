"""Trend: averages, bands, stops that follow."""

from typing import Final

from appliance.kernels.indicators import layout
from appliance.signals.indicators import averages as a
from appliance.signals.indicators import momentum as m
from appliance.signals.indicators import ranges as r
from appliance.signals.indicators import statistics as t
from appliance.signals.indicators.program import Series
from appliance.signals.indicators.steps import (
    average_range,
    change,
    direction,
    distance,
    ema,
    lag,
    laguerre,
    larger,
    line,
    mesa,
    rma,
    sma,
    smaller,
    variable_mean,
    wma,
)
from appliance.signals.indicators.table import Outputs, Row, kind, length, real, whole

_THREE: Final = "upper middle lower"


def _sar(high: Series, low: Series, *par: float, signed: int = 0) -> Series:
    return high.draft.one(layout.SAR, (high, low), 1, state=7, m=signed, par=par)


def _sar_simple(high: Series, low: Series, step: float, most: float) -> Series:
    step = min(step, most)
    return _sar(high, low, 0.0, 0.0, step, step, most, step, step, most)


def _sar_extended(high: Series, low: Series, begin: float, offset: float, *six: float) -> Series:
    long, short = six[:3], six[3:]
    bounded = [min(long[0], long[2]), min(long[1], long[2]), long[2]]
    bounded += [min(short[0], short[2]), min(short[1], short[2]), short[2]]
    return _sar(high, low, begin, offset, *bounded, signed=1)


def _supertrend(high: Series, low: Series, close: Series, n: int, factor: float) -> Outputs:
    reach = average_range(high, low, close, n)
    middle = (high + low) * 0.5
    return high.draft.instruct(layout.SUPERTREND, (middle, reach, close), (0, 0), state=5, par=(factor,))


def _heikin(opened: Series, high: Series, low: Series, close: Series) -> Outputs:
    mean = (opened + high + low + close) * 0.25
    begin = opened.draft.one(layout.HEIKIN, ((opened + close) * 0.5, mean), state=3)
    return begin, larger(high, larger(begin, mean)), smaller(low, smaller(begin, mean)), mean


def _renko(high: Series, low: Series, close: Series, n: int, factor: float) -> Outputs:
    size = factor * average_range(high, low, close, n)
    return close.draft.instruct(layout.RENKO, (close, size), (0, 0, 0), state=4)


def _macd(x: Series, fast: int, slow: int, signal: int) -> Outputs:
    fast, slow = sorted((fast, slow))
    return distance(x, (fast, slow, signal), (2.0 / (fast + 1), 2.0 / (slow + 1), 2.0 / (signal + 1)))


def _adxr(high: Series, low: Series, close: Series, n: int) -> Series:
    smooth = direction(high, low, close, n)[5]
    return (smooth + lag(smooth, n - 1)) * 0.5


def _guppy(x: Series, n: int) -> Outputs:
    return tuple(ema(x, share * n) for share in (1, 2, 3))


def _mcginley(x: Series, n: int, factor: float) -> Series:
    return x.draft.one(layout.MCGINLEY, (x,), n - 1, state=2, n=n, par=(factor,))


ROWS: Final = (
    Row("sma", "trend", "close", length(30, 1), "sma", "Mean of the last n; TA-Lib SMA", sma, "SMA"),
    Row("ema", "trend", "close", length(30, 1), "ema", "Weight 2/(n+1), from the mean of the first n on; TA-Lib EMA", ema, "EMA"),
    Row("rma", "trend", "close", length(30, 1), "rma", "Weight 1/n, from the mean of the first n on (Wilder 1978); TA-Lib RMA", rma, "RMA"),
    Row("wma", "trend", "close", length(30, 1), "wma", "Weights 1 to n; TA-Lib WMA", wma, "WMA"),
    Row("dema", "trend", "close", length(30, 1), "dema", "2e - e(e) (Mulloy 1994); TA-Lib DEMA", a.dema, "DEMA"),
    Row("tema", "trend", "close", length(30, 1), "tema", "3e - 3e(e) + e(e(e)) (Mulloy 1994); TA-Lib TEMA", a.tema, "TEMA"),
    Row("trima", "trend", "close", length(30, 1), "trima", "Mean of means; TA-Lib TRIMA", a.trima, "TRIMA"),
    Row("kama", "trend", "close", length(30), "kama", "Weight by efficiency between 2 and 30 (Kaufman 1995); TA-Lib KAMA", a.kama, "KAMA"),
    Row("t3", "trend", "close", (whole("length", 5, 2), real("factor", 0.7, 0.0, 1.0)), "t3", "Generalised double average thrice (Tillson 1998); TA-Lib T3", a.t3, "T3"),
    Row("hma", "trend", "close", length(20, 2), "hma", "Weighted mean of 2w(n/2) - w(n) (Hull 2005); TA-Lib HMA", a.hma, "HMA"),
    Row("zlema", "trend", "close", length(30, 2), "zlema", "Average of 2x - x[(n-1)/2] (Ehlers and Way 2010); TA-Lib ZLEMA", a.zlema, "ZLEMA"),
    Row("vwma", "trend", "close volume", length(30, 1), "vwma", "Mean by volume; TA-Lib VWMA", a.vwma, "VWMA"),
    Row("ma", "trend", "close", (whole("length", 30, 1), kind("kind", 0)), "ma", "Average of a kind by TA-Lib's numbers; TA-Lib MA", a.average, "MA"),
    Row("mavp", "trend", "close other", (whole("shortest", 2, 1), whole("longest", 30)), "mavp", "Mean of as many rows as `other` says, bounded; TA-Lib MAVP with simple means", lambda x, n, low, high: variable_mean(x, n, *sorted((low, high))), "MAVP"),
    Row("mama", "trend", "close", (real("fast", 0.5, 0.01, 0.99), real("slow", 0.05, 0.01, 0.99)), "mama fama", "Weight by the phase's pace (Ehlers 2001); TA-Lib MAMA", mesa, "MAMA"),
    Row("vidya", "trend", "close", (whole("length", 14, 1), whole("momentum", 9, 1)), "vidya", "Weight 2/(n+1) times Chande's momentum (Chande 1992)", a.vidya),
    Row("frama", "trend", "close high low", (whole("length", 16, 4),), "frama", "Weight by fractal dimension (Ehlers 2005)", a.frama),
    Row("alma", "trend", "close", (whole("length", 9, 1), real("offset", 0.85, 0.0, 1.0), real("sigma", 6.0, 0.1, 50.0)), "alma", "Gaussian weights (Legoux and Kouzis-Loukas 2009)", a.alma),
    Row("mcginley", "trend", "close", (whole("length", 14, 1), real("factor", 0.6, 0.1, 2.0)), "mcginley", "Step over k n (x/m)^4, weight at most 1 (McGinley 1990)", _mcginley),
    Row("laguerre", "trend", "close", (real("damping", 0.8, 0.0, 0.99),), "laguerre", "Four-stage Laguerre filter (Ehlers 2004)", lambda x, d: laguerre(x, d)[0]),
    Row("guppy", "trend", "close", (whole("length", 10, 1, 300),), "short middle long", "Three exponential averages of n, 2n and 3n (after Guppy)", _guppy),
    Row("midpoint", "trend", "close", length(14), "midpoint", "Middle of the extremes; TA-Lib MIDPOINT", lambda x, n: a.donchian(x, x, n)[1], "MIDPOINT"),
    Row("midprice", "trend", "high low", length(14), "midprice", "Middle of highest and lowest; TA-Lib MIDPRICE", lambda h, w, n: a.donchian(h, w, n)[1], "MIDPRICE"),
    Row("bbands", "trend", "close", (whole("length", 20), real("up", 2.0, 0.0, 20.0), real("down", 2.0, 0.0, 20.0), kind("kind", 0)), _THREE, "Mean and deviations about it (Bollinger 1983); TA-Lib BBANDS", a.bands, "BBANDS"),
    Row("accbands", "trend", "high low close", length(20), _THREE, "Means of prices stretched by their range (Headley 2002); TA-Lib ACCBANDS", a.acceleration_bands, "ACCBANDS"),
    Row("donchian", "trend", "high low", length(20), _THREE, "Extremes of n rows (Donchian); TA-Lib DONCHIAN", a.donchian, "DONCHIAN"),
    Row("keltner", "trend", "high low close", (whole("length", 20), whole("range", 10), real("factor", 2.0, 0.0, 20.0)), _THREE, "Average typical price and average ranges about it (Keltner 1960, Raschke); TA-Lib KC", a.keltner, "KC"),
    Row("regression_channel", "trend", "close", (whole("length", 20, 3), real("factor", 2.0, 0.0, 20.0)), _THREE, "Least-squares line and standard errors about its end", a.regression_channel),
    Row("sar", "trend", "high low", (real("step", 0.02, 0.0, 1.0), real("most", 0.2, 0.0, 1.0)), "sar", "Parabolic stop and reverse (Wilder 1978); TA-Lib SAR", _sar_simple, "SAR"),
    Row("sarext", "trend", "high low", (real("begin", 0.0, -1e9, 1e9), real("offset", 0.0, 0.0, 1.0), *(real(name, value, 0.0, 1.0) for name, value in (("long_first", 0.02), ("long_step", 0.02), ("long_most", 0.2), ("short_first", 0.02), ("short_step", 0.02), ("short_most", 0.2)))), "sar", "The same with all its freedom, negative when short; TA-Lib SAREXT", _sar_extended, "SAREXT"),
    Row("supertrend", "trend", "high low close", (whole("length", 10), real("factor", 3.0, 0.0, 20.0)), "stop trend", "Ratcheted bands about the middle (Seban); TA-Lib SUPERTREND", _supertrend, "SUPERTREND"),
    Row("ichimoku", "trend", "high low", (whole("conversion", 9, 1), whole("base", 26, 1), whole("span", 52, 1)), "conversion base lead_a lead_b", "Middles of ranges, the leading ones as drawn at this row (Hosoda 1969)", a.ichimoku),
    Row("chandelier", "trend", "high low close", (whole("length", 22, 1), real("factor", 3.0, 0.0, 20.0)), "long short", "Extreme less average ranges (LeBeau)", a.chandelier),
    Row("chande_kroll", "trend", "high low close", (whole("length", 10, 1), real("factor", 1.0, 0.0, 20.0), whole("smooth", 9, 1)), "long short", "Extremes of chandelier stops (Chande and Kroll 1994)", a.chande_kroll),
    Row("alligator", "trend", "high low", (whole("jaw", 13, 1), whole("teeth", 8, 1), whole("lips", 5, 1)), "jaw teeth lips", "Wilder averages of the middle, 8, 5 and 3 rows late (Williams 1995)", a.alligator),
    Row("macd", "trend", "close", (whole("fast", 12), whole("slow", 26), whole("signal", 9, 1)), "macd signal histogram", "Distance of two averages (Appel 1979); TA-Lib MACD", _macd, "MACD"),
    Row("macdext", "trend", "close", (whole("fast", 12), kind("fast_kind", 0), whole("slow", 26), kind("slow_kind", 0), whole("signal", 9, 1), kind("signal_kind", 0)), "macd signal histogram", "The same with averages of any kind; TA-Lib MACDEXT", m.macd_of_kinds, "MACDEXT"),
    Row("macdfix", "trend", "close", (whole("signal", 9, 1),), "macd signal histogram", "The same with weights 0.15 and 0.075; TA-Lib MACDFIX", lambda x, n: distance(x, (12, 26, n), (0.15, 0.075, 2.0 / (n + 1))), "MACDFIX"),
    Row("apo", "trend", "close", (whole("fast", 12), whole("slow", 26), kind("kind", 1)), "apo", "Distance of two averages; TA-Lib APO", m.plain_gap, "APO"),
    Row("ppo", "trend", "close", (whole("fast", 12), whole("slow", 26), kind("kind", 1)), "ppo", "The same in percent; TA-Lib PPO", m.percent_gap, "PPO"),
    Row("plus_dm", "trend", "high low", length(14, 1), "plus_dm", "Upward movement (Wilder 1978); TA-Lib PLUS_DM", lambda h, w, n: direction(h, w, w, n)[0], "PLUS_DM"),
    Row("minus_dm", "trend", "high low", length(14, 1), "minus_dm", "Downward movement (Wilder 1978); TA-Lib MINUS_DM", lambda h, w, n: direction(h, w, w, n)[1], "MINUS_DM"),
    Row("plus_di", "trend", "high low close", length(14), "plus_di", "Upward indicator (Wilder 1978); TA-Lib PLUS_DI", lambda h, w, c, n: direction(h, w, c, n)[2], "PLUS_DI"),
    Row("minus_di", "trend", "high low close", length(14), "minus_di", "Downward indicator (Wilder 1978); TA-Lib MINUS_DI", lambda h, w, c, n: direction(h, w, c, n)[3], "MINUS_DI"),
    Row("dx", "trend", "high low close", length(14), "dx", "Directional index (Wilder 1978); TA-Lib DX", lambda h, w, c, n: direction(h, w, c, n)[4], "DX"),
    Row("adx", "trend", "high low close", length(14), "adx", "Averaged directional index (Wilder 1978); TA-Lib ADX", lambda h, w, c, n: direction(h, w, c, n)[5], "ADX"),
    Row("adxr", "trend", "high low close", length(14), "adxr", "Mean of it and its value n-1 rows ago; TA-Lib ADXR", _adxr, "ADXR"),
    Row("aroon", "trend", "high low", length(14), "down up", "How recent the extremes are (Chande 1995); TA-Lib AROON", m.aroon, "AROON"),
    Row("aroonosc", "trend", "high low", length(14), "aroonosc", "Up less down; TA-Lib AROONOSC", m.aroon_gap, "AROONOSC"),
    Row("vortex", "trend", "high low close", length(14), "plus minus", "Crossed movements over ranges (Botes and Siepman 2010); TA-Lib VORTEX", r.vortex, "VORTEX"),
    Row("vhf", "trend", "close", length(28), "vhf", "Range over way (White 1991); TA-Lib VHF", m.vertical_horizontal, "VHF"),
    Row("trix", "trend", "close", length(30, 1), "trix", "Percent step of a triple average (Hutson 1983); TA-Lib TRIX", lambda x, n: m.rate(ema(ema(ema(x, n), n), n), 1), "TRIX"),
    Row("linearreg", "trend", "close", length(14), "linearreg", "End of the least-squares line; TA-Lib LINEARREG", lambda x, n: t.on_line(x, n, 0.0), "LINEARREG"),
    Row("linearreg_angle", "trend", "close", length(14), "angle", "Its angle in degrees; TA-Lib LINEARREG_ANGLE", t.angle, "LINEARREG_ANGLE"),
    Row("linearreg_intercept", "trend", "close", length(14), "intercept", "Its begin; TA-Lib LINEARREG_INTERCEPT", lambda x, n: t.on_line(x, n, 1.0 - n), "LINEARREG_INTERCEPT"),
    Row("linearreg_slope", "trend", "close", length(14), "slope", "Its slope; TA-Lib LINEARREG_SLOPE", lambda x, n: line(x, n)[1], "LINEARREG_SLOPE"),
    Row("tsf", "trend", "close", length(14), "tsf", "Its next value; TA-Lib TSF", lambda x, n: t.on_line(x, n, 1.0), "TSF"),
    Row("heikin_ashi", "trend", "open high low close", (), "open high low close", "Averaged candles; TA-Lib HA", _heikin, "HA"),
    Row("renko", "trend", "high low close", (whole("length", 14, 1), real("factor", 1.0, 0.05, 20.0)), "level direction bricks", "Bricks as high as the average range when the last was laid", _renko),
    Row("zigzag", "trend", "high low", (real("percent", 5.0, 0.01, 90.0),), "turn direction extreme", "Legs of at least so many percent, never redrawn", t.zigzag),
    Row("qstick", "trend", "open close", length(10, 1), "qstick", "Mean body (Chande); TA-Lib QSTICK", lambda o, c, n: sma(c - o, n), "QSTICK"),
    Row("dpo", "trend", "close", length(20), "dpo", "Price n/2+1 rows ago less the mean; TA-Lib DPO", lambda x, n: lag(x, n // 2 + 1) - sma(x, n), "DPO"),
    Row("trend_intensity", "trend", "close", (whole("length", 60, 1), whole("window", 30, 1)), "tii", "Share of positive distances from the mean (Pee 2002)", m.trend_intensity),
    Row("elder_impulse", "trend", "close", length(13, 1), "impulse", "Both average and histogram rise or fall (Elder 2002)", m.elder_impulse),
    Row("momentum_mean", "trend", "close", (whole("length", 10, 1), whole("smooth", 5, 1)), "momentum_mean", "Averaged change over n rows", lambda x, n, k: ema(change(x, n), k)),
)  # fmt: skip
