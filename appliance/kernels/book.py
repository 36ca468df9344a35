"""Order books of many instruments as rows of integers: apply levels, truncate, checksum, judge.

Layout. `rows` is a two-dimensional array of int64: one row per instrument and a last row as scratch, so that a whole
message costs one dispatch with two arguments. A row is a header and two sides; a side is three runs of `capacity`
numbers: keys, sizes and checksum parts. A key is the price for bids and the negated price for asks, so the best level
of either side has the greatest key and stands last: an update near the top moves a handful of numbers, and both sides
share one routine. Levels live in `[start, start + count)`; whichever half is shorter moves.

The checksum is CRC32 over the top ten asks, then the top ten bids, each written as digits without point and leading
zeros (the venue's guide "Book checksum (WebSocket v2)"). A CRC is linear, so each level keeps the CRC of its own
digits, computed from a table of (place, digit) when the first checksum asks for it: most levels change unseen by any.
A message then only joins twenty parts, four table look-ups each, instead of hashing three hundred bytes.

A message is first read completely into the scratch row and judged, and only then applied: no book is ever half-changed.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from appliance.kernels.compiling import kernel, part

DEPTH, PRICE_DIGITS, SIZE_DIGITS, PHASE, VENUE_NS, WANTED, FOUND, CHECKED = range(8)
BID_START, BID_COUNT, ASK_START, ASK_COUNT, CAPACITY, SEQUENCE, LEVELS_MAX = range(8, 15)
SYMBOL_LENGTH: Final = 15
SYMBOL: Final = 16
SYMBOL_BYTES_MAX: Final = 32
HEADER: Final = SYMBOL + SYMBOL_BYTES_MAX

TOP_LENGTH: Final = 6

# Phases of a row, written by the state machine, read here: only a live book takes updates.
EMPTY, AWAITING, LIVE, QUARANTINED = range(4)

# What became of a message.
UPDATED, REPLACED, UNRECOGNISED, DROPPED, MISMATCH, CROSSED, OUT_OF_ORDER, TRADES, PAST_TRADES = range(9)
OUTCOME_BITS: Final = 4
OUTCOME_MASK: Final = (1 << OUTCOME_BITS) - 1

CHECKSUM_LEVELS: Final = 10
LEVELS_SLACK: Final = 128
DEPTHS: Final = (10, 25, 100, 500, 1000)
PLACES_MAX: Final = 40
# The CRC part of a level whose digits no checksum has asked for yet.
NOT_COMPUTED: Final = -1
LINEAR_STEPS: Final = 24
DIGIT_ZERO: Final = 48
POLYNOMIAL: Final = 0xEDB88320
ALL_ONES: Final = 0xFFFFFFFF

Integers = npt.NDArray[np.int64]


def _byte_table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return table


def _followed_by_zero(table: list[int], value: int) -> int:
    return table[value & 255] ^ (value >> 8)


def _place_table(table: list[int]) -> npt.NDArray[np.uint32]:
    """Return the CRC of each digit followed by so many zero bytes."""
    places = np.zeros((PLACES_MAX, 10), np.uint32)
    for digit in range(10):
        value = table[DIGIT_ZERO + digit]
        for place in range(PLACES_MAX):
            places[place, digit] = value
            value = _followed_by_zero(table, value)
    return places


def _shift_table(table: list[int]) -> npt.NDArray[np.uint32]:
    """Return, for each length and byte of a CRC, what that byte becomes after so many zero bytes."""
    shifts = np.zeros((PLACES_MAX, 4, 256), np.uint32)
    for which in range(4):
        for byte in range(256):
            value = byte << (8 * which)
            for length in range(PLACES_MAX):
                shifts[length, which, byte] = value
                value = _followed_by_zero(table, value)
    return shifts


DIGIT_AT_PLACE: Final = _place_table(_byte_table())
AFTER_ZEROS: Final = _shift_table(_byte_table())


def rows_for(books: int, depth: int) -> Integers:
    """Return the rows of so many empty books of one depth, and the scratch row behind them."""
    levels_max = depth + LEVELS_SLACK
    capacity = 2 * levels_max
    rows = np.zeros((books + 1, HEADER + 6 * capacity), np.int64)
    rows[:, DEPTH] = depth
    rows[:, CAPACITY] = capacity
    rows[:, LEVELS_MAX] = levels_max
    rows[:, CHECKED] = 1
    rows[:, BID_START] = rows[:, ASK_START] = levels_max
    return rows


@kernel
def checksum_part(price: int, size: int) -> int:
    """Return the CRC of a level's digits, its length in the upper half."""
    part = 0
    place = 0
    while size > 0:
        rest = size // 10
        part ^= int(np.int64(DIGIT_AT_PLACE[place, size - 10 * rest]))
        size = rest
        place += 1
    while price > 0:
        rest = price // 10
        part ^= int(np.int64(DIGIT_AT_PLACE[place, price - 10 * rest]))
        price = rest
        place += 1
    return part | (place << 32)


