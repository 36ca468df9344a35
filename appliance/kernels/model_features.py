"""What the models see, in one fused pass per base bar: three frames, the calendar, and the book where there is one.

The base bar is folded into the fast frame at once and gathered into two slower ones, of 3 and 12 base bars. A slower
bar counts when its last base bar is in, or when a later one shows that it is over; nothing is ever read from an open
one. The same figures are computed for each frame by one routine, from rings of the last bars and a few running
averages.

Two rules make every figure total: before a frame has 25 bars its figures are NaN, and a quotient whose divisor is zero
has a neutral value. After a hole longer than two dozen base bars everything begins anew: an average over a hole lies. A
batch is the same pass in a loop, so that what a model learned from is to the bit what it is served.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from appliance.kernels.compiling import kernel, part

FRAMES: Final = 3
MULTIPLES: Final = (1, 3, 12)
WINDOW: Final = 24
WARM_BARS: Final = WINDOW + 1
GAP_BARS_MAX: Final = 24
SWING: Final = 14
SHORT: Final = 6
RING: Final = 32
DECAY: Final = 0.94
VOLUME_FLOOR: Final = 1e-3
HOUR_S: Final = 3_600
DAY_S: Final = 86_400
# 1970-01-01 was a Thursday; Monday is day 0.
EPOCH_WEEKDAY: Final = 3

FRAME_FEATURES: Final = 34
CALENDAR: Final = FRAMES * FRAME_FEATURES
CROSS: Final = CALENDAR + 5
BOOK: Final = CROSS + 2
OUT_LENGTH: Final = BOOK + 3

COUNT, FAST, MIDDLE, SLOW, SIGNAL, RANGE, GAIN, LOSS, PLUS, MINUS, TREND, VARIANCE, VOLUME_MEAN = range(13)
OPEN_RING: Final = 16
HIGH_RING: Final = OPEN_RING + RING
LOW_RING: Final = HIGH_RING + RING
CLOSE_RING: Final = LOW_RING + RING
VOLUME_RING: Final = CLOSE_RING + RING
FRAME_LENGTH: Final = VOLUME_RING + RING

# In front of the frames: the last base bar's number, then for each frame the bar being gathered.
LAST: Final = 0
GATHERED, G_BUCKET, G_OPEN, G_HIGH, G_LOW, G_CLOSE, G_VOLUME = 0, 1, 2, 3, 4, 5, 6
GATHER: Final = 8
STATE_LENGTH: Final = GATHER * (1 + FRAMES) + FRAMES * FRAME_LENGTH

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@part
def ratio(over: float, under: float, neutral: float) -> float:
    """Divide, or return the neutral value where there is nothing to divide by."""
    return over / under if under > 0.0 else neutral


@part
def average(frame: Floats, place: int, value: float, bars: int) -> None:
    """Move a running average by a span's weight, beginning at the first value."""
    frame[place] += (value - frame[place]) * (1.0 if frame[COUNT] == 0 else 2.0 / (bars + 1.0))


@part
def smooth(frame: Floats, place: int, value: float, seen: float) -> None:
    """Move a running average after Wilder: a plain mean until its window is full."""
    frame[place] += (value - frame[place]) / min(seen, float(SWING))


@part
def fold_averages(frame: Floats, high: float, low: float, close: float, volume: float) -> None:
    """Move every running average of a frame by one bar; the rings still end at the bar before."""
    count = int(frame[COUNT])
    last = (count - 1) & (RING - 1)
    reach, rise, plus, minus = high - low, 0.0, 0.0, 0.0
    if count > 0:
        before = frame[CLOSE_RING + last]
        reach = max(reach, abs(high - before), abs(low - before))
        up, down = high - frame[HIGH_RING + last], frame[LOW_RING + last] - low
        plus = up if up > down and up > 0.0 else 0.0
        minus = down if down > up and down > 0.0 else 0.0
        rise = close - before
        step = np.log(close / before)
        weight = 1.0 - DECAY if count > 1 else 1.0
        frame[VARIANCE] += (step * step - frame[VARIANCE]) * weight
        smooth(frame, GAIN, max(rise, 0.0), float(count))
        smooth(frame, LOSS, max(-rise, 0.0), float(count))
        smooth(frame, PLUS, plus, float(count))
        smooth(frame, MINUS, minus, float(count))
        both = frame[PLUS] + frame[MINUS]
        smooth(frame, TREND, ratio(abs(frame[PLUS] - frame[MINUS]), both, 0.0), float(count))
    smooth(frame, RANGE, reach, float(count + 1))
    average(frame, FAST, close, SHORT)
    average(frame, MIDDLE, close, 12)
    average(frame, SLOW, close, WINDOW)
    average(frame, SIGNAL, frame[FAST] - frame[SLOW], 9)
    average(frame, VOLUME_MEAN, volume, WINDOW)


