"""Writing to systemd's journal with fields, or plainly to standard error where there is none.

Written by hand instead of using systemd-python for the reason that `hardware/watchdog.py` gives. The protocol is
systemd's native one: a datagram of fields, each `NAME=value` and a newline, or, for a value with newlines in it,
`NAME`, a newline, the length as 64 bits little-endian, the value and a newline. A datagram that does not get through
is written to standard error instead, which systemd keeps too, so nothing is lost but the fields.
"""

import logging
import re
import socket
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SOCKET: Final = Path("/run/systemd/journal/socket")
VALUE_BYTES_MAX: Final = 16 << 10
_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_PRIORITIES: Final = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
FIELDS: Final = "bot4_fields"


class Journald:
    """Say lines with fields."""

    def __init__(self, identifier: str, environment: Mapping[str, str], address: Path = SOCKET) -> None:
        """Speak as this identifier; systemd says in JOURNAL_STREAM that its journal reads our standard error."""
        self._identifier = identifier
        self._socket: socket.socket | None = None
        self.failed_count = 0
        if "JOURNAL_STREAM" in environment:
            self._socket = _connect(address)

    @property
    def connected(self) -> bool:
        """Tell whether lines reach the journal with their fields."""
        return self._socket is not None

    def tell(self, line: str) -> None:
        """Say one line."""
        self.say(line)

    def say(self, line: str, level: int = logging.INFO, fields: Mapping[str, object] | None = None) -> None:
        """Say one line with fields; names that the journal would not take are left out."""
        if self._socket is not None:
            named = {"MESSAGE": line, "PRIORITY": _priority(level), "SYSLOG_IDENTIFIER": self._identifier}
            try:
                self._socket.send(encode({**named, **(fields or {})}))
            except OSError:
                self.failed_count += 1
            else:
                return
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class JournaldHandler(logging.Handler):
    """Carry the standard library's log records, with the fields that `extra` brought, to a journal."""

    def __init__(self, journald: Journald) -> None:
        """Write to this journal."""
        super().__init__()
        self._journald = journald

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            line = self.format(record)
            extra = getattr(record, FIELDS, None)
            fields = {"LOGGER": record.name, **(extra if isinstance(extra, dict) else {})}
            plain = line if self._journald.connected else f"{record.levelname} {record.name}: {line}"
            self._journald.say(plain, record.levelno, fields)
        except (ValueError, TypeError):
            self.handleError(record)


def encode(fields: Mapping[str, object]) -> bytes:
    """Return fields as one datagram."""
    parts = []
    for name, value in fields.items():
        if not _NAME.fullmatch(name):
            continue
        data = str(value).encode(errors="replace")[:VALUE_BYTES_MAX]
        if b"\n" in data:
            parts.append(name.encode() + b"\n" + struct.pack("<Q", len(data)) + data + b"\n")
        else:
            parts.append(name.encode() + b"=" + data + b"\n")
    return b"".join(parts)


def _priority(level: int) -> int:
    known = [priority for threshold, priority in sorted(_PRIORITIES.items()) if level >= threshold]
    return known[-1] if known else _PRIORITIES[logging.DEBUG]


def _connect(address: Path) -> socket.socket | None:
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        channel.connect(str(address))
    except OSError:
        channel.close()
        return None
    return channel
