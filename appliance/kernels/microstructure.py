"""What the top of a book says before prices do: one pass over the first levels, and one over each trade.

Order flow imbalance follows Cont, Kukanov and Stoikov (2014), level by level as in Xu, Gould and Howison (2018): what
was added to the bids and taken from the asks since the last look, with the price that moved deciding which. Level m
weighs 1/m. It fades with a half-life of the venue's own time, so that a pause fades it and a burst does not.

VPIN follows Easley, López de Prado and O'Hara (2012): trades fill bars of equal volume, each bar is split into bought
and sold by the normal distribution of its price change (bulk classification), bars fill buckets, and the figure is the
mean absolute imbalance of the last buckets. A trade larger than a bar fills several; what is beyond the whole window
changes nothing that the window would remember.

All state lies in arrays of the caller. Prices are ticks and sizes are lots as floats: these are statistics, not money.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from appliance.kernels.book import ASK_COUNT, ASK_START, BID_COUNT, BID_START, CAPACITY, HEADER, VENUE_NS
from appliance.kernels.compiling import kernel, part

LEVELS: Final = 10

# State of a book: whether it was seen, when, the microprice then, and (price, size) of every level of both sides.
SEEN, AT_NS, MICRO, LEVELS_AT = range(4)
STATE_LENGTH: Final = LEVELS_AT + 4 * LEVELS

# What a look at a book gives. Decaying figures are kept here from look to look.
(
    MICROPRICE,
    MICRO_MOMENTUM,
    MID,
    SPREAD,
    IMBALANCE_BEST,
    IMBALANCE_ALL,
    OFI_BEST,
    OFI_ALL,
    DEPTH_BID,
    DEPTH_ASK,
    SLOPE_BID,
    SLOPE_ASK,
) = range(12)
OUT_LENGTH: Final = 12

BARS_PER_BUCKET: Final = 5
BUCKETS: Final = 50
WARM_TRADES: Final = 200
TRADES_PER_BAR: Final = 10.0
VARIANCE_WEIGHT: Final = 0.05

# State of VPIN.
TRADED, VOLUME_SEEN, BAR_LOTS, BAR_FILLED, BAR_OPENED, LAST_PRICE, VARIANCE, BUY, SELL, BARS, BUCKET, SUM = range(12)
VPIN_LENGTH: Final = 12

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@part
def read_side(rows: Integers, row: int, side: int, into: Floats, at: int) -> int:
    """Copy the best levels of one side as prices, then sizes; a level that is not there is zero."""
    capacity = rows[row, CAPACITY]
    count = rows[row, BID_COUNT if side == 0 else ASK_COUNT]
    start = rows[row, BID_START if side == 0 else ASK_START]
    best = HEADER + side * 3 * capacity + start + count - 1
    found = min(count, LEVELS)
    for level in range(LEVELS):
        price = 0.0
        size = 0.0
        if level < found:
            price = abs(float(rows[row, best - level]))
            size = float(rows[row, best - level + capacity])
        into[at + level] = price
        into[at + LEVELS + level] = size
    return int(found)


@part
def flow(old_price: float, old_size: float, new_price: float, new_size: float, sign: float) -> float:
    """Return what one level of one side contributes: sizes added at or beyond the old price, less those taken away."""
    if old_price <= 0.0 or new_price <= 0.0:
        return 0.0
    moved = (new_price - old_price) * sign
    if moved > 0.0:
        return new_size
    return -old_size if moved < 0.0 else new_size - old_size


@kernel
def look(state: Floats, rows: Integers, row: int, half_life_ns: float, fresh: Floats, out: Floats) -> bool:
    """Take a live book in and write its figures out; a book without both sides gives none and is forgotten."""
    bids = read_side(rows, row, 0, fresh, 0)
    asks = read_side(rows, row, 1, fresh, 2 * LEVELS)
    if bids == 0 or asks == 0:
        state[SEEN] = 0.0
        out[:] = np.nan
        return False
    bid, bid_size = fresh[0], fresh[LEVELS]
    ask, ask_size = fresh[2 * LEVELS], fresh[3 * LEVELS]
    micro = (bid * ask_size + ask * bid_size) / (bid_size + ask_size)
    now_ns = float(rows[row, VENUE_NS])
    best = 0.0
    every = 0.0
    keep = 0.0
    if state[SEEN] > 0.0:
        keep = 0.5 ** (max(0.0, now_ns - state[AT_NS]) / half_life_ns)
        for level in range(LEVELS):
            bid_flow = flow(
                state[LEVELS_AT + level], state[LEVELS_AT + LEVELS + level], fresh[level], fresh[LEVELS + level], 1.0
            )
            ask_flow = flow(
                state[LEVELS_AT + 2 * LEVELS + level],
                state[LEVELS_AT + 3 * LEVELS + level],
                fresh[2 * LEVELS + level],
                fresh[3 * LEVELS + level],
                -1.0,
            )
            every += (bid_flow - ask_flow) / (level + 1.0)
            if level == 0:
                best = bid_flow - ask_flow
        out[OFI_BEST] = out[OFI_BEST] * keep + best
        out[OFI_ALL] = out[OFI_ALL] * keep + every
        out[MICRO_MOMENTUM] = out[MICRO_MOMENTUM] * keep + (micro - state[MICRO])
    else:
        out[OFI_BEST] = out[OFI_ALL] = out[MICRO_MOMENTUM] = 0.0
    bid_depth = ask_depth = bid_near = ask_near = 0.0
    for level in range(LEVELS):
        bid_depth += fresh[LEVELS + level]
        ask_depth += fresh[3 * LEVELS + level]
        bid_near += fresh[LEVELS + level] / (level + 1.0)
        ask_near += fresh[3 * LEVELS + level] / (level + 1.0)
    out[MICROPRICE] = micro
    out[MID] = (bid + ask) / 2.0
    out[SPREAD] = ask - bid
    out[IMBALANCE_BEST] = (bid_size - ask_size) / (bid_size + ask_size)
    out[IMBALANCE_ALL] = (bid_near - ask_near) / (bid_near + ask_near)
    out[DEPTH_BID] = bid_depth
    out[DEPTH_ASK] = ask_depth
    # Ticks one walks through the visible levels, a lot: how thin the book is behind its best price.
    out[SLOPE_BID] = (bid - fresh[bids - 1]) / bid_depth
    out[SLOPE_ASK] = (fresh[2 * LEVELS + asks - 1] - ask) / ask_depth
    state[SEEN] = 1.0
    state[AT_NS] = max(now_ns, state[AT_NS])
    state[MICRO] = micro
    for place in range(4 * LEVELS):
        state[LEVELS_AT + place] = fresh[place]
    return True


@part
def close_vpin_bar(state: Floats, ring: Floats, price: float) -> None:
    """Split a full bar into bought and sold, and close its bucket when it was the last of it."""
    change = price - state[BAR_OPENED]
    state[VARIANCE] += (change * change - state[VARIANCE]) * VARIANCE_WEIGHT
    bought = 0.5
    if state[VARIANCE] > 0.0:
        bought = 0.5 * (1.0 + math.erf(change / math.sqrt(2.0 * state[VARIANCE])))
    state[BUY] += bought * state[BAR_LOTS]
    state[SELL] += (1.0 - bought) * state[BAR_LOTS]
    state[BAR_FILLED] = 0.0
    state[BAR_OPENED] = price
    state[BARS] += 1.0
    if state[BARS] < BARS_PER_BUCKET:
        return
    place = int(state[BUCKET]) % BUCKETS
    ring[place] = abs(state[BUY] - state[SELL]) / (state[BUY] + state[SELL])
    state[BUCKET] += 1.0
    state[BUY] = state[SELL] = state[BARS] = 0.0


@kernel
def vpin(state: Floats, ring: Floats, price: float, lots: float) -> float:
    """Take one trade and return VPIN; NaN until the bar's volume is learned and every bucket was filled once."""
    state[TRADED] += 1.0
    if state[BAR_LOTS] <= 0.0:
        state[VOLUME_SEEN] += lots
        state[BAR_OPENED] = price
        if state[TRADED] >= WARM_TRADES:
            state[BAR_LOTS] = max(1.0, state[VOLUME_SEEN] / state[TRADED] * TRADES_PER_BAR)
        return np.nan
    left = min(lots, state[BAR_LOTS] * BARS_PER_BUCKET * BUCKETS)
    while left > 0.0:
        taken = min(left, state[BAR_LOTS] - state[BAR_FILLED])
        state[BAR_FILLED] += taken
        left -= taken
        if state[BAR_FILLED] >= state[BAR_LOTS]:
            close_vpin_bar(state, ring, price)
    if state[BUCKET] < BUCKETS:
        return np.nan
    # Summed afresh: a running sum would drift.
    total = 0.0
    for place in range(BUCKETS):
        total += ring[place]
    return total / BUCKETS