@part
def trend_features(frame: Floats, newest: int, out: Floats) -> None:
    """Write what says where the price stands: returns, distances from averages, oscillators, channels."""
    close, reach = frame[CLOSE_RING + newest], frame[RANGE]
    for number, back in enumerate((1, 3, 6, 12, 24)):
        out[number] = np.log(close / frame[CLOSE_RING + ((newest - back) & (RING - 1))])
    out[5] = ratio(close - frame[FAST], reach, 0.0)
    out[6] = ratio(close - frame[MIDDLE], reach, 0.0)
    out[7] = ratio(close - frame[SLOW], reach, 0.0)
    out[8] = ratio(frame[FAST] - frame[SLOW], reach, 0.0)
    out[9] = ratio(frame[FAST] - frame[SLOW] - frame[SIGNAL], reach, 0.0)
    out[10] = ratio(frame[GAIN], frame[GAIN] + frame[LOSS], 0.5)
    top, bottom, swing_top, swing_bottom = -np.inf, np.inf, -np.inf, np.inf
    for back in range(WINDOW):
        place = (newest - back) & (RING - 1)
        top, bottom = max(top, frame[HIGH_RING + place]), min(bottom, frame[LOW_RING + place])
        if back < SWING:
            swing_top, swing_bottom = top, bottom
    out[11] = ratio(close - swing_bottom, swing_top - swing_bottom, 0.5)
    out[12] = ratio(close - bottom, top - bottom, 0.5)
    out[13] = ratio(top - bottom, reach, 0.0)
    out[14] = reach / close
    out[15] = np.sqrt(frame[VARIANCE])
    out[23] = frame[TREND]
    out[24] = ratio(frame[PLUS] - frame[MINUS], frame[PLUS] + frame[MINUS], 0.0)


@part
def shape_features(frame: Floats, newest: int, out: Floats) -> None:
    """Write what the last bar looks like, and its volume against the usual."""
    opened, high = frame[OPEN_RING + newest], frame[HIGH_RING + newest]
    low, close = frame[LOW_RING + newest], frame[CLOSE_RING + newest]
    usual = frame[VOLUME_MEAN]
    out[20] = ratio(close - opened, high - low, 0.0)
    out[21] = ratio(high - max(opened, close), high - low, 0.0)
    out[22] = ratio(min(opened, close) - low, high - low, 0.0)
    out[25] = np.log(max(frame[VOLUME_RING + newest], VOLUME_FLOOR * usual) / usual) if usual > 0.0 else 0.0


