"""All candlestick patterns of TA-Lib in one pass, a bar at a time or over arrays: equal to TA-Lib's on every bar.

One pass, because TA-Lib's 61 functions each read the four columns, keep totals and write a column of their own; here a
bar's figures and the totals are computed once, and only the comparisons are left. Both forms run `update`.

A bar that is none (a number not finite, or its high below its low) finds nothing, and every pattern starts again after
it: an average that has met a NaN would be NaN for ever.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from appliance.kernels.compiling import kernel
from appliance.kernels.patterns.candle_flags import flags_of
from appliance.kernels.patterns.candle_window import (
    COUNT,
    DEPTHS_COUNT,
    FIRST_DEPTH,
    FLAGS,
    LAST_FIRST_BAR,
    STATE_LENGTH,
    WIDTH,
    Floats,
    add_bar,
    is_bar,
    restart,
)
from appliance.kernels.patterns.candles_long import judge_long
from appliance.kernels.patterns.candles_one import judge_one
from appliance.kernels.patterns.candles_rows import judge_rows
from appliance.kernels.patterns.candles_three import judge_three
from appliance.kernels.patterns.candles_two import judge_two

Found = npt.NDArray[np.int16]


class Candle(NamedTuple):
    """Name a pattern, as TA-Lib does and in words, and say how many bars it draws and how many must come before."""

    name: str
    words: str
    bars: int
    before: int


CANDLES: Final = (
    Candle("2CROWS", "two crows", 3, 12),
    Candle("3BLACKCROWS", "three black crows", 4, 13),
    Candle("3INSIDE", "three inside", 3, 12),
    Candle("3LINESTRIKE", "three-line strike", 4, 8),
    Candle("3OUTSIDE", "three outside", 3, 3),
    Candle("3STARSINSOUTH", "three stars in the south", 3, 12),
    Candle("3WHITESOLDIERS", "three white soldiers", 3, 12),
    Candle("ABANDONEDBABY", "abandoned baby", 3, 12),
    Candle("ADVANCEBLOCK", "advance block", 3, 12),
    Candle("BELTHOLD", "belt hold", 1, 10),
    Candle("BREAKAWAY", "breakaway", 5, 14),
    Candle("CLOSINGMARUBOZU", "closing marubozu", 1, 10),
    Candle("CONCEALBABYSWALL", "concealing baby swallow", 4, 13),
    Candle("COUNTERATTACK", "counterattack", 2, 11),
    Candle("DARKCLOUDCOVER", "dark cloud cover", 2, 11),
    Candle("DOJI", "doji", 1, 10),
    Candle("DOJISTAR", "doji star", 2, 11),
    Candle("DRAGONFLYDOJI", "dragonfly doji", 1, 10),
    Candle("ENGULFING", "engulfing", 2, 2),
    Candle("EVENINGDOJISTAR", "evening doji star", 3, 12),
    Candle("EVENINGSTAR", "evening star", 3, 12),
    Candle("GAPSIDESIDEWHITE", "side-by-side white lines", 3, 7),
    Candle("GRAVESTONEDOJI", "gravestone doji", 1, 10),
    Candle("HAMMER", "hammer", 2, 11),
    Candle("HANGINGMAN", "hanging man", 2, 11),
    Candle("HARAMI", "harami", 2, 11),
    Candle("HARAMICROSS", "harami cross", 2, 11),
    Candle("HIGHWAVE", "high wave", 1, 10),
    Candle("HIKKAKE", "hikkake", 3, 5),
    Candle("HIKKAKEMOD", "modified hikkake", 4, 10),
    Candle("HOMINGPIGEON", "homing pigeon", 2, 11),
    Candle("IDENTICAL3CROWS", "identical three crows", 3, 12),
    Candle("INNECK", "in-neck", 2, 11),
    Candle("INVERTEDHAMMER", "inverted hammer", 2, 11),
    Candle("KICKING", "kicking", 2, 11),
    Candle("KICKINGBYLENGTH", "kicking by length", 2, 11),
    Candle("LADDERBOTTOM", "ladder bottom", 5, 14),
    Candle("LONGLEGGEDDOJI", "long-legged doji", 1, 10),
    Candle("LONGLINE", "long line", 1, 10),
    Candle("MARUBOZU", "marubozu", 1, 10),
    Candle("MATCHINGLOW", "matching low", 2, 6),
    Candle("MATHOLD", "mat hold", 5, 14),
    Candle("MORNINGDOJISTAR", "morning doji star", 3, 12),
    Candle("MORNINGSTAR", "morning star", 3, 12),
    Candle("ONNECK", "on-neck", 2, 11),
    Candle("PIERCING", "piercing", 2, 11),
    Candle("RICKSHAWMAN", "rickshaw man", 1, 10),
    Candle("RISEFALL3METHODS", "three methods", 5, 14),
    Candle("SEPARATINGLINES", "separating lines", 2, 11),
    Candle("SHOOTINGSTAR", "shooting star", 2, 11),
    Candle("SHORTLINE", "short line", 1, 10),
    Candle("SPINNINGTOP", "spinning top", 1, 10),
    Candle("STALLEDPATTERN", "stalled pattern", 3, 12),
    Candle("STICKSANDWICH", "stick sandwich", 3, 7),
    Candle("TAKURI", "takuri", 1, 10),
    Candle("TASUKIGAP", "tasuki gap", 3, 7),
    Candle("THRUSTING", "thrusting", 2, 11),
    Candle("TRISTAR", "tristar", 3, 12),
    Candle("UNIQUE3RIVER", "unique three river", 3, 12),
    Candle("UPSIDEGAP2CROWS", "upside gap two crows", 3, 12),
    Candle("XSIDEGAP3METHODS", "gap three methods", 3, 2),
)
BEFORE: Final = np.array([candle.before for candle in CANDLES], np.int64)
# How deep into the first body the last one must reach, where TA-Lib asks for it; in this order, with its defaults.
DEPTHS: Final = {
    "ABANDONEDBABY": 0.3,
    "DARKCLOUDCOVER": 0.5,
    "EVENINGDOJISTAR": 0.3,
    "EVENINGSTAR": 0.3,
    "MATHOLD": 0.5,
    "MORNINGDOJISTAR": 0.3,
    "MORNINGSTAR": 0.3,
}
COVER, HOLD = 1, 4
PRICE_COLUMNS: Final = 4


def new_state(depths: dict[str, float] | None = None) -> Floats:
    """Return the state before the first bar; depths name their pattern as `DEPTHS` does and are from 0 up."""
    chosen = {**DEPTHS, **(depths or {})}
    if len(chosen) != len(DEPTHS) or not all(0.0 <= depth < np.inf for depth in chosen.values()):
        raise ValueError(f"depths are finite, not negative and of {', '.join(DEPTHS)}; given were {depths}")
    state = np.zeros(STATE_LENGTH)
    state[FIRST_DEPTH : FIRST_DEPTH + DEPTHS_COUNT] = list(chosen.values())
    restart(state)
    return state


@kernel
def update(state: Floats, open_: float, high: float, low: float, close: float, out: Found) -> None:
    """Add one closed bar and write what each pattern finds at it."""
    if not is_bar(open_, high, low, close):
        restart(state)
        out[:] = 0
        return
    width = np.uint64(WIDTH)
    c = np.uint64(add_bar(state, open_, high, low, close))
    b = c - width
    a = b - width
    o = a - width
    n = o - width
    depths = state[FIRST_DEPTH : FIRST_DEPTH + DEPTHS_COUNT]
    fc = flags_of(state, c)
    state[c + FLAGS] = fc
    fb, fa, fo, fn = int(state[b + FLAGS]), int(state[a + FLAGS]), int(state[o + FLAGS]), int(state[n + FLAGS])
    judge_one(state, c, fc, out)
    judge_two(state, b, c, fb, fc, depths[COVER], out)
    judge_three(state, a, b, c, fa, fb, fc, depths, out)
    judge_rows(state, o, a, b, c, fo, fa, fb, fc, out)
    judge_long(state, c, fn, fo, fa, fb, fc, depths[HOLD], out)
    count = int(state[COUNT]) - 1
    if count < LAST_FIRST_BAR:
        for number in range(BEFORE.shape[0]):
            if count < BEFORE[number]:
                out[number] = 0


@kernel
def over(state: Floats, out: Found, open_: Floats, high: Floats, low: Floats, close: Floats) -> None:
    """Add many closed bars and write a row of findings for each."""
    for bar in range(open_.shape[0]):
        update(state, open_[bar], high[bar], low[bar], close[bar], out[bar])


def find_candles(bars: Sequence[npt.ArrayLike], depths: dict[str, float] | None = None) -> Found:
    """Return, for columns of open, high, low and close, a row for each bar with a column for each of `CANDLES`.

    A figure is 0, or how strongly the pattern is found there: positive where a rise is to be expected.
    """
    columns = [np.ascontiguousarray(column, np.float64) for column in bars]
    if len(columns) != PRICE_COLUMNS or any(c.ndim != 1 or len(c) != len(columns[0]) for c in columns):
        raise ValueError(f"bars must be four flat columns of one length, not {[c.shape for c in columns]}")
    out = np.empty((len(columns[0]), len(CANDLES)), np.int16)
    over(new_state(depths), out, *columns)
    return out
