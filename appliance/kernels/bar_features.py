"""One fused pass per closed bar: every running figure the first strategies read, in one dispatch.

The state is one flat array, the ring of the last closes another; both belong to the caller. The mean and deviation
are summed afresh over the ring each time: a running sum would drift, and a ring of this size costs nanoseconds.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from appliance.kernels.compiling import kernel

FAST_BARS: Final = 5
SLOW_BARS: Final = 13
RANGE_BARS: Final = 10
WINDOW_BARS: Final = 14

COUNT, FAST, SLOW, RANGE, PREVIOUS = range(5)
STATE_LENGTH: Final = 5
OUT_FAST, OUT_SLOW, OUT_RANGE, OUT_MEAN, OUT_DEVIATION, OUT_RETURN = range(6)
OUT_LENGTH: Final = 6

Floats = npt.NDArray[np.float64]


@kernel
def update(state: Floats, ring: Floats, high: float, low: float, close: float, out: Floats) -> None:
    """Fold one bar into the state and write the features out; features not yet warm are NaN."""
    count = int(state[COUNT])
    previous = state[PREVIOUS]
    if count == 0:
        state[FAST] = close
        state[SLOW] = close
        state[RANGE] = high - low
        out[OUT_RETURN] = np.nan
    else:
        state[FAST] += (close - state[FAST]) * (2.0 / (FAST_BARS + 1.0))
        state[SLOW] += (close - state[SLOW]) * (2.0 / (SLOW_BARS + 1.0))
        true_range = max(high - low, abs(high - previous), abs(low - previous))
        weight = min(count + 1, RANGE_BARS)
        state[RANGE] += (true_range - state[RANGE]) / weight
        out[OUT_RETURN] = np.log(close / previous)
    ring[count % WINDOW_BARS] = close
    count += 1
    state[COUNT] = count
    state[PREVIOUS] = close
    out[OUT_FAST] = state[FAST] if count >= FAST_BARS else np.nan
    out[OUT_SLOW] = state[SLOW] if count >= SLOW_BARS else np.nan
    out[OUT_RANGE] = state[RANGE] if count >= RANGE_BARS else np.nan
    if count < WINDOW_BARS:
        out[OUT_MEAN] = np.nan
        out[OUT_DEVIATION] = np.nan
        return
    total = 0.0
    for index in range(WINDOW_BARS):
        total += ring[index]
    mean = total / WINDOW_BARS
    squares = 0.0
    for index in range(WINDOW_BARS):
        squares += (ring[index] - mean) ** 2
    out[OUT_MEAN] = mean
    out[OUT_DEVIATION] = np.sqrt(squares / WINDOW_BARS)
