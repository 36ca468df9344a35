"""Momentum: oscillators of price."""

from typing import Final

from appliance.signals.indicators import averages as a
from appliance.signals.indicators import momentum as m
from appliance.signals.indicators.steps import chande_momentum, change, divided, ema, laguerre, relative_strength, total
from appliance.signals.indicators.table import Row, kind, length, real, whole

ROWS: Final = (
    Row("rsi", "momentum", "close", length(14), "rsi", "Share of smoothed gains (Wilder 1978); TA-Lib RSI", relative_strength, "RSI"),
    Row("cmo", "momentum", "close", length(14), "cmo", "Gains less losses over both, smoothed (Chande 1994); TA-Lib CMO", chande_momentum, "CMO"),
    Row("cmou", "momentum", "close", length(14), "cmou", "The same from plain sums; TA-Lib CMOU", m.unsmoothed, "CMOU"),
    Row("cutler_rsi", "momentum", "close", length(14, 1), "rsi", "Relative strength from plain means (Cutler)", m.smoothed_rsi),
    Row("mom", "momentum", "close", length(10, 1), "mom", "Change over n rows; TA-Lib MOM", change, "MOM"),
    Row("roc", "momentum", "close", length(10, 1), "roc", "The same in percent; TA-Lib ROC", m.rate, "ROC"),
    Row("rocp", "momentum", "close", length(10, 1), "rocp", "The same as a share; TA-Lib ROCP", lambda x, n: m.rate(x, n, 1.0), "ROCP"),
    Row("rocr", "momentum", "close", length(10, 1), "rocr", "Ratio to n rows ago; TA-Lib ROCR", m.ratio, "ROCR"),
    Row("rocr100", "momentum", "close", length(10, 1), "rocr100", "The same times 100; TA-Lib ROCR100", lambda x, n: m.ratio(x, n, 100.0), "ROCR100"),
    Row("stoch", "momentum", "high low close", (whole("length", 5, 1), whole("k", 3, 1), kind("k_kind", 0), whole("d", 3, 1), kind("d_kind", 0)), "k d", "Stand in the range, smoothed (Lane 1957); TA-Lib STOCH", lambda h, w, c, n, k, i, d, j: m.stochastic(c, h, w, n, k, i, d, j), "STOCH"),
    Row("stochf", "momentum", "high low close", (whole("length", 5, 1), whole("d", 3, 1), kind("d_kind", 0)), "k d", "The same unsmoothed; TA-Lib STOCHF", lambda h, w, c, n, d, j: m.stochastic(c, h, w, n, 1, 0, d, j), "STOCHF"),
    Row("stochrsi", "momentum", "close", (whole("length", 14), whole("k", 5, 1), whole("d", 3, 1), kind("d_kind", 0)), "k d", "Stand of relative strength in its range (Chande and Kroll 1994); TA-Lib STOCHRSI", m.stochastic_rsi, "STOCHRSI"),
    Row("kdj", "momentum", "high low close", (whole("length", 9, 1), whole("k", 3, 1), kind("k_kind", 13), whole("d", 3, 1), kind("d_kind", 13)), "k d j", "Stochastic and 3k - 2d; TA-Lib KDJ", m.kdj, "KDJ"),
    Row("smi", "momentum", "high low close", (whole("length", 13), whole("fast", 2), whole("slow", 25), whole("signal", 9)), "smi signal", "Distance from the middle of the range, twice smoothed (Blau 1993); TA-Lib SMI", m.momentum_index, "SMI"),
    Row("tsi", "momentum", "close", (whole("first", 25), whole("second", 13)), "tsi", "Twice smoothed momentum over its size (Blau 1991); TA-Lib TSI", m.true_strength, "TSI"),
    Row("willr", "momentum", "high low close", length(14), "willr", "Distance from the highest over the range (Williams 1973); TA-Lib WILLR", m.below_top, "WILLR"),
    Row("cci", "momentum", "high low close", length(14), "cci", "Distance from the mean in mean deviations (Lambert 1980); TA-Lib CCI", m.commodity, "CCI"),
    Row("ultosc", "momentum", "high low close", (whole("first", 7, 1), whole("second", 14, 1), whole("third", 28, 1)), "ultosc", "Buying pressure over three windows (Williams 1976); TA-Lib ULTOSC", m.ultimate, "ULTOSC"),
    Row("bop", "momentum", "open high low close", (), "bop", "Body over range (Livshin 2001); TA-Lib BOP", lambda o, h, w, c: divided(c - o, h - w), "BOP"),
    Row("imi", "momentum", "open close", length(14), "imi", "Share of rising bodies (Chande); TA-Lib IMI", m.intraday, "IMI"),
    Row("ao", "momentum", "high low", (whole("fast", 5), whole("slow", 34)), "ao", "Distance of two means of the middle (Williams 1995); TA-Lib AO", m.awesome, "AO"),
    Row("ac", "momentum", "high low", (whole("fast", 5), whole("slow", 34), whole("signal", 5)), "ac", "The same less its mean (Williams 1995); TA-Lib AC", m.accelerator, "AC"),
    Row("coppock", "momentum", "close", (whole("smooth", 10, 1), whole("first", 11, 1), whole("second", 14, 1)), "coppock", "Weighted mean of two rates of change (Coppock 1962); TA-Lib COPPOCK", m.coppock, "COPPOCK"),
    Row("er", "momentum", "close", length(10, 2), "er", "Straightness of the way (Kaufman 1995); TA-Lib ER", a.efficiency, "ER"),
    Row("elder_ray", "momentum", "high low close", length(13), "bull bear", "Extremes less the average close (Elder 1989); TA-Lib ERI", lambda h, w, c, n: (h - ema(c, n), w - ema(c, n)), "ERI"),
    Row("fosc", "momentum", "close", length(5), "fosc", "Percent by which the line of the row before missed (Chande); TA-Lib FOSC", m.forecast, "FOSC"),
    Row("fisher", "momentum", "high low", length(10, 1), "fisher signal", "Fisher transform of the stand (Ehlers 2002)", m.fisher),
    Row("inverse_fisher_rsi", "momentum", "close", (whole("length", 5, 1), whole("smooth", 9, 1)), "ift", "Relative strength squeezed to -1..1 (Ehlers 2004)", m.inverse_fisher_rsi),
    Row("kst", "momentum", "close", (whole("signal", 9, 1),), "kst signal", "Four rates of change, 10 to 30 rows (Pring 1992)", m.know_sure_thing),
    Row("connors_rsi", "momentum", "close", (whole("length", 3), whole("runs", 2), whole("window", 100)), "crsi", "Relative strength of price and streak, and rank (Connors 2012)", m.connors),
    Row("schaff", "momentum", "close", (whole("fast", 23, 1), whole("slow", 50, 1), whole("cycle", 10, 2), real("factor", 0.5, 0.01, 1.0)), "stc", "Stochastic of a stochastic of the averages' distance (Schaff 1999)", m.schaff),
    Row("rvgi", "momentum", "open high low close", length(10, 1), "rvgi signal", "Smoothed body over range (Ehlers 2002)", m.vigor),
    Row("wavetrend", "momentum", "high low close", (whole("channel", 10, 1), whole("average", 21, 1)), "wt1 wt2", "Averaged distance from the average (LazyBear)", m.wave_trend),
    Row("demarker", "momentum", "high low", length(14, 1), "demarker", "Share of rising highs (DeMark 1994)", m.demarker),
    Row("random_walk", "momentum", "high low close", length(14), "high low", "Way against a random walk's (Poulos 1991)", m.random_walk),
    Row("pgo", "momentum", "high low close", length(14, 1), "pgo", "Distance from the mean in averaged ranges (Johnson)", m.pretty_good),
    Row("psychological", "momentum", "close", length(12, 1), "psy", "Percent of rising rows", m.psychological),
    Row("pmo", "momentum", "close", (whole("first", 35), whole("second", 20), whole("signal", 10, 1)), "pmo signal", "Twice smoothed rate of change (Swenlin)", m.price_momentum),
    Row("qqe", "momentum", "close", (whole("length", 14), whole("smooth", 5, 1), real("factor", 4.236, 0.1, 20.0)), "line width", "Averaged relative strength and the width of its band", m.quantitative),
    Row("laguerre_rsi", "momentum", "close", (real("damping", 0.5, 0.0, 0.99),), "rsi", "Relative strength of the Laguerre filter's stages (Ehlers 2004)", lambda x, d: laguerre(x, d)[1]),
    Row("derivative", "momentum", "close", (whole("length", 14), whole("first", 5, 1), whole("second", 3, 1), whole("signal", 9, 1)), "derivative", "Twice smoothed relative strength less its mean (Brown)", m.derivative),
    Row("swing_index", "momentum", "open high low close", (real("limit", 20.0, 0.0001, 1e9),), "asi", "Added swing of each row (Wilder 1978)", lambda o, h, w, c, limit: total(m.swing(o, h, w, c, limit))),
    Row("cog", "momentum", "close", length(10, 2), "cog", "Centre of gravity of prices (Ehlers 2002)", m.center_of_gravity),
    Row("bias", "momentum", "close", length(20, 1), "bias", "Percent above Wilder's average", m.wilder_gap),
)  # fmt: skip
