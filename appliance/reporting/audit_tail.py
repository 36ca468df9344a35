"""The end of the guardian's audit log, as the guardian shows it in its runtime folder.

The log itself is the guardian's alone. What it shows is a copy of the last lines, chained like the log, so a line that
was changed on the way is seen and not shown.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import msgspec

from appliance.reporting.amounts import duration_ns
from appliance.safety.audit_chain import Head, follow

TAIL_NAME = "guardian/audit.tail"
_TAIL_BYTES_MAX = 128 << 10


class AuditEntry(msgspec.Struct, frozen=True, gc=False):
    """Carry one entry in words."""

    sequence: int
    wall_ms: int
    event: str
    detail: str


class AuditTail:
    """Read the shown lines when somebody asks."""

    __slots__ = ("_path",)

    def __init__(self, runtime: Path) -> None:
        """Look below this runtime folder."""
        self._path = runtime / TAIL_NAME

    def head(self) -> str | None:
        """Return the last entry as SEQUENCE:DIGEST, or nothing where none is shown or the lines are not whole."""
        found = follow(self._lines(), None)
        return f"{found.sequence}:{found.digest}" if isinstance(found, Head) and found.sequence else None

    def entries(self) -> tuple[AuditEntry, ...]:
        """Return the shown entries, oldest first; none if the lines are not whole."""
        lines = self._lines()
        return tuple(map(_entry, lines)) if isinstance(follow(lines, None), Head) else ()

    def _lines(self) -> list[bytes]:
        try:
            with self._path.open("rb") as file:
                return file.read(_TAIL_BYTES_MAX).splitlines(keepends=True)
        except OSError:
            return []


def _entry(line: bytes) -> AuditEntry:
    fields = json.loads(line)
    words = _in_words(str(fields["event"]), fields["detail"])
    return AuditEntry(fields["sequence"], fields["wall_ns"] // 1_000_000, *words)


def _in_words(event: str, detail: Mapping[str, str | int]) -> tuple[str, str]:
    """Return an entry as a person reads it: title and detail; what is not known here is told field by field."""
    title = event.replace("-", " ")
    match detail:
        case {"old": old, "new": new, "heartbeat": heartbeat, "lamp": lamp}:
            return f"{title}: {old} → {new}", f"heartbeat {str(heartbeat).lower()}, lamp {lamp}"
        case {"cause": cause, "latch_sequence": number, **times}:
            return title, f"stop {number}, by {str(cause).replace('_', ' ').lower()}{_withdrawal(times)}"
        case {"key": key, "signed_wall_ms": _}:
            return title, f"signed by the key {key}"
        case {"latched": latched} if event == "guardian-started":
            return title, "the stop is latched" if latched else "the stop is clear"
    return title, ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in sorted(detail.items()))


def _withdrawal(times: Mapping[str, str | int]) -> str:
    """Return how long the contact had been open when permission went, where that was measured."""
    match times:
        case {"opened_ns": int(opened_ns), "withdrawn_ns": int(withdrawn_ns)} if withdrawn_ns >= opened_ns > 0:
            return f"; permission withdrawn {duration_ns(withdrawn_ns - opened_ns)} after the contact opened"
    return ""