@part
def return_features(frame: Floats, newest: int, out: Floats) -> None:
    """Write how the window's returns are spread: deviations, skew, correlation, efficiency."""
    total, short_total, ups, travelled = 0.0, 0.0, 0.0, 0.0
    closes = 0.0
    for back in range(WINDOW):
        place = (newest - back) & (RING - 1)
        close, before = frame[CLOSE_RING + place], frame[CLOSE_RING + ((place - 1) & (RING - 1))]
        step = np.log(close / before)
        total += step
        short_total += step if back < SHORT else 0.0
        ups += 1.0 if step > 0.0 else 0.0
        travelled += abs(close - before)
        closes += close
    mean, short_mean, level = total / WINDOW, short_total / SHORT, closes / WINDOW
    squares, cubes, pairs, short_squares, level_squares, later = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    parkinson, garman = 0.0, 0.0
    for back in range(WINDOW):
        place = (newest - back) & (RING - 1)
        close, before = frame[CLOSE_RING + place], frame[CLOSE_RING + ((place - 1) & (RING - 1))]
        step = np.log(close / before)
        squares += (step - mean) ** 2
        cubes += (step - mean) ** 3
        pairs += (step - mean) * later if back > 0 else 0.0
        later = step - mean
        short_squares += (step - short_mean) ** 2 if back < SHORT else 0.0
        level_squares += (close - level) ** 2
        spread = np.log(frame[HIGH_RING + place] / frame[LOW_RING + place])
        body = np.log(close / frame[OPEN_RING + place])
        parkinson += spread * spread
        garman += 0.5 * spread * spread - (2.0 * np.log(2.0) - 1.0) * body * body
    deviation = np.sqrt(squares / WINDOW)
    close = frame[CLOSE_RING + newest]
    out[16] = ratio(np.sqrt(short_squares / SHORT), deviation, 1.0)
    out[17] = np.sqrt(parkinson / (WINDOW * 4.0 * np.log(2.0)))
    out[18] = np.sqrt(max(garman / WINDOW, 0.0))
    out[19] = ratio(close - level, np.sqrt(level_squares / WINDOW), 0.0)
    out[30] = ratio(cubes / WINDOW, deviation**3, 0.0)
    out[31] = ratio(pairs, squares, 0.0)
    out[32] = ups / WINDOW
    out[33] = ratio(abs(close - frame[CLOSE_RING + ((newest - WINDOW) & (RING - 1))]), travelled, 0.0)


@part
def volume_features(frame: Floats, newest: int, out: Floats) -> None:
    """Write what the volume says of the moves: its sign, its price, its money flow, how much it moves the price."""
    signed, volumes, value, inflow, flow = 0.0, 0.0, 0.0, 0.0, 0.0
    impact, impacts, short_impact, short_impacts = 0.0, 0.0, 0.0, 0.0
    for back in range(WINDOW):
        place = (newest - back) & (RING - 1)
        earlier = (place - 1) & (RING - 1)
        close, before, volume = frame[CLOSE_RING + place], frame[CLOSE_RING + earlier], frame[VOLUME_RING + place]
        typical = (frame[HIGH_RING + place] + frame[LOW_RING + place] + close) / 3.0
        was = (frame[HIGH_RING + earlier] + frame[LOW_RING + earlier] + before) / 3.0
        signed += volume * np.sign(close - before)
        volumes += volume
        value += volume * typical
        if back < SWING:
            inflow += volume * typical if typical > was else 0.0
            flow += volume * typical if typical != was else 0.0
        if volume > 0.0:
            moved = abs(np.log(close / before)) / (volume * close)
            impact, impacts = impact + moved, impacts + 1.0
            if back < SHORT:
                short_impact, short_impacts = short_impact + moved, short_impacts + 1.0
    out[26] = ratio(signed, volumes, 0.0)
    close = frame[CLOSE_RING + newest]
    out[27] = ratio(close - value / volumes, frame[RANGE], 0.0) if volumes > 0.0 else 0.0
    out[28] = ratio(inflow, flow, 0.5)
    out[29] = np.log((short_impact / short_impacts) / (impact / impacts)) if short_impact > 0.0 else 0.0


@part
def fold_frame(frame: Floats, opened: float, high: float, low: float, close: float, volume: float, out: Floats) -> None:
    """Fold one closed bar into a frame and write its features, NaN until the frame is warm."""
    fold_averages(frame, high, low, close, volume)
    newest = int(frame[COUNT]) & (RING - 1)
    frame[OPEN_RING + newest], frame[HIGH_RING + newest] = opened, high
    frame[LOW_RING + newest], frame[CLOSE_RING + newest] = low, close
    frame[VOLUME_RING + newest] = volume
    frame[COUNT] += 1.0
    if frame[COUNT] < WARM_BARS:
        return
    trend_features(frame, newest, out)
    shape_features(frame, newest, out)
    return_features(frame, newest, out)
    volume_features(frame, newest, out)


@part
def close_gathered(state: Floats, number: int, out: Floats) -> None:
    """Fold the bar that a slower frame has gathered, if there is one."""
    gather = state[GATHER * (1 + number) : GATHER * (2 + number)]
    if gather[GATHERED] == 0.0:
        return
    gather[GATHERED] = 0.0
    begin = GATHER * (1 + FRAMES) + number * FRAME_LENGTH
    fold_frame(
        state[begin : begin + FRAME_LENGTH],
        gather[G_OPEN],
        gather[G_HIGH],
        gather[G_LOW],
        gather[G_CLOSE],
        gather[G_VOLUME],
        out[number * FRAME_FEATURES : (number + 1) * FRAME_FEATURES],
    )


