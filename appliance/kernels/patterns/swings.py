"""Swings: the turns of a market, each known only when price has gone back from it far enough.

"Far enough" is a number of average true ranges, taken when the extreme was made, so that one setting fits a quiet day
and a wild one, and the first bar that comes so far back is also the furthest back. A turn's bar lies in the past when
it becomes known; whoever reads a swing before the bar at which it was known would be looking ahead, so every swing
carries both. A bar that is none (a number not finite, or its high below its low) moves nothing.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from appliance.kernels.compiling import kernel

Floats = npt.NDArray[np.float64]

RANGE_BARS: Final = 14
COUNT, BARS, CLOSE, RANGE, DIRECTION, HIGH, HIGH_BAR, LOW, LOW_BAR = range(9)
# The way back from the extreme that makes it a turn; and what became known at the last bar.
REACH, TURN_BAR, TURN_PRICE, TURN_BACK = range(9, 13)
STATE_LENGTH: Final = 13
# The columns of a swing: its bar, its price, whether it is a high (1) or a low (-1), the bar at which it was known, and
# how far price had come back from it by then.
SWING_BAR, SWING_PRICE, SWING_SIDE, SWING_KNOWN, SWING_BACK = range(5)
SWING_LENGTH: Final = 5


@kernel
def update(state: Floats, reach_ranges: float, high: float, low: float, close: float) -> int:
    """Add a closed bar and return 1 when a high became known by it, -1 when a low did, else 0."""
    bar = int(state[COUNT])
    state[COUNT] = bar + 1
    if not (np.isfinite(high) and np.isfinite(low) and np.isfinite(close) and high >= low):
        return 0
    bars = int(state[BARS])
    state[BARS] = bars + 1
    previous = state[CLOSE] if bars > 0 else close
    state[CLOSE] = close
    true_range = max(high, previous) - min(low, previous)
    state[RANGE] += (true_range - state[RANGE]) / min(bars + 1, RANGE_BARS)
    if bars == 0:
        state[HIGH], state[HIGH_BAR], state[LOW], state[LOW_BAR] = high, bar, low, bar
    if bars < RANGE_BARS:
        _widen(state, bar, high, low)
        return 0
    return _turn(state, bar, reach_ranges * state[RANGE], high, low)


@kernel
def _widen(state: Floats, bar: int, high: float, low: float) -> None:
    if high > state[HIGH]:
        state[HIGH], state[HIGH_BAR] = high, bar
    if low < state[LOW]:
        state[LOW], state[LOW_BAR] = low, bar


@kernel
def _turn(state: Floats, bar: int, reach: float, high: float, low: float) -> int:
    direction = state[DIRECTION]
    before_high, before_low = state[HIGH], state[LOW]
    if direction == 0.0:
        _widen(state, bar, high, low)
        state[REACH] = reach
    elif direction > 0.0 and high > before_high:
        state[HIGH], state[HIGH_BAR], state[REACH] = high, bar, reach
    elif direction < 0.0 and low < before_low:
        state[LOW], state[LOW_BAR], state[REACH] = low, bar, reach
    # A bar that made the extreme cannot also be the way back from it: within a bar the order is unknown.
    if direction >= 0.0 and high <= before_high and before_high - low >= state[REACH] > 0.0:
        state[TURN_BAR], state[TURN_PRICE], state[TURN_BACK] = state[HIGH_BAR], before_high, low
        state[DIRECTION], state[LOW], state[LOW_BAR], state[REACH] = -1.0, low, bar, reach
        return 1
    if direction <= 0.0 and low >= before_low and high - before_low >= state[REACH] > 0.0:
        state[TURN_BAR], state[TURN_PRICE], state[TURN_BACK] = state[LOW_BAR], before_low, high
        state[DIRECTION], state[HIGH], state[HIGH_BAR], state[REACH] = 1.0, high, bar, reach
        return -1
    return 0


@kernel
def over(state: Floats, reach_ranges: float, high: Floats, low: Floats, close: Floats, out: Floats) -> int:
    """Add many closed bars, write a row for each swing that became known, and return how many there are."""
    count = 0
    for bar in range(high.shape[0]):
        side = update(state, reach_ranges, high[bar], low[bar], close[bar])
        if side != 0:
            out[count, SWING_BAR] = state[TURN_BAR]
            out[count, SWING_PRICE] = state[TURN_PRICE]
            out[count, SWING_SIDE] = side
            out[count, SWING_KNOWN] = state[COUNT] - 1.0
            out[count, SWING_BACK] = state[TURN_BACK]
            count += 1
    return count
