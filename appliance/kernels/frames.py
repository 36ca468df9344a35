"""Read a venue's book and trade messages straight from their bytes and apply them: one dispatch a message.

Written by hand because a JSON library builds twenty objects to change two integers. It knows exactly one spelling of
each message: the venue's own order of keys, with or without one space after a colon or comma. Anything else, valid or
not, is UNRECOGNISED and left to the library decoder, which alone may refuse. Nothing is guessed, no number is a float,
and nothing is applied before the last byte was read.

`offset` is -1 once something did not fit; every reader hands that on, so that a message is checked for it only where a
loop or a branch depends on it.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from appliance.core.instruments import PRICE_TICKS_MAX, SIZE_LOTS_MAX
from appliance.kernels.book import (
    DEPTH,
    HEADER,
    LEVELS_MAX,
    OUTCOME_BITS,
    OUTCOME_MASK,
    PAST_TRADES,
    PRICE_DIGITS,
    SIZE_DIGITS,
    SYMBOL,
    SYMBOL_LENGTH,
    TRADES,
    UNRECOGNISED,
    UPDATED,
    Integers,
    settle,
)
from appliance.kernels.compiling import kernel, part

Literal = npt.NDArray[np.uint8]

MANTISSA_DIGITS_MAX: Final = 18
TRADE_FIELDS: Final = 6
TRADE_BUY: Final = 1
TRADE_SELL: Final = -1
_ZERO, _NINE, _POINT, _SPACE, _COLON, _COMMA, _CLOSE, _QUOTE, _UTC, _LINE = 48, 57, 46, 32, 58, 44, 93, 34, 90, 10
_NANOSECONDS = 1_000_000_000
_CHECKSUM_MAX = 0xFFFFFFFF
# Below this one more digit still fits.
_MANTISSA_ROOM: Final = 10 ** (MANTISSA_DIGITS_MAX - 1)


def _literal(text: str) -> Literal:
    return np.frombuffer(text.encode(), np.uint8).copy()


BOOK_HEAD: Final = _literal('{"channel":"book","type":"')
TRADE_HEAD: Final = _literal('{"channel":"trade","type":"')
UPDATE_DATA: Final = _literal('update","data":[{"symbol":"')
SNAPSHOT_DATA: Final = _literal('snapshot","data":[{"symbol":"')
BIDS: Final = _literal('","bids":[')
ASKS: Final = _literal(',"asks":[')
CHECKSUM: Final = _literal(',"checksum":')
LEVEL_PRICE: Final = _literal('{"price":')
LEVEL_QTY: Final = _literal(',"qty":')
LEVEL_END: Final = _literal("}")
TIMESTAMP: Final = _literal(',"timestamp":"')
BOOK_END: Final = _literal("}]}")
BOOK_END_TIMED: Final = _literal('"}]}')
SIDE_BUY: Final = _literal('","side":"buy","price":')
SIDE_SELL: Final = _literal('","side":"sell","price":')
TYPE_LIMIT: Final = _literal(',"ord_type":"limit","trade_id":')
TYPE_MARKET: Final = _literal(',"ord_type":"market","trade_id":')
TRADE_END: Final = _literal('"}')
TRADE_NEXT: Final = _literal(',{"symbol":"')
TRADES_END: Final = _literal("]}")


@part
def expect(frame: bytes, offset: int, literal: Literal) -> int:
    """Return the place after a literal, allowing one space after each colon and comma, or -1."""
    if offset < 0:
        return -1
    length = len(frame)
    for index in range(len(literal)):
        byte = literal[index]
        if offset >= length or frame[offset] != byte:
            return -1
        offset += 1
        if byte in (_COLON, _COMMA) and offset < length and frame[offset] == _SPACE:
            offset += 1
    return offset


@part
def whole(frame: bytes, offset: int) -> tuple[int, int]:
    """Return an unsigned integer and the place after it, or -1 as the place."""
    length = len(frame)
    first = offset
    value = 0
    if offset < 0:
        return 0, -1
    while offset < length and _ZERO <= frame[offset] <= _NINE:
        value = value * 10 + int(np.int64(frame[offset] - _ZERO))
        offset += 1
        if offset - first > MANTISSA_DIGITS_MAX:
            return 0, -1
    if offset == first or (frame[first] == _ZERO and offset - first > 1):
        return 0, -1
    return value, offset


@part
def scaled(frame: bytes, offset: int, digits: int) -> tuple[int, int]:
    """Return a decimal number times ten to the given digits and the place after it; refuse what is off that grid."""
    value, offset = whole(frame, offset)
    if offset < 0:
        return 0, -1
    length = len(frame)
    places = 0
    if offset < length and frame[offset] == _POINT:
        offset += 1
        first = offset
        while offset < length and _ZERO <= frame[offset] <= _NINE:
            if places < digits:
                if value >= _MANTISSA_ROOM:
                    return 0, -1
                value = value * 10 + int(np.int64(frame[offset] - _ZERO))
                places += 1
            elif frame[offset] != _ZERO:
                return 0, -1
            offset += 1
        if offset == first:
            return 0, -1
    while places < digits:
        if value >= _MANTISSA_ROOM:
            return 0, -1
        value *= 10
        places += 1
    return value, offset


@part
def two(frame: bytes, offset: int) -> int:
    """Return two digits as a number, or one so great that no date has it, not even as a part of its year."""
    high = int(np.int64(frame[offset])) - _ZERO
    low = int(np.int64(frame[offset + 1])) - _ZERO
    return high * 10 + low if 0 <= high <= 9 and 0 <= low <= 9 else 1_000_000


@part
def moment(frame: bytes, offset: int) -> tuple[int, int]:
    """Return nanoseconds since 1970 of `YYYY-MM-DDThh:mm:ss[.fraction]Z` and the place after it, or -1 as the place."""
    if offset < 0 or offset + 20 > len(frame):
        return 0, -1
    if frame[offset + 4] != 45 or frame[offset + 7] != 45 or frame[offset + 10] != 84:
        return 0, -1
    if frame[offset + 13] != _COLON or frame[offset + 16] != _COLON:
        return 0, -1
    century, decade = two(frame, offset), two(frame, offset + 2)
    month, day = two(frame, offset + 5), two(frame, offset + 8)
    hour, minute, second = two(frame, offset + 11), two(frame, offset + 14), two(frame, offset + 17)
    year = century * 100 + decade
    if not (1970 <= year <= 2200 and 1 <= month <= 12 and day >= 1 and hour < 24 and minute < 60 and second < 60):
        return 0, -1
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    longest = 30 if month in (4, 6, 9, 11) else 31
    if month == 2:
        longest = 29 if leap else 28
    if day > longest:
        return 0, -1
    # Days since 1970 after Howard Hinnant, "chrono-compatible low-level date algorithms": the year begins in March.
    shifted = year - (1 if month <= 2 else 0)
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    days = shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400 + day_of_year - 719_468
    nanoseconds = (((days * 24 + hour) * 60 + minute) * 60 + second) * _NANOSECONDS
    offset += 19
    if frame[offset] == _POINT:
        offset += 1
        weight = _NANOSECONDS
        while offset < len(frame) and _ZERO <= frame[offset] <= _NINE:
            weight //= 10
            if weight == 0:
                return 0, -1
            nanoseconds += int(np.int64(frame[offset] - _ZERO)) * weight
            offset += 1
        if weight == _NANOSECONDS:
            return 0, -1
    if offset >= len(frame) or frame[offset] != _UTC:
        return 0, -1
    return nanoseconds, offset + 1


@part
def row_of(frame: bytes, offset: int, rows: Integers) -> tuple[int, int]:
    """Return the row whose symbol stands here and the place after it, or -1 as the place."""
    length = len(frame)
    if offset < 0:
        return 0, -1
    for row in range(rows.shape[0] - 1):
        size = rows[row, SYMBOL_LENGTH]
        if offset + size >= length or frame[offset + size] != _QUOTE:
            continue
        same = True
        for index in range(size):
            if frame[offset + index] != rows[row, SYMBOL + index]:
                same = False
                break
        if same:
            return row, offset + size
    return 0, -1


@part
def levels(frame: bytes, offset: int, rows: Integers, row: int, first: int, snapshot: bool) -> tuple[int, int]:
    """Read levels up to the closing bracket into the scratch row; return how many and the place after it, or -1."""
    length = len(frame)
    scratch = rows.shape[0] - 1
    price_digits, size_digits = rows[row, PRICE_DIGITS], rows[row, SIZE_DIGITS]
    count = 0
    if offset < 0 or offset >= length:
        return 0, -1
    if frame[offset] == _CLOSE:
        return 0, offset + 1
    while True:
        price, offset = scaled(frame, expect(frame, offset, LEVEL_PRICE), price_digits)
        size, offset = scaled(frame, expect(frame, offset, LEVEL_QTY), size_digits)
        offset = expect(frame, offset, LEVEL_END)
        if offset < 0 or offset >= length or price == 0 or (snapshot and size == 0):
            return 0, -1
        if price > PRICE_TICKS_MAX or size > SIZE_LOTS_MAX or count == rows[row, LEVELS_MAX]:
            return 0, -1
        rows[scratch, HEADER + 2 * (first + count)] = price
        rows[scratch, HEADER + 2 * (first + count) + 1] = size
        count += 1
        if frame[offset] == _CLOSE:
            return count, offset + 1
        if frame[offset] != _COMMA:
            return 0, -1
        offset += 1
        if offset < length and frame[offset] == _SPACE:
            offset += 1


@part
def book_message(frame: bytes, begin: int, end: int, rows: Integers) -> int:
    """Read the book message that fills `[begin, end)` and apply it; return its outcome, the row in the bits above."""
    offset = expect(frame, begin, BOOK_HEAD)
    if offset < 0 or offset >= len(frame):
        return UNRECOGNISED
    snapshot = frame[offset] == SNAPSHOT_DATA[0]
    offset = expect(frame, offset, SNAPSHOT_DATA) if snapshot else expect(frame, offset, UPDATE_DATA)
    row, offset = row_of(frame, offset, rows)
    if offset < 0:
        return UNRECOGNISED
    bids, offset = levels(frame, expect(frame, offset, BIDS), rows, row, 0, snapshot)
    asks, offset = levels(frame, expect(frame, offset, ASKS), rows, row, bids, snapshot)
    checksum, offset = whole(frame, expect(frame, offset, CHECKSUM))
    if offset < 0 or checksum > _CHECKSUM_MAX or (snapshot and max(bids, asks) > rows[row, DEPTH]):
        return UNRECOGNISED
    venue_ns = 0
    timed = expect(frame, offset, TIMESTAMP)
    if timed >= 0:
        venue_ns, offset = moment(frame, timed)
        offset = expect(frame, offset, BOOK_END_TIMED)
    elif snapshot:
        offset = expect(frame, offset, BOOK_END)
    else:
        return UNRECOGNISED
    if offset != end:
        return UNRECOGNISED
    return settle(rows, row, snapshot, bids, asks, checksum, venue_ns) | (row << OUTCOME_BITS)


@kernel
def book_frame(frame: bytes, rows: Integers) -> int:
    """Read one book message and apply it; return its outcome, the row in the bits above."""
    return book_message(frame, 0, len(frame), rows)


@kernel
def book_lines(text: bytes, begin: int, rows: Integers, updates: Integers) -> int:
    """Apply the updates on consecutive lines, counted by row, and return where to go on.

    A line may begin with the time of its receipt. No literal holds a line break, so a message cannot reach past its
    own line. The last count tells what it stopped at: UPDATED at the end of the text; UNRECOGNISED before a line that
    must be read alone; anything else after a message that had that outcome.
    """
    length = len(text)
    last = updates.shape[0] - 1
    updates[last] = UPDATED
    while begin < length:
        end = begin
        while end < length and text[end] != _LINE:
            end += 1
        message = begin
        while message < end and _ZERO <= text[message] <= _NINE:
            message += 1
        if begin < message < end and text[message] == _SPACE:
            message += 1
        outcome = book_message(text, message, end, rows)
        if outcome & OUTCOME_MASK != UPDATED:
            updates[last] = outcome
            return begin if outcome == UNRECOGNISED else end + 1
        updates[outcome >> OUTCOME_BITS] += 1
        begin = end + 1
    return length


@kernel
def trade_frame(frame: bytes, rows: Integers, trades: Integers) -> int:
    """Read one message of trades into rows of (row, side, price, size, number, time); return kind and count."""
    offset = expect(frame, 0, TRADE_HEAD)
    if offset < 0 or offset >= len(frame):
        return UNRECOGNISED
    snapshot = frame[offset] == SNAPSHOT_DATA[0]
    offset = expect(frame, offset, SNAPSHOT_DATA) if snapshot else expect(frame, offset, UPDATE_DATA)
    count = 0
    while True:
        row, offset = row_of(frame, offset, rows)
        if offset < 0 or count == trades.shape[0]:
            return UNRECOGNISED
        bought = expect(frame, offset, SIDE_BUY)
        offset = bought if bought >= 0 else expect(frame, offset, SIDE_SELL)
        price, offset = scaled(frame, offset, rows[row, PRICE_DIGITS])
        size, offset = scaled(frame, expect(frame, offset, LEVEL_QTY), rows[row, SIZE_DIGITS])
        limit = expect(frame, offset, TYPE_LIMIT)
        offset = limit if limit >= 0 else expect(frame, offset, TYPE_MARKET)
        number, offset = whole(frame, offset)
        venue_ns, offset = moment(frame, expect(frame, offset, TIMESTAMP))
        offset = expect(frame, offset, TRADE_END)
        if offset < 0 or price == 0 or size == 0 or price > PRICE_TICKS_MAX or size > SIZE_LOTS_MAX:
            return UNRECOGNISED
        trades[count, 0] = row
        trades[count, 1] = TRADE_BUY if bought >= 0 else TRADE_SELL
        trades[count, 2] = price
        trades[count, 3] = size
        trades[count, 4] = number
        trades[count, 5] = venue_ns
        count += 1
        following = expect(frame, offset, TRADE_NEXT)
        if following < 0:
            break
        offset = following
    if expect(frame, offset, TRADES_END) != len(frame):
        return UNRECOGNISED
    return (PAST_TRADES if snapshot else TRADES) | (count << OUTCOME_BITS)
