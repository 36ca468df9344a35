"""The kernel's checksum from parts against the library's CRC32 over text."""

import zlib

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from appliance.core.instruments import PRICE_TICKS_MAX, SIZE_LOTS_MAX
from appliance.kernels import book

LEVELS = st.lists(
    st.tuples(st.integers(1, PRICE_TICKS_MAX), st.integers(1, SIZE_LOTS_MAX)), max_size=14, unique_by=lambda x: x[0]
)
EXAMPLE_BIDS = [(452_835, 10_000_000), (452_834, 154_582_015)]


@given(LEVELS, LEVELS)
@example([], [])
@example([(1, 1)], [(PRICE_TICKS_MAX, SIZE_LOTS_MAX)])
def test_the_joined_parts_equal_the_crc_of_the_text(bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> None:
    """Shows any top ten of either side give zlib's CRC32 of the digits; fails when a place or a length is off."""
    rows = book.rows_for(1, 25)
    for side, levels in enumerate((bids, asks)):
        for price, size in levels:
            book.apply_level(rows, 0, side, price, size)
    best_asks, best_bids = sorted(asks)[:10], sorted(bids, reverse=True)[:10]
    text = "".join(f"{price}{size}" for price, size in (*best_asks, *best_bids))
    assert book.checksum_of(rows, 0) == zlib.crc32(text.encode())


@given(st.integers(1, PRICE_TICKS_MAX), st.integers(1, SIZE_LOTS_MAX))
def test_a_part_knows_its_length(price: int, size: int) -> None:
    """Shows the number of digits beside each part; fails when a leading zero is counted."""
    assert int(book.checksum_part(price, size)) >> 32 == len(f"{price}{size}")


def test_rows_have_room_for_any_message() -> None:
    """Shows the scratch row hold two full sides of levels at each depth; fails when a message could overrun it."""
    for depth in book.DEPTHS:
        rows = book.rows_for(2, depth)
        assert rows.dtype == np.int64
        assert rows.shape[1] - book.HEADER >= 2 * 2 * rows[0, book.LEVELS_MAX]
        assert rows[0, book.CAPACITY] >= depth + rows[0, book.LEVELS_MAX]


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3)), min_size=2, max_size=12))
def test_a_level_that_changed_is_summed_anew(changes: list[tuple[int, int]]) -> None:
    """Shows the checksum right after every change of the same few levels; fails when a part outlives its level."""
    rows, levels = book.rows_for(1, 10), dict[int, int]()
    for price, size in changes:
        book.apply_level(rows, 0, 1, price, size)
        levels[price] = size
        text = "".join(f"{price}{size}" for price, size in sorted(levels.items()) if size)
        assert book.checksum_of(rows, 0) == zlib.crc32(text.encode())
