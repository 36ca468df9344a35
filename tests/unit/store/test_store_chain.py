"""The chain as pure functions: what it binds, and how it names what is wrong."""

import hashlib
from collections.abc import Callable

import pytest

from appliance.store import chain
from appliance.store.chain import Head, StoredRow

START = chain.genesis("bench-1")


def built(count: int) -> list[StoredRow]:
    """Return a whole chain."""
    rows: list[StoredRow] = []
    previous = START.hash
    for sequence in range(1, count + 1):
        content = (sequence, sequence * 10, sequence * 100, b"order", b"payload %d" % sequence)
        previous = chain.link(previous, *content)
        rows.append(StoredRow(*content, previous))
    return rows


def found(rows: list[StoredRow]) -> str:
    """Return what is said of a chain."""
    return str(chain.inspect(rows, START).damage)


def test_a_link_is_the_documented_bytes() -> None:
    """A link is SHA-256 over exactly the bytes the header names; it fails if a field is left out or resized."""
    parts = b"".join(
        [
            bytes(32),
            (7).to_bytes(8, "big"),
            (-2).to_bytes(8, "big", signed=True),
            (3).to_bytes(8, "big"),
            (4).to_bytes(4, "big"),
            (2).to_bytes(4, "big"),
            b"fill",
            b"{}",
        ]
    )
    assert chain.link(bytes(32), 7, -2, 3, b"fill", b"{}") == hashlib.sha256(parts).digest()


def test_bytes_cannot_move_between_kind_and_payload() -> None:
    """Two rows whose kind and payload join to the same bytes differ; it fails if the lengths are not hashed."""
    assert chain.link(bytes(32), 1, 0, 0, b"ab", b"c") != chain.link(bytes(32), 1, 0, 0, b"a", b"bc")


def test_each_device_has_a_chain_of_its_own() -> None:
    """Another device's genesis differs; it fails if a journal could be passed off as another box's."""
    assert chain.genesis("bench-1") != chain.genesis("bench-2")


def test_a_whole_chain_has_a_head_and_no_damage() -> None:
    """An untouched chain ends in its last row's hash; it fails if the walk loses a row."""
    rows = built(5)
    assert chain.inspect(rows, START) == (Head(5, rows[-1].hash), None)
    assert chain.inspect([], START) == (START, None)


def edited_payload(rows: list[StoredRow]) -> None:
    """Change a payload."""
    rows[2] = rows[2]._replace(payload=b"something else")


def edited_time(rows: list[StoredRow]) -> None:
    """Change a time."""
    rows[2] = rows[2]._replace(wall_ns=1)


def bad_hash(rows: list[StoredRow]) -> None:
    """Change a stored hash."""
    rows[2] = rows[2]._replace(hash=bytes(32))


def deleted(rows: list[StoredRow]) -> None:
    """Take a row out."""
    del rows[2]


def two_deleted(rows: list[StoredRow]) -> None:
    """Take two rows out."""
    del rows[2:4]


def swapped_contents(rows: list[StoredRow]) -> None:
    """Swap what two rows say."""
    rows[2], rows[3] = rows[3]._replace(sequence=3, hash=rows[2].hash), rows[2]._replace(sequence=4, hash=rows[3].hash)


def swapped_whole(rows: list[StoredRow]) -> None:
    """Swap two rows with their hashes."""
    rows[2], rows[3] = rows[3]._replace(sequence=3), rows[2]._replace(sequence=4)


def repeated(rows: list[StoredRow]) -> None:
    """Put a row in twice."""
    rows.insert(3, rows[2])


def rewritten_forward(rows: list[StoredRow]) -> None:
    """Replace a row together with its hash."""
    content = (3, 30, 300, b"order", b"forged")
    rows[2] = StoredRow(*content, chain.link(rows[1].hash, *content))


def last_edited(rows: list[StoredRow]) -> None:
    """Change the last row, which nothing follows."""
    rows[7] = rows[7]._replace(payload=b"something else")


def wrong_type(rows: list[StoredRow]) -> None:
    """Put a value of another type into a column."""
    rows[2] = rows[2]._replace(payload=None)  # type: ignore[arg-type]  # what a damaged file can hold


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (edited_payload, "row 3: edited; its content"),
        (edited_time, "row 3: edited; its content"),
        (bad_hash, "row 3: bad hash"),
        (deleted, "row 3: missing; 3 is"),
        (two_deleted, "row 3: missing; 3 to 4 are"),
        (swapped_contents, "row 3: reordered"),
        (swapped_whole, "row 3: reordered"),
        (repeated, "row 3: stands where 4 should stand"),
        (rewritten_forward, "row 4: edited; its content is not what its hash was made from (or the row before"),
        (last_edited, "row 8: edited or not the row written here"),
        (wrong_type, "row 3: a column holds a value of a wrong type"),
    ],
)
def test_damage_is_named(damage: Callable[[list[StoredRow]], None], expected: str) -> None:
    """Each kind of damage is found at its first row and called what it is; it fails if one passes or is misnamed."""
    rows = built(8)
    damage(rows)
    assert found(rows).startswith(expected)


def test_a_cut_end_is_whole_in_itself() -> None:
    """Rows cut off the end leave no damage; this is why heads are published, and it fails if that is forgotten."""
    assert chain.inspect(built(8)[:5], START).damage is None


def test_a_head_reads_as_it_is_written() -> None:
    """A published head survives being printed and typed; it fails if either side changes the form."""
    head = built(3)[-1]
    assert chain.parse_head(str(Head(3, head.hash))) == Head(3, head.hash)


@pytest.mark.parametrize("text", ["", "3", "3:", "3:zz", "-3:" + "00" * 32, "3:" + "00" * 31, "٣:" + "00" * 32])
def test_what_is_no_head_is_refused(text: str) -> None:
    """A mistyped head is no head; it fails if a short or odd one is compared as if it were whole."""
    assert chain.parse_head(text) is None