@part
def position_of(rows: Integers, row: int, keys: int, start: int, count: int, key: int) -> int:
    """Return the last place whose key is not above the given one, or the place before the first."""
    place = start + count - 1
    steps = 0
    while place >= start and rows[row, keys + place] > key:
        place -= 1
        steps += 1
        if steps == LINEAR_STEPS:
            low = start - 1
            while low < place:
                middle = (low + place + 1) // 2
                if rows[row, keys + middle] > key:
                    place = middle - 1
                else:
                    low = middle
            return place
    return place


@part
def move(rows: Integers, row: int, keys: int, first: int, end: int, by: int) -> None:
    """Move the levels `[first, end)` of a side by one place up or down, or further down."""
    capacity = rows[row, CAPACITY]
    for run in range(3):
        base = keys + run * capacity
        if by > 0:
            for place in range(end - 1, first - 1, -1):
                rows[row, base + place + by] = rows[row, base + place]
        else:
            for place in range(first, end):
                rows[row, base + place + by] = rows[row, base + place]


@part
def remove_at(rows: Integers, row: int, side: int, keys: int, place: int) -> None:
    """Take one level out of a side."""
    start = rows[row, BID_START + 2 * side]
    count = rows[row, BID_COUNT + 2 * side]
    if place - start < start + count - 1 - place:
        move(rows, row, keys, start, place, 1)
        rows[row, BID_START + 2 * side] = start + 1
    else:
        move(rows, row, keys, place + 1, start + count, -1)
    rows[row, BID_COUNT + 2 * side] = count - 1


@part
def open_after(rows: Integers, row: int, side: int, keys: int, place: int) -> int:
    """Make room for one level after a place and return where it is."""
    capacity = rows[row, CAPACITY]
    start = rows[row, BID_START + 2 * side]
    count = rows[row, BID_COUNT + 2 * side]
    rows[row, BID_COUNT + 2 * side] = count + 1
    if start > 0 and place - start + 1 < start + count - 1 - place:
        move(rows, row, keys, start, place + 1, -1)
        rows[row, BID_START + 2 * side] = start - 1
        return place
    if start + count == capacity:
        move(rows, row, keys, start, start + count, -start)
        rows[row, BID_START + 2 * side] = 0
        place -= start
        start = 0
    move(rows, row, keys, place + 1, start + count, 1)
    return place + 1


@kernel
def apply_level(rows: Integers, row: int, side: int, price: int, size: int) -> None:
    """Set one price level; a size of zero removes it."""
    capacity = rows[row, CAPACITY]
    keys = HEADER + side * 3 * capacity
    key = price if side == 0 else -price
    start = rows[row, BID_START + 2 * side]
    place = position_of(rows, row, keys, start, rows[row, BID_COUNT + 2 * side], key)
    there = place >= start and rows[row, keys + place] == key
    if size == 0:
        if there:
            remove_at(rows, row, side, keys, place)
        return
    if not there:
        place = open_after(rows, row, side, keys, place)
        rows[row, keys + place] = key
    rows[row, keys + capacity + place] = size
    rows[row, keys + 2 * capacity + place] = NOT_COMPUTED


