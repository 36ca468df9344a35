"""The halt latch's record: what survives a crash, a restart and a power cut.

One line of canonical JSON, then the SHA-256 of that line. Whatever cannot be read, does not match its digest or is not
exactly what would be written counts as latched. A missing record counts as latched too, unless nothing shows that this
appliance ever ran: then it is the first start, and the record is made before anything else happens.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.guardian.files import replace_durably
from appliance.safety.lease import LatchCause

_RECORD_BYTES_MAX: Final = 4096
_VERSION: Final = 2
_COUNT_MAX: Final = 1 << 62
_JOURNAL_NAMES: Final = ("journal*", "*/journal*")


@dataclass(frozen=True, slots=True)
class LatchRecord:
    """Hold what is remembered of the latch."""

    latched: bool
    cause: LatchCause
    latch_sequence: int
    start_sequence: int
    wall_ns: int
    # When the last remote stop that was taken had been signed: none that is not later counts.
    remote_ms: int = 0

    def set(self, cause: LatchCause, wall_ns: int) -> "LatchRecord":
        """Return the record of one more latching."""
        return replace(self, latched=True, cause=cause, latch_sequence=self.latch_sequence + 1, wall_ns=wall_ns)

    @classmethod
    def lost(cls, cause: LatchCause, wall_ns: int) -> "LatchRecord":
        """Count on from the date, so that no trader can have answered this latching before it happened."""
        counted = max(0, wall_ns // NANOSECONDS_PER_SECOND)
        return cls(latched=True, cause=cause, latch_sequence=counted, start_sequence=counted, wall_ns=wall_ns)

    def cleared(self, wall_ns: int) -> "LatchRecord":
        """Return the record after a granted start."""
        return replace(
            self, latched=False, cause=LatchCause.NONE, start_sequence=self.start_sequence + 1, wall_ns=wall_ns
        )


class LatchStore:
    """Keep the record on disk."""

    def __init__(self, path: Path, state: Path) -> None:
        """Remember where the record is and where traces of an earlier life would be."""
        self._path = path
        self._state = state

    def load(self, wall_ns: int) -> LatchRecord:
        """Read the record; everything doubtful is latched."""
        try:
            content = _read(self._path)
        except FileNotFoundError:
            return LatchRecord.lost(LatchCause.RECORD_MISSING, wall_ns) if self._ran_before() else _first(wall_ns)
        except OSError:
            return LatchRecord.lost(LatchCause.RECORD_DAMAGED, wall_ns)
        return _decode(content) or LatchRecord.lost(LatchCause.RECORD_DAMAGED, wall_ns)

    def save(self, record: LatchRecord) -> None:
        """Return only when the disk has kept the record."""
        replace_durably(self._path, _encode(record))

    def _ran_before(self) -> bool:
        if any(self._path.parent.glob("audit*")):
            return True
        return any(next(self._state.glob(name), None) is not None for name in _JOURNAL_NAMES)


def latch_path(state: Path) -> Path:
    """Return where the guardian keeps the record."""
    return state / "guardian" / "latch"


def _first(wall_ns: int) -> LatchRecord:
    return LatchRecord(latched=False, cause=LatchCause.NONE, latch_sequence=0, start_sequence=0, wall_ns=wall_ns)


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        return os.read(descriptor, _RECORD_BYTES_MAX)
    finally:
        os.close(descriptor)


def _encode(record: LatchRecord) -> bytes:
    fields = {**asdict(record), "cause": int(record.cause), "version": _VERSION}
    line = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n"
    return line + hashlib.sha256(line).hexdigest().encode("ascii") + b"\n"


def _decode(content: bytes) -> LatchRecord | None:
    try:
        fields = json.loads(content.split(b"\n", 1)[0])
        record = LatchRecord(
            latched=fields["latched"] is not False,
            cause=LatchCause(fields["cause"]),
            latch_sequence=int(fields["latch_sequence"]),
            start_sequence=int(fields["start_sequence"]),
            wall_ns=int(fields["wall_ns"]),
            remote_ms=int(fields["remote_ms"]),
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    counts = (record.latch_sequence, record.start_sequence, record.remote_ms)
    return record if _encode(record) == content and all(0 <= count < _COUNT_MAX for count in counts) else None
