"""Statistics of windows, levels, and cycles."""

from typing import Final

from appliance.signals.indicators import filters as f
from appliance.signals.indicators import momentum as m
from appliance.signals.indicators import statistics as t
from appliance.signals.indicators.averages import residual
from appliance.signals.indicators.steps import (
    deviation,
    highest,
    highest_age,
    hilbert,
    lowest,
    lowest_age,
    mean_deviation,
    percentile,
    rank,
    spread,
    total,
    window_sum,
)
from appliance.signals.indicators.table import Row, length, real, whole

_OHLC: Final = "open high low close"
_SESSION: Final = (whole("session", 24, 1, 100_000),)
_LEVELS: Final = "pivot r1 s1 r2 s2"

ROWS: Final = (
    Row("stddev", "statistics", "close", (whole("length", 5), real("factor", 1.0, -100.0, 100.0)), "stddev", "Deviation of the population; TA-Lib STDDEV", lambda x, n, k: deviation(x, n) * k, "STDDEV"),
    Row("var", "statistics", "close", length(5), "var", "Variance of the population; TA-Lib VAR", lambda x, n: spread(x, n)[1], "VAR"),
    Row("avgdev", "statistics", "close", length(14), "avgdev", "Mean distance from the mean; TA-Lib AVGDEV", mean_deviation, "AVGDEV"),
    Row("beta", "statistics", "close other", length(5), "beta", "Slope of the second's returns on the first's; TA-Lib BETA", t.beta, "BETA"),
    Row("correl", "statistics", "close other", length(30, 2), "correl", "Pearson's correlation; TA-Lib CORREL", t.correlation, "CORREL"),
    Row("covariance", "statistics", "close other", length(30, 2), "covariance", "Covariance of the population", t.covariance),
    Row("sum", "statistics", "close", length(30), "sum", "Sum; TA-Lib SUM", window_sum, "SUM"),
    Row("cumsum", "statistics", "close", (), "cumsum", "Sum of everything so far; TA-Lib CUMSUM", total, "CUMSUM"),
    Row("max", "statistics", "close", length(30), "max", "Greatest; TA-Lib MAX", highest, "MAX"),
    Row("min", "statistics", "close", length(30), "min", "Least; TA-Lib MIN", lowest, "MIN"),
    Row("minmax", "statistics", "close", length(30), "min max", "Both; TA-Lib MINMAX", t.extremes, "MINMAX"),
    Row("max_age", "statistics", "close", length(30), "age", "How many rows ago the greatest was; TA-Lib MAXINDEX, from now", highest_age, "MAXINDEX"),
    Row("min_age", "statistics", "close", length(30), "age", "How many rows ago the least was; TA-Lib MININDEX, from now", lowest_age, "MININDEX"),
    Row("minmax_age", "statistics", "close", length(30), "min max", "Both; TA-Lib MINMAXINDEX, from now", t.ages, "MINMAXINDEX"),
    Row("percentile", "statistics", "close", (whole("length", 30), real("percent", 50.0, 0.0, 100.0)), "percentile", "Value of nearest rank; TA-Lib PERCENTILE", percentile, "PERCENTILE"),
    Row("percentrank", "statistics", "close", length(100), "percentrank", "Percent of the n values before that are below; TA-Lib PERCENTRANK", lambda x, n: rank(x, n + 1, ties=False), "PERCENTRANK"),
    Row("zscore", "statistics", "close", length(20), "zscore", "Distance from the mean in deviations", m.z_score),
    Row("mean_distance", "statistics", "close", length(20, 1), "distance", "Percent above the mean", t.percent_from_mean),
    Row("skew", "statistics", "close", length(30, 3), "skew", "Third moment of the population", lambda x, n: t.moment(x, n, 3)),
    Row("kurtosis", "statistics", "close", length(30, 4), "kurtosis", "Fourth moment of the population: 3 when normal", lambda x, n: t.moment(x, n, 4)),
    Row("r_squared", "statistics", "close", length(14, 3), "r_squared", "Share of variance that a line explains", t.explained),
    Row("standard_error", "statistics", "close", length(14, 3), "error", "Error about the line", residual),
    Row("autocorrelation", "statistics", "close", (whole("length", 30, 3), whole("back", 1, 1)), "autocorrelation", "Correlation of returns with those before", t.autocorrelation),
    Row("hurst", "statistics", "close", (whole("length", 100, 10), whole("longest", 20, 3, 100)), "hurst", "Growth of deviations with lag: 0.5 a random walk", t.hurst),
    Row("variance_ratio", "statistics", "close", (whole("length", 100, 10), whole("back", 5, 2, 100)), "ratio", "Variance of long returns over short (Lo and MacKinlay 1988)", t.variance_ratio),
    Row("half_life", "statistics", "close", length(60, 5), "half_life", "Rows until half of a distance is gone; not a number when none comes back", t.half_life),
    Row("pivots", "statistics", _OHLC, _SESSION, _LEVELS, "Levels of the last session: classic", t.classic),
    Row("pivots_fibonacci", "statistics", _OHLC, _SESSION, _LEVELS, "Levels of the last session: Fibonacci", t.by_ratios),
    Row("pivots_camarilla", "statistics", _OHLC, _SESSION, "pivot r3 s3 r4 s4", "Levels of the last session: Camarilla (Scott 1989)", t.camarilla),
    Row("pivots_woodie", "statistics", _OHLC, _SESSION, _LEVELS, "Levels of the last session: Woodie", t.woodie),
    Row("fractals", "statistics", "high low", (whole("before", 2, 1, 100), whole("after", 2, 1, 100)), "high low", "Extreme so many rows ago, else zero (Williams 1995); TA-Lib FRACTAL, with the price for 100", t.fractals, "FRACTAL"),
    Row("ht_dcperiod", "cycle", "close", (), "period", "Dominant period (Ehlers 2001); TA-Lib HT_DCPERIOD", lambda x: hilbert(x, late=False)[0], "HT_DCPERIOD"),
    Row("ht_phasor", "cycle", "close", (), "inphase quadrature", "Phasor (Ehlers 2001); TA-Lib HT_PHASOR", lambda x: hilbert(x, late=False)[1:3], "HT_PHASOR"),
    Row("ht_dcphase", "cycle", "close", (), "phase", "Dominant phase (Ehlers 2001); TA-Lib HT_DCPHASE", lambda x: hilbert(x, late=True)[3], "HT_DCPHASE"),
    Row("ht_sine", "cycle", "close", (), "sine lead", "Its sine, and an eighth ahead (Ehlers 2001); TA-Lib HT_SINE", lambda x: hilbert(x, late=True)[4:6], "HT_SINE"),
    Row("ht_trendline", "cycle", "close", (), "trendline", "Mean over a dominant cycle (Ehlers 2001); TA-Lib HT_TRENDLINE", lambda x: hilbert(x, late=True)[6], "HT_TRENDLINE"),
    Row("ht_trendmode", "cycle", "close", (), "trend", "One in a trend, zero in a cycle (Ehlers 2001); TA-Lib HT_TRENDMODE", lambda x: hilbert(x, late=True)[7], "HT_TRENDMODE"),
    Row("super_smoother", "cycle", "close", length(10, 3), "smooth", "Two-pole filter (Ehlers 2013)", f.super_smoother),
    Row("high_pass", "cycle", "close", length(48, 4), "passed", "Two-pole high pass (Ehlers 2013)", f.high_pass),
    Row("roofing", "cycle", "close", (whole("short", 10, 3), whole("long", 48, 4)), "roof", "Both (Ehlers 2013)", f.roofing),
    Row("decycler", "cycle", "close", length(60, 5), "decycler", "Price without its fast cycles (Ehlers 2015)", f.decycler),
    Row("cyber_cycle", "cycle", "close", (real("alpha", 0.07, 0.01, 0.99),), "cycle trigger", "Cycle of the smoothed price (Ehlers 2004)", f.cyber_cycle),
    Row("instantaneous", "cycle", "close", (real("alpha", 0.07, 0.01, 0.99),), "trend trigger", "Instantaneous trend (Ehlers 2004)", f.instantaneous),
    Row("even_better_sine", "cycle", "close", (whole("long", 40, 5), whole("short", 10, 3)), "wave", "Filtered wave over its power (Ehlers 2013)", f.even_better_sine),
    Row("band_pass", "cycle", "close", (whole("length", 20, 5), real("width", 0.3, 0.05, 0.99)), "passed normalised", "What swings with one period (Ehlers 2013)", f.band_pass),
    Row("stochastic_cycle", "cycle", "close", length(20, 2), "stochastic", "Stand of the filtered price (Ehlers 2014)", f.stochastic_cycle),
)  # fmt: skip
