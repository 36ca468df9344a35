"""Every feature the models may see: name, formula, warm-up, and when it is not a number. The schema is its hash.

A model names the columns it reads and the hash of this table as it was when the model learned; another hash refuses it.
Whoever changes what a figure means changes its formula here, and with it the hash.

In the formulas C, H, L, O, V are the frame's last closed bar, C[k] the close k bars before, r the logarithmic return of
a bar, EMA(n) the exponential average with span n, W(n) Wilder's smoothing, sums and means run over the last n bars.
"""

import hashlib
import json
from typing import Final, NamedTuple

from appliance.kernels import model_features as kernel

BASE_BAR_S: Final = 300
FRAME_NAMES: Final = ("m5", "m15", "h1")
COLD: Final = "NaN until warm"
BOOKLESS: Final = "NaN where there is no uncrossed book"


class Feature(NamedTuple):
    """Describe one column; the warm-up counts base bars."""

    name: str
    formula: str
    warm_up_bars: int
    not_a_number: str


_FRAME: Final = (
    ("return_1", "ln(C / C[1])"),
    ("return_3", "ln(C / C[3])"),
    ("return_6", "ln(C / C[6])"),
    ("return_12", "ln(C / C[12])"),
    ("return_24", "ln(C / C[24])"),
    ("gap_fast", "(C - EMA(6)) / ATR(14)"),
    ("gap_middle", "(C - EMA(12)) / ATR(14)"),
    ("gap_slow", "(C - EMA(24)) / ATR(14)"),
    ("macd", "(EMA(6) - EMA(24)) / ATR(14)"),
    ("macd_histogram", "(line - EMA(9) of the line) / ATR(14), line = EMA(6) - EMA(24)"),
    ("rsi", "W(14) of rises / (W(14) of rises + W(14) of falls)"),
    ("stochastic", "(C - min L) / (max H - min L) over 14"),
    ("channel_position", "(C - min L) / (max H - min L) over 24"),
    ("channel_width", "(max H - min L) over 24 / ATR(14)"),
    ("range_share", "ATR(14) / C"),
    ("volatility", "square root of the exponential mean of r^2, decay 0.94"),
    ("volatility_ratio", "deviation of r over 6 / over 24"),
    ("parkinson", "square root of mean ln(H / L)^2 / (4 ln 2) over 24"),
    ("garman_klass", "square root of mean (ln(H / L)^2 / 2 - (2 ln 2 - 1) ln(C / O)^2) over 24"),
    ("deviations", "(C - mean C) / deviation of C over 24"),
    ("body", "(C - O) / (H - L)"),
    ("upper_wick", "(H - max(O, C)) / (H - L)"),
    ("lower_wick", "(min(O, C) - L) / (H - L)"),
    ("trend_strength", "W(14) of |+DM - -DM| / (+DM + -DM), each W(14)"),
    ("direction", "(+DM - -DM) / (+DM + -DM), each W(14)"),
    ("volume_ratio", "ln(max(V, 0.001 EMA(24) of V) / EMA(24) of V)"),
    ("signed_volume", "sum V sign(C - C[1]) / sum V over 24"),
    ("vwap_gap", "(C - sum V P / sum V over 24) / ATR(14), P = (H + L + C) / 3"),
    ("money_flow", "sum V P of rising P / sum V P of moving P over 14"),
    ("illiquidity", "ln(mean |r| / (V C) over 6 / the same over 24), bars with volume only"),
    ("skewness", "mean (r - mean r)^3 / deviation^3 over 24"),
    ("autocorrelation", "sum (r - mean)(r[1] - mean) / sum (r - mean)^2 over 24"),
    ("up_share", "share of bars with r > 0 over 24"),
    ("efficiency", "|C - C[24]| / sum |C - C[1]| over 24"),
)
_CALENDAR: Final = (
    ("day_sine", "sin(2 pi t), t the UTC time of day at the bar's end"),
    ("day_cosine", "cos(2 pi t), t the UTC time of day at the bar's end"),
    ("week_sine", "sin(2 pi t), t the UTC time of week at the bar's end, from Monday"),
    ("week_cosine", "cos(2 pi t), t the UTC time of week at the bar's end, from Monday"),
    ("weekend", "1 on Saturday and Sunday (UTC), else 0"),
)
_CROSS: Final = (
    ("volatility_slope", "m5_volatility sqrt(12) / h1_volatility"),
    ("trend_agreement", "mean sign of gap_slow over the three frames"),
)
_BOOK: Final = (
    ("spread", "(ask - bid) / middle"),
    ("imbalance", "(bid size - ask size) / (bid size + ask size) at the touch"),
    ("microprice_gap", "(size-weighted middle - middle) / middle"),
)


def _columns() -> tuple[Feature, ...]:
    framed = [
        Feature(f"{frame}_{name}", formula, kernel.WARM_BARS * multiple, COLD)
        for frame, multiple in zip(FRAME_NAMES, kernel.MULTIPLES, strict=True)
        for name, formula in _FRAME
    ]
    calendar = [Feature(name, formula, 1, "never NaN") for name, formula in _CALENDAR]
    cross = [Feature(name, formula, kernel.WARM_BARS * kernel.MULTIPLES[-1], COLD) for name, formula in _CROSS]
    book = [Feature(name, formula, 1, BOOKLESS) for name, formula in _BOOK]
    return tuple(framed + calendar + cross + book)


FEATURES: Final = _columns()
NAMES: Final = tuple(feature.name for feature in FEATURES)
# A frame's first bar is whole only by chance, so one more of the slowest is waited for.
WARM_UP_BARS: Final = (kernel.WARM_BARS + 1) * kernel.MULTIPLES[-1]


def schema_hash() -> str:
    """Return the SHA-256 of the table and of what it silently rests on."""
    document = {
        "base_bar_s": BASE_BAR_S,
        "frames": kernel.MULTIPLES,
        "gap_bars_max": kernel.GAP_BARS_MAX,
        "warm_bars": kernel.WARM_BARS,
        "features": [list(feature) for feature in FEATURES],
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def places_of(names: tuple[str, ...]) -> tuple[int, ...] | str:
    """Return where the named columns stand, or the first name that is not in the table."""
    unknown = [name for name in names if name not in NAMES]
    return unknown[0] if unknown else tuple(NAMES.index(name) for name in names)
