"""The audit chain: any edit, removal, addition or reorder of lines is found."""

import json

import pytest

from appliance.safety.audit_chain import Damage, Head, entry, follow


def _lines(count: int = 6) -> list[bytes]:
    head, lines = Head(), []
    for number in range(count):
        line, head = entry(head, "latched", {"number": number}, wall_ns=number, monotonic_ns=number)
        lines.append(line)
    return lines


def test_an_untouched_chain_is_followed_to_its_head() -> None:
    """The whole chain is accepted, from the start or from a head inside it; it fails if checking were too strict."""
    lines = _lines()
    head = follow(lines, Head())
    assert isinstance(head, Head)
    assert head.sequence == 6
    assert follow(lines[3:], Head(3, json.loads(lines[2])["digest"])) == head
    assert follow(lines[3:], None) == head


def test_every_edited_byte_is_found() -> None:
    """Each single byte of each line is covered; it fails for any byte that may change unseen."""
    lines = _lines(3)
    for number, line in enumerate(lines):
        for byte in range(len(line)):
            edited = line[:byte] + bytes([line[byte] ^ 1]) + line[byte + 1 :]
            assert isinstance(follow([*lines[:number], edited, *lines[number + 1 :]], Head()), Damage)


@pytest.mark.parametrize("number", range(5))
def test_a_removed_doubled_or_moved_line_is_found(number: int) -> None:
    """The line after the wound is named; it fails if lines were checked one by one only."""
    lines = _lines()
    for damaged in (
        [*lines[:number], *lines[number + 1 :]],
        [*lines[: number + 1], *lines[number:]],
        [*lines[:number], lines[number + 1], lines[number], *lines[number + 2 :]],
    ):
        found = follow(damaged, Head())
        assert isinstance(found, Damage)
        assert "does not follow" in found.explanation


def test_an_edit_with_a_new_digest_is_found_at_the_next_line() -> None:
    """Re-hashing one line breaks the next; it fails if digests were not chained."""
    lines = _lines()
    forged, _ = entry(Head(2, json.loads(lines[1])["digest"]), "latched", {"number": 99}, wall_ns=2, monotonic_ns=2)
    found = follow([*lines[:2], forged, *lines[3:]], Head())
    assert isinstance(found, Damage)
    assert found.line_count == 4


@pytest.mark.parametrize(
    "line", [b"", b"\n", b"{}\n", b"[]\n", b"null\n", b"\xff\n", b'{"a":1}', b"[" * 3000 + b"\n", b"1" * 5000 + b"\n"]
)
def test_anything_else_is_no_entry(line: bytes) -> None:
    """Foreign lines give a verdict, never an exception; it fails if decoding raised."""
    assert isinstance(follow([line], Head()), Damage)


def test_another_spelling_of_the_same_entry_is_refused() -> None:
    """There is one way to write an entry; it fails if spaces or doubled keys could hide beside it."""
    line = _lines(1)[0]
    assert isinstance(follow([line.replace(b":", b": ", 1)], Head()), Damage)
    assert isinstance(follow([line.replace(b"{", b'{"event":"other",', 1)], Head()), Damage)
