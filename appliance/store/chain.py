"""The chain that ties every row of the journal to all rows before it.

Theory of operation. Each row is stored with

    hash(n) = SHA-256( hash(n-1) || header(n) || kind || payload )
    header  = sequence, wall_ns, trace (64-bit signed), length of kind, length of payload (32-bit), big-endian

and hash(0) is derived from the device's name. Lengths stand before the two parts of variable length, so no two
different rows have the same bytes. An edit, a deletion, an insertion or a swap anywhere changes every hash after it.
Rows cut off at the very end leave a shorter chain that is whole in itself: only a head published elsewhere tells (see
`verify --head`).

Everything here is pure. Rows arrive as they are stored, with their texts as bytes, so that damage of any kind can be
named.
"""

import hashlib
import itertools
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

HASH_BYTES = 32
FIRST_SEQUENCE = 1
LOOK_AHEAD_ROWS_MAX = 64

_HEADER = struct.Struct(">qqqII")
_GENESIS_PREFIX = b"bot4-edge journal chain 1\x00"


class StoredRow(NamedTuple):
    """Hold one row as it lies in the database."""

    sequence: int
    wall_ns: int
    trace: int
    kind: bytes
    payload: bytes
    hash: bytes


class Head(NamedTuple):
    """Name the last row of a chain: nothing before it can change without changing this."""

    sequence: int
    hash: bytes

    def __str__(self) -> str:
        """Return the form in which a head is published and typed."""
        return f"{self.sequence}:{self.hash.hex()}"


class Damage(NamedTuple):
    """Name the first bad row and what is wrong with it."""

    sequence: int
    what: str

    def __str__(self) -> str:
        """Return the sentence's middle, for any report."""
        return f"row {self.sequence}: {self.what}"


class Inspection(NamedTuple):
    """Tell how far a chain is whole, and what ends it if it is damaged."""

    head: Head
    damage: Damage | None


def genesis(device: str) -> Head:
    """Return the head of a device's empty chain."""
    return Head(FIRST_SEQUENCE - 1, hashlib.sha256(_GENESIS_PREFIX + device.encode()).digest())


def link(previous: bytes, sequence: int, wall_ns: int, trace: int, kind: bytes, payload: bytes) -> bytes:
    """Return the hash of a row that follows the row with the hash `previous`."""
    header = _HEADER.pack(sequence, wall_ns, trace, len(kind), len(payload))
    return hashlib.sha256(b"".join((previous, header, kind, payload))).digest()


def inspect(stored: Iterable[tuple[int, int, int, bytes, bytes, bytes]], start: Head) -> Inspection:
    """Follow a chain from its start and stop at the first row that does not belong where it is."""
    rows = iter(stored)
    last, running = start
    for row in rows:
        sequence, wall_ns, trace, kind, payload, kept = row
        try:
            computed = link(running, sequence, wall_ns, trace, kind, payload)
        except (TypeError, struct.error):
            return Inspection(Head(last, running), Damage(sequence, "a column holds a value of a wrong type"))
        if sequence != last + 1 or computed != kept:
            damage = _diagnose(StoredRow(*row), computed, Head(last, running), rows)
            return Inspection(Head(last, running), damage)
        last, running = sequence, computed
    return Inspection(Head(last, running), None)


def parse_head(text: str) -> Head | None:
    """Return the head written as SEQUENCE:HASH, or nothing if it is not one."""
    sequence, _, digest = text.partition(":")
    if not (sequence.isascii() and sequence.isdecimal()):
        return None
    try:
        hash_bytes = bytes.fromhex(digest)
    except ValueError:
        return None
    return Head(int(sequence), hash_bytes) if len(hash_bytes) == HASH_BYTES else None


def _diagnose(
    row: StoredRow, computed: bytes, before: Head, following: Iterator[tuple[int, int, int, bytes, bytes, bytes]]
) -> Damage:
    wanted = before.sequence + 1
    if row.sequence > wanted:
        span = f"{wanted} is" if row.sequence == wanted + 1 else f"{wanted} to {row.sequence - 1} are"
        return Damage(wanted, f"missing; {span} not in the journal")
    if row.sequence < wanted:
        return Damage(row.sequence, f"stands where {wanted} should stand")
    near = [StoredRow(*other) for other in itertools.islice(following, LOOK_AHEAD_ROWS_MAX)]
    return Damage(wanted, _why_unlinked(row, computed, before.hash, near))


def _why_unlinked(row: StoredRow, computed: bytes, before: bytes, near: list[StoredRow]) -> str:
    if any(_belongs(other, row.sequence, before, row, near) for other in near):
        return "reordered; another row's content belongs here"
    if near and _follows(near[0], row.hash):
        return "edited; its content is not what its hash was made from (or the row before was replaced with its hash)"
    if near and _follows(near[0], computed):
        return "bad hash; its content is whole but its stored hash was changed"
    return "edited or not the row written here; neither it nor the row after it fits the chain"


def _belongs(other: StoredRow, sequence: int, before: bytes, row: StoredRow, near: list[StoredRow]) -> bool:
    try:
        moved = link(before, sequence, other.wall_ns, other.trace, other.kind, other.payload)
    except (TypeError, struct.error):
        return False
    return moved == row.hash or any(moved == neighbour.hash for neighbour in near)


def _follows(row: StoredRow, previous: bytes) -> bool:
    try:
        return link(previous, *row[:5]) == row.hash
    except (TypeError, struct.error):
        return False