@kernel
def checksum_of(rows: Integers, row: int) -> int:
    """Return the CRC32 of the top ten levels: asks, then bids, each from the best."""
    capacity = rows[row, CAPACITY]
    state = ALL_ONES
    for side in (1, 0):
        parts = HEADER + (side * 3 + 2) * capacity
        count = rows[row, BID_COUNT + 2 * side]
        best = parts + rows[row, BID_START + 2 * side] + count - 1
        for level in range(min(count, CHECKSUM_LEVELS)):
            part = rows[row, best - level]
            if part == NOT_COMPUTED:
                key = rows[row, best - level - 2 * capacity]
                part = checksum_part(key if side == 0 else -key, rows[row, best - level - capacity])
                rows[row, best - level] = part
            length = part >> 32
            state = (
                np.int64(AFTER_ZEROS[length, 0, state & 255])
                ^ np.int64(AFTER_ZEROS[length, 1, (state >> 8) & 255])
                ^ np.int64(AFTER_ZEROS[length, 2, (state >> 16) & 255])
                ^ np.int64(AFTER_ZEROS[length, 3, (state >> 24) & 255])
                ^ (part & ALL_ONES)
            )
    return state ^ ALL_ONES


@kernel
def best_price(rows: Integers, row: int, side: int) -> int:
    """Return a side's best price, or zero when it is empty."""
    count = rows[row, BID_COUNT + 2 * side]
    if count == 0:
        return 0
    key = rows[row, HEADER + side * 3 * rows[row, CAPACITY] + rows[row, BID_START + 2 * side] + count - 1]
    return int(key if side == 0 else -key)


@kernel
def settle(rows: Integers, row: int, snapshot: bool, bids: int, asks: int, checksum: int, venue_ns: int) -> int:
    """Apply the levels in the scratch row to a book, unless they may not be, and return what became of them."""
    phase = rows[row, PHASE]
    if phase != LIVE and not (snapshot and phase == AWAITING):
        return DROPPED
    if not snapshot and venue_ns < rows[row, VENUE_NS]:
        return OUT_OF_ORDER
    scratch = rows.shape[0] - 1
    levels_max = rows[row, LEVELS_MAX]
    if snapshot:
        rows[row, BID_START] = rows[row, ASK_START] = levels_max
        rows[row, BID_COUNT] = rows[row, ASK_COUNT] = 0
        rows[row, VENUE_NS] = 0
    for level in range(bids + asks):
        side = 0 if level < bids else 1
        apply_level(rows, row, side, rows[scratch, HEADER + 2 * level], rows[scratch, HEADER + 2 * level + 1])
    depth = rows[row, DEPTH]
    for side in range(2):
        surplus = rows[row, BID_COUNT + 2 * side] - depth
        if surplus > 0:
            rows[row, BID_START + 2 * side] += surplus
            rows[row, BID_COUNT + 2 * side] = depth
    if venue_ns > 0:
        rows[row, VENUE_NS] = venue_ns
    rows[row, SEQUENCE] += 1
    bid = best_price(rows, row, 0)
    ask = best_price(rows, row, 1)
    if bid > 0 and ask > 0 and bid >= ask:
        return CROSSED
    if rows[row, CHECKED] != 0:
        found = checksum_of(rows, row)
        rows[row, FOUND] = found
        rows[row, WANTED] = checksum
        if found != checksum:
            return MISMATCH
    return REPLACED if snapshot else UPDATED


@kernel
def top(rows: Integers, row: int, out: Integers) -> None:
    """Write a book's best levels as (bid, size, ask, size), zero where there is none, then its sequence and time."""
    capacity = rows[row, CAPACITY]
    for side in range(2):
        count = rows[row, BID_COUNT + 2 * side]
        if count == 0:
            out[2 * side] = out[2 * side + 1] = 0
            continue
        last = HEADER + side * 3 * capacity + rows[row, BID_START + 2 * side] + count - 1
        out[2 * side] = rows[row, last] if side == 0 else -rows[row, last]
        out[2 * side + 1] = rows[row, last + capacity]
    out[4] = rows[row, SEQUENCE]
    out[5] = rows[row, VENUE_NS]


def levels_of(rows: Integers, row: int, side: int, count_max: int) -> tuple[tuple[int, int], ...]:
    """Return up to so many levels of a side as (price, size), best first."""
    capacity = int(rows[row, CAPACITY])
    end = HEADER + side * 3 * capacity + int(rows[row, BID_START + 2 * side] + rows[row, BID_COUNT + 2 * side])
    begin = end - min(count_max, int(rows[row, BID_COUNT + 2 * side]))
    keys = rows[row, begin:end].tolist()
    sizes = rows[row, begin + capacity : end + capacity].tolist()
    sign = 1 if side == 0 else -1
    return tuple((sign * key, size) for key, size in zip(reversed(keys), reversed(sizes), strict=True))
