"""The audit log's chain: each line carries the digest of the line before it, so an edit shows from there on.

A line is one JSON object in canonical form (sorted keys, no spaces, ASCII), ending in a newline:

    {"detail":{...},"digest":"...","event":"...","monotonic_ns":n,"previous":"...","sequence":n,"wall_ns":n}

`digest` is the SHA-256 of the same object without `digest`, in the same form. A line is accepted only if encoding
what was read gives the same bytes again, so there is exactly one way to write an entry and nothing can hide beside
it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

GENESIS: Final = "0" * 64
LINE_BYTES_MAX: Final = 4096
_KEYS: Final = frozenset({"detail", "digest", "event", "monotonic_ns", "previous", "sequence", "wall_ns"})

Detail = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Head:
    """Name the last entry of a chain."""

    sequence: int = 0
    digest: str = GENESIS


@dataclass(frozen=True, slots=True)
class Damage:
    """Name the first line that does not belong where it stands, and what is wrong with it."""

    line_count: int
    explanation: str


NO_ENTRY: Final = Damage(1, "is not an entry")


def entry(head: Head, event: str, detail: Detail, *, wall_ns: int, monotonic_ns: int) -> tuple[bytes, Head]:
    """Return the line that follows a head, and the new head."""
    fields: dict[str, Any] = {
        "detail": dict(detail),
        "event": event,
        "monotonic_ns": monotonic_ns,
        "previous": head.digest,
        "sequence": head.sequence + 1,
        "wall_ns": wall_ns,
    }
    digest = hashlib.sha256(_canonical(fields)).hexdigest()
    return _canonical({**fields, "digest": digest}) + b"\n", Head(head.sequence + 1, digest)


def follow(lines: Iterable[bytes], head: Head | None) -> Head | Damage:
    """Check lines against the head before them (None: trust the first line's) and return the head after them."""
    for number, line in enumerate(lines, start=1):
        fields = _decode(line)
        if fields is None:
            return Damage(number, NO_ENTRY.explanation)
        found = {key: value for key, value in fields.items() if key != "digest"}
        if hashlib.sha256(_canonical(found)).hexdigest() != fields["digest"]:
            return Damage(number, "was edited: its digest does not match its content")
        if head is not None and (fields["sequence"], fields["previous"]) != (head.sequence + 1, head.digest):
            return Damage(number, "does not follow the entry before it: something was removed, added or moved")
        head = Head(fields["sequence"], fields["digest"])
    return head or Head()


def _canonical(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def _decode(line: bytes) -> dict[str, Any] | None:
    if len(line) > LINE_BYTES_MAX or not line.endswith(b"\n"):
        return None
    try:
        fields = json.loads(line)
        if not isinstance(fields, dict) or fields.keys() != _KEYS or _canonical(fields) + b"\n" != line:
            return None
    except (ValueError, RecursionError):
        return None
    whole = isinstance(fields["sequence"], int) and fields["sequence"] > 0
    return fields if whole and isinstance(fields["digest"], str) and isinstance(fields["previous"], str) else None
