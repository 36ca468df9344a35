"""Whatever is done to a stored chain is found, unless only its end is gone."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from appliance.store import chain
from appliance.store.chain import Head, StoredRow

START = chain.genesis("bench-1")
INTEGERS = st.integers(min_value=-(2**63), max_value=2**63 - 1)
CONTENTS = st.lists(
    st.tuples(INTEGERS, INTEGERS, st.binary(max_size=12), st.binary(max_size=40)), min_size=2, max_size=12
)


def chained(contents: list[tuple[int, int, bytes, bytes]]) -> list[StoredRow]:
    """Return the rows of these contents as they are stored."""
    rows: list[StoredRow] = []
    previous = START.hash
    for sequence, content in enumerate(contents, start=1):
        previous = chain.link(previous, sequence, *content)
        rows.append(StoredRow(sequence, *content, previous))
    return rows


@given(CONTENTS)
def test_what_was_written_is_whole(contents: list[tuple[int, int, bytes, bytes]]) -> None:
    """Any rows form a whole chain; it fails if some content cannot be chained."""
    rows = chained(contents)
    assert chain.inspect(rows, START) == (Head(len(rows), rows[-1].hash), None)


def changed(value: int | bytes, data: st.DataObject) -> int | bytes:
    """Return a value with one bit changed, or one byte more."""
    bit = data.draw(st.integers(0, 62))
    if isinstance(value, int):
        return value ^ (1 << bit)
    position = data.draw(st.integers(0, len(value)))
    byte = bit if position == len(value) else value[position] ^ (1 << bit % 8)
    return value[:position] + bytes([byte]) + value[position + 1 :]


@given(CONTENTS, st.data())
def test_any_changed_byte_is_found_at_its_row(
    contents: list[tuple[int, int, bytes, bytes]], data: st.DataObject
) -> None:
    """One changed bit in any column of any row is found there; it fails if a column is not bound."""
    rows = chained(contents)
    place = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.sampled_from(["wall_ns", "trace", "kind", "payload", "hash"]))
    values: dict[str, Any] = rows[place]._asdict()
    values[column] = changed(values[column], data)
    rows[place] = StoredRow(**values)
    damage = chain.inspect(rows, START).damage
    assert damage is not None
    assert damage.sequence == place + 1


@given(CONTENTS, st.data())
def test_a_row_taken_out_is_missed(contents: list[tuple[int, int, bytes, bytes]], data: st.DataObject) -> None:
    """Any row but the last, taken out, is named as missing, even when the rest is renumbered."""
    rows = chained(contents)
    place = data.draw(st.integers(0, len(rows) - 2))
    del rows[place]
    damage = chain.inspect(rows, START).damage
    assert damage is not None
    assert damage.sequence == place + 1
    renumbered = [row._replace(sequence=number) for number, row in enumerate(rows, start=1)]
    assert chain.inspect(renumbered, START).damage is not None


@given(CONTENTS, st.data())
def test_two_rows_swapped_are_found(contents: list[tuple[int, int, bytes, bytes]], data: st.DataObject) -> None:
    """Two rows that change places, with or without their hashes, are found; it fails if order is not bound."""
    rows = chained(contents)
    first = data.draw(st.integers(0, len(rows) - 2))
    second = data.draw(st.integers(first + 1, len(rows) - 1))
    with_hash = data.draw(st.booleans())
    left, right = rows[first], rows[second]
    if not with_hash and left[1:5] == right[1:5]:
        return
    rows[first] = right._replace(sequence=left.sequence, hash=right.hash if with_hash else left.hash)
    rows[second] = left._replace(sequence=right.sequence, hash=left.hash if with_hash else right.hash)
    damage = chain.inspect(rows, START).damage
    assert damage is not None
    assert damage.sequence == first + 1


@given(CONTENTS, st.data())
def test_a_cut_end_leaves_the_head_of_what_is_left(
    contents: list[tuple[int, int, bytes, bytes]], data: st.DataObject
) -> None:
    """Cut at any row, the chain is whole but its head is another; it fails if a published head could not tell."""
    rows = chained(contents)
    kept = data.draw(st.integers(0, len(rows) - 1))
    head, damage = chain.inspect(rows[:kept], START)
    assert damage is None
    assert head != Head(len(rows), rows[-1].hash)