@part
def gather_bar(
    state: Floats, number: int, index: int, opened: float, high: float, low: float, close: float, volume: float
) -> None:
    """Add a base bar to the bar that a slower frame is gathering."""
    gather = state[GATHER * (1 + number) : GATHER * (2 + number)]
    if gather[GATHERED] == 0.0:
        gather[GATHERED] = 1.0
        gather[G_BUCKET] = float(index // MULTIPLES[number])
        gather[G_OPEN], gather[G_HIGH], gather[G_LOW], gather[G_VOLUME] = opened, high, low, 0.0
    gather[G_HIGH], gather[G_LOW] = max(gather[G_HIGH], high), min(gather[G_LOW], low)
    gather[G_CLOSE] = close
    gather[G_VOLUME] += volume


@part
def calendar_features(end_s: int, out: Floats) -> None:
    """Write the moment the bar ended as points on the circles of day and week (UTC)."""
    day = 2.0 * np.pi * (end_s % DAY_S) / DAY_S
    weekday = (end_s // DAY_S + EPOCH_WEEKDAY) % 7
    week = 2.0 * np.pi * (weekday + (end_s % DAY_S) / DAY_S) / 7.0
    out[CALENDAR], out[CALENDAR + 1] = np.sin(day), np.cos(day)
    out[CALENDAR + 2], out[CALENDAR + 3] = np.sin(week), np.cos(week)
    out[CALENDAR + 4] = 1.0 if weekday >= 5 else 0.0


@part
def book_features(bid: float, bid_size: float, ask: float, ask_size: float, out: Floats) -> None:
    """Write the book's spread, imbalance and microprice; NaN where there is no book."""
    out[BOOK : BOOK + 3] = np.nan
    sizes = bid_size + ask_size
    if not (0.0 < bid < ask and sizes > 0.0):
        return
    middle = (bid + ask) / 2.0
    out[BOOK] = (ask - bid) / middle
    out[BOOK + 1] = (bid_size - ask_size) / sizes
    out[BOOK + 2] = ((bid * ask_size + ask * bid_size) / sizes - middle) / middle


@kernel
def fold(state: Floats, start_s: int, base_s: int, bar: Floats, book: Floats, out: Floats) -> bool:
    """Fold one base bar (open, high, low, close, volume) and write all features; an old or doubled bar is refused."""
    index = start_s // base_s
    behind = index - int(state[LAST])
    if state[LAST] > 0.0 and behind <= 0:
        return False
    if state[LAST] == 0.0 or behind > GAP_BARS_MAX:
        state[:] = 0.0
        out[:] = np.nan
    state[LAST] = float(index)
    for number in range(FRAMES):
        gather = GATHER * (1 + number)
        if state[gather + GATHERED] != 0.0 and state[gather + G_BUCKET] != index // MULTIPLES[number]:
            close_gathered(state, number, out)
        gather_bar(state, number, index, bar[0], bar[1], bar[2], bar[3], bar[4])
        if (index + 1) % MULTIPLES[number] == 0:
            close_gathered(state, number, out)
    calendar_features((index + 1) * base_s, out)
    slow = out[2 * FRAME_FEATURES : 3 * FRAME_FEATURES]
    out[CROSS] = ratio(out[15] * np.sqrt(12.0), slow[15], 1.0) if not np.isnan(slow[15]) else np.nan
    out[CROSS + 1] = (np.sign(out[7]) + np.sign(out[FRAME_FEATURES + 7]) + np.sign(slow[7])) / 3.0
    book_features(book[0], book[1], book[2], book[3], out)
    return True


@kernel
def fold_all(starts_s: Integers, base_s: int, bars: Floats, table: Floats) -> int:
    """Fold bars of one instrument in order, a row of features each, and return how many were refused (rows of NaN)."""
    state, out, book = np.zeros(STATE_LENGTH), np.full(OUT_LENGTH, np.nan), np.zeros(4)
    refused = 0
    for row in range(starts_s.size):
        if fold(state, starts_s[row], base_s, bars[row], book, out):
            table[row] = out
        else:
            table[row] = np.nan
            refused += 1
    return refused
