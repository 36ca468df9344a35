"""What became of a trade opened at each moment: the first of three barriers, net of every cost.

A trade is opened at the next bar's open, pays half the spread and slippage on both ways and the fee on both notionals.
It ends at the upper or lower barrier, whichever is touched first, else at the close of its last bar. A bar that touches
both counts as a loss: what happened first inside it is not known. A bar that opens beyond a barrier ends the trade at
its open. A trade that would run over a hole in the data, or past its end, has no outcome.
"""

import numpy as np
import numpy.typing as npt

from appliance.kernels.compiling import kernel

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

UPPER, LOWER, TIME, NONE = 1, -1, 0, -2


@kernel
def outcome(
    bars: Floats, starts_s: Integers, base_s: int, row: int, width: float, horizon: int, cost: float, slip: float
) -> tuple[float, int, int]:
    """Return the net return of a trade decided at a row, which barrier ended it, and how many bars it lasted."""
    if row + 1 + horizon > starts_s.size or not width > 0.0:
        return np.nan, NONE, 0
    entry = bars[row + 1, 0] * (1.0 + slip)
    upper, lower = entry * (1.0 + width), entry * (1.0 - width)
    exit_price, barrier, lasted = 0.0, NONE, 0
    for ahead in range(1, horizon + 1):
        at = row + ahead
        if starts_s[at] - starts_s[at - 1] != base_s:
            return np.nan, NONE, 0
        opened = bars[at, 0]
        if ahead > 1 and (opened <= lower or opened >= upper):
            exit_price, barrier, lasted = opened, UPPER if opened >= upper else LOWER, ahead
            break
        if bars[at, 2] <= lower:
            exit_price, barrier, lasted = lower, LOWER, ahead
            break
        if bars[at, 1] >= upper:
            exit_price, barrier, lasted = upper, UPPER, ahead
            break
    if barrier == NONE:
        exit_price, barrier, lasted = bars[row + horizon, 3], TIME, horizon
    got = exit_price * (1.0 - slip) * (1.0 - cost)
    paid = entry * (1.0 + cost)
    return got / paid - 1.0, barrier, lasted


@kernel
def outcomes(
    bars: Floats,
    starts_s: Integers,
    base_s: int,
    rows: Integers,
    widths: Floats,
    horizon: int,
    cost: float,
    slip: float,
    net: Floats,
    barriers: Integers,
    lasting: Integers,
) -> None:
    """Write the outcome of a trade decided at each of the rows; the widths are a bar each."""
    for number in range(rows.size):
        row = rows[number]
        net[number], barriers[number], lasting[number] = outcome(
            bars, starts_s, base_s, row, widths[row], horizon, cost, slip
        )
