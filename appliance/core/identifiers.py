"""Names that are made, not drawn: the same journal always yields the same ids.

A client id is the journal's tag and the sequence of the intent's row. The row is on the disk before the order is
sent, so no two sent orders can ever share an id, and a restart finds the same id again by reading the row.
Kraken's free-form cl_ord_id holds 18 characters (docs: "Add Order", cl_ord_id), which bounds the width.
"""

import hashlib

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_BITS = 5
_SEQUENCE_DIGITS = 8
_TAG_DIGITS = 5
CLIENT_ID_LENGTH = 2 + _TAG_DIGITS + 1 + _SEQUENCE_DIGITS


def _base32(number: int, digits: int) -> str:
    letters = []
    for _ in range(digits):
        letters.append(_ALPHABET[number & (1 << _BITS) - 1])
        number >>= _BITS
    return "".join(reversed(letters))


def journal_tag(device: str, created_wall_ns: int) -> str:
    """Return the short name of one journal: another device or another journal has another one."""
    digest = hashlib.sha256(f"{device}\n{created_wall_ns}".encode()).digest()
    return _base32(int.from_bytes(digest[:8], "big"), _TAG_DIGITS)


def client_id(tag: str, sequence: int) -> str:
    """Return the id under which the venue knows the intent stored in that row."""
    return f"b4{tag}-{_base32(sequence, _SEQUENCE_DIGITS)}"


def sequence_of(identifier: str, tag: str) -> int | None:
    """Return the row a client id was made from, or None when it is not one of this journal's."""
    prefix = f"b4{tag}-"
    digits = identifier.removeprefix(prefix)
    if not identifier.startswith(prefix) or len(digits) != _SEQUENCE_DIGITS:
        return None
    number = 0
    for letter in digits:
        position = _ALPHABET.find(letter)
        if position < 0:
            return None
        number = number << _BITS | position
    return number


def trace_id(boot_count: int, event_count: int) -> int:
    """Return the number that ties a tick to the fill it led to; unique over restarts."""
    return boot_count << 40 | event_count
