"""The end of the guardian's audit log, as the guardian shows it in its runtime folder.

The log itself is the guardian's alone. What it shows is a copy of the last lines, chained like the log, so a line that
was changed on the way is seen and not shown.
"""

import json
from pathlib import Path

import msgspec

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
    detail = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in sorted(fields["detail"].items()))
    return AuditEntry(fields["sequence"], fields["wall_ns"] // 1_000_000, str(fields["event"]), detail)
