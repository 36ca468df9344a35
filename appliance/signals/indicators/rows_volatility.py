"""Volatility: how far price moves."""

from typing import Final

from appliance.signals.indicators import momentum as m
from appliance.signals.indicators import ranges as r
from appliance.signals.indicators.steps import (
    average_range,
    deviation,
    divided,
    highest,
    logarithm,
    lowest,
    sma,
    spread,
)
from appliance.signals.indicators.table import Row, length, real, whole

_YEAR: Final = whole("year", 365, 1, 1_000_000)

ROWS: Final = (
    Row("trange", "volatility", "high low close", (), "trange", "Range with the last close (Wilder 1978); TA-Lib TRANGE", r.true_range, "TRANGE"),
    Row("atr", "volatility", "high low close", length(14, 1), "atr", "Its Wilder average (Wilder 1978); TA-Lib ATR", average_range, "ATR"),
    Row("natr", "volatility", "high low close", length(14), "natr", "The same in percent of the close (Forman 2006); TA-Lib NATR", m.average_reach, "NATR"),
    Row("adr", "volatility", "high low", length(14, 1), "adr", "Mean range; TA-Lib ADR", lambda h, w, n: sma(h - w, n), "ADR"),
    Row("chaikin_volatility", "volatility", "high low", (whole("length", 10), whole("back", 10, 1)), "cvi", "Percent change of the averaged range (Chaikin); TA-Lib CVI", r.chaikin, "CVI"),
    Row("mass", "volatility", "high low", (whole("length", 9), whole("window", 25)), "mass", "Sum of averaged range over its average (Dorsey 1992); TA-Lib MASSI", r.mass, "MASSI"),
    Row("rvi", "volatility", "close", (whole("length", 14), whole("window", 10)), "rvi", "Share of deviation while rising (Dorsey 1993); TA-Lib RVI", r.relative_volatility, "RVI"),
    Row("bandwidth", "volatility", "close", (whole("length", 20), real("factor", 2.0, 0.0, 20.0)), "bandwidth", "Width of Bollinger's bands over their middle", lambda x, n, k: divided(deviation(x, n), sma(x, n), 2.0 * k)),
    Row("percent_b", "volatility", "close", (whole("length", 20), real("factor", 2.0, 0.01, 20.0)), "percent_b", "Stand between Bollinger's bands", lambda x, n, k: m.z_score(x, n) * (0.5 / k) + 0.5),
    Row("historical", "volatility", "close", (whole("length", 20, 3), _YEAR), "volatility", "Sample deviation of logarithmic returns, a year's", r.historical),
    Row("parkinson", "volatility", "high low", (whole("length", 20, 1), _YEAR), "volatility", "From highs and lows (Parkinson 1980)", r.parkinson),
    Row("garman_klass", "volatility", "open high low close", (whole("length", 20, 1), _YEAR), "volatility", "From all four prices (Garman and Klass 1980)", r.garman_klass),
    Row("rogers_satchell", "volatility", "open high low close", (whole("length", 20, 1), _YEAR), "volatility", "With drift (Rogers and Satchell 1991)", r.rogers_satchell),
    Row("yang_zhang", "volatility", "open high low close", (whole("length", 20, 2), _YEAR), "volatility", "With gaps and drift (Yang and Zhang 2000)", r.yang_zhang),
    Row("ulcer", "volatility", "close", length(14, 1), "ulcer", "Root mean square of percents below the highest (Martin 1987)", r.ulcer),
    Row("choppiness", "volatility", "high low close", length(14, 2), "chop", "How much of the way was to and fro (Dreiss 1992)", r.choppiness),
    Row("squeeze", "volatility", "high low close", (whole("length", 20), real("wide", 2.0, 0.1, 20.0), real("narrow", 1.5, 0.1, 20.0)), "on lean", "Bollinger's bands inside Keltner's, and the lean of price (Carter 2005)", r.squeeze),
    Row("gopalakrishnan", "volatility", "high low", length(10), "gapo", "Logarithm of the range over that of n (Gopalakrishnan 2001)", m.gopalakrishnan),
    Row("rms_step", "volatility", "close", length(14, 1), "rms", "Root mean square of steps", m.skewed),
    Row("log_return", "volatility", "close", (), "log_return", "Logarithm of close over the last close", r.log_return),
    Row("channel_width", "volatility", "high low close", length(20, 1), "width", "Donchian's width over the close", lambda h, w, c, n: divided(highest(h, n) - lowest(w, n), c, 100.0)),
    Row("variance_log", "volatility", "close", length(20), "variance", "Variance of the logarithm of price", lambda x, n: spread(logarithm(x), n)[1]),
)  # fmt: skip
