"""Volume: how much was traded, and on which side."""

from typing import Final

from appliance.signals.indicators import volumes as v
from appliance.signals.indicators.table import Row, kind, length, real, whole

_HLCV: Final = "high low close volume"

ROWS: Final = (
    Row("ad", "volume", _HLCV, (), "ad", "Added flow (Chaikin); TA-Lib AD", v.accumulation, "AD"),
    Row("adosc", "volume", _HLCV, (whole("fast", 3), whole("slow", 10)), "adosc", "Distance of two averages of it (Chaikin); TA-Lib ADOSC", v.accumulation_gap, "ADOSC"),
    Row("obv", "volume", "close volume", (), "obv", "Added signed volume (Granville 1963); TA-Lib OBV", v.on_balance, "OBV"),
    Row("pvt", "volume", "close volume", (), "pvt", "Added volume by relative change; TA-Lib PVT", v.price_volume, "PVT"),
    Row("nvi", "volume", "close volume", (), "nvi", "Price over rows of falling volume (Dysart 1936, Fosback); TA-Lib NVI", lambda c, w: v.one_sided(c, w, -1.0), "NVI"),
    Row("pvi", "volume", "close volume", (), "pvi", "Price over rows of rising volume (Dysart 1936, Fosback); TA-Lib PVI", lambda c, w: v.one_sided(c, w, 1.0), "PVI"),
    Row("mfi", "volume", _HLCV, length(14), "mfi", "Share of money with a rising typical price (Quong and Soudack 1989); TA-Lib MFI", v.money_flow, "MFI"),
    Row("cmf", "volume", _HLCV, length(20), "cmf", "Flow over volume (Chaikin); TA-Lib CMF", v.chaikin_flow, "CMF"),
    Row("force", "volume", "close volume", length(13, 1), "force", "Averaged change times volume (Elder 1993); TA-Lib EFI", v.force, "EFI"),
    Row("ease", "volume", "high low volume", (whole("length", 14, 1), real("divisor", 1e8, 1.0, 1e15)), "ease", "Averaged movement for its volume (Arms)", v.ease),
    Row("klinger", "volume", _HLCV, (whole("fast", 34, 1), whole("slow", 55, 1), whole("signal", 13, 1)), "kvo signal", "Distance of two averages of volume force (Klinger 1997)", v.klinger),
    Row("rvol", "volume", "volume", length(20), "rvol", "Volume over the mean before; TA-Lib RVOL", v.relative, "RVOL"),
    Row("wad", "volume", "high low close", (), "wad", "Added accumulation (Williams 1972); TA-Lib WAD", v.williams, "WAD"),
    Row("marketfi", "volume", "high low volume", (), "marketfi", "Range for a unit of volume (Williams 1995); TA-Lib MARKETFI", v.range_share, "MARKETFI"),
    Row("pvo", "volume", "volume", (whole("fast", 12), whole("slow", 26), kind("kind", 1)), "pvo", "Distance of two averages of volume in percent; TA-Lib PVO", v.volume_oscillator, "PVO"),
    Row("vwap", "volume", _HLCV, (whole("session", 0, 0, 1_000_000), real("factor", 2.0, 0.0, 20.0)), "upper vwap lower", "Mean price by volume since the session began, and its bands; TA-Lib VWAP without sessions", v.anchored, "VWAP"),
    Row("rolling_vwap", "volume", _HLCV, length(20, 1), "vwap", "Mean price by volume of n rows", v.rolling),
    Row("twiggs", "volume", _HLCV, length(21, 1), "twiggs", "Flow with true ranges and Wilder's averages (Twiggs)", v.twiggs),
    Row("volume_profile", "volume", _HLCV, (whole("length", 50, 2, 500), whole("bins", 24, 2, 200)), "point low high", "Price with most volume and the area of 70 %", v.volume_profile),
    Row("volume_score", "volume", "volume", length(20), "score", "Volume's distance from its mean in deviations", v.volume_score),
    Row("intraday_intensity", "volume", _HLCV, length(21, 1), "intensity", "Summed flow (Bostian)", v.intensity),
    Row("volume_pressure", "volume", "close volume", length(20, 1), "pressure", "Signed share of volume", v.trade_pressure),
    Row("vwmacd", "volume", "close volume", (whole("fast", 12, 1), whole("slow", 26, 1), whole("signal", 9, 1)), "macd signal histogram", "Distance of two averages by volume (Dormeier)", v.volume_weighted_macd),
    Row("normal_volume", "volume", _HLCV, (whole("length", 20, 1), whole("smooth", 5, 1)), "gained", "Averaged volume that gained, over the mean volume", v.normal_volume),
    Row("volume_heavy", "volume", "volume", length(20, 1), "heavy", "One while volume is above its mean", v.heavier),
)  # fmt: skip
