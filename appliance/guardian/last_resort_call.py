"""The guardian's call to the parked last resort: made ahead, told its word, polled; never waited for.

The guardian opens no network and starts no program. What reaches the venue for it is a service of its own, and all
that goes between them are lines over a local socket:

    parked     armed        the call is taken, and everything is loaded
    guardian   cancel       the policy
    parked     started      from here on it acts
    parked     {"verified"  what came of it; then it hangs up

The kernel adds to a line who wrote it, SCM_CREDENTIALS of unix(7), so a process that is called and does not answer can
be ended by its number without believing what it says of itself. Who keeps it parked starts another.
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from appliance.guardian.enforcement import Identity, end_process, identify

OUTPUT_BYTES_MAX: Final = 4096
ARMED: Final = b"armed\n"
STARTED: Final = b"started\n"
_CREDENTIALS: Final = struct.Struct("iII")


def call_path(runtime: Path) -> Path:
    """Return where a parked last resort listens."""
    return runtime / "last-resort" / "call"


@dataclass(frozen=True, slots=True)
class Ended:
    """Carry the last line that was heard before the call ended."""

    last_line: bytes


class ParkedCall:
    """Hold one call."""

    def __init__(self, path: Path) -> None:
        """Connect, or raise OSError; a process that is still starting takes the call when it is ready."""
        import socket  # noqa: PLC0415 - the guardian holds no socket before it has one to open

        self._credentials = (socket.SOL_SOCKET, socket.SCM_CREDENTIALS)
        self._notes_bytes = socket.CMSG_SPACE(_CREDENTIALS.size)
        self._heard = b""
        self._peer: Identity | None = None
        self._ended = False
        self._channel: Any = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            self._channel.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            self._channel.connect(os.fspath(path))
        except OSError:
            self._channel.close()
            raise

    @property
    def armed(self) -> bool:
        """Tell whether it had said that it is ready when it was polled last."""
        return self._heard.startswith(ARMED)

    @property
    def started(self) -> bool:
        """Tell whether it had said that it acts when it was polled last."""
        return self._heard.startswith(ARMED + STARTED)

    def go(self, word: str) -> bool:
        """Tell it what to do; a process that is still starting will read it when it is ready."""
        try:
            self._channel.send(word.encode("ascii") + b"\n")
        except OSError:
            return False
        return True

    def poll(self) -> Ended | None:
        """Return what was heard last, once the call has ended."""
        self._listen()
        if not self._ended:
            return None
        self.close()
        return Ended(self._heard.rstrip(b"\n").rpartition(b"\n")[2])

    def kill(self) -> None:
        """End the process, if the kernel has told which it is, and the call."""
        if self._peer is not None:
            end_process(self._peer)
        self.close()

    def close(self) -> None:
        """Hang up; one that was told nothing does nothing."""
        self._ended = True
        self._channel.close()

    def _listen(self) -> None:
        try:
            while not self._ended:
                line, notes, _, _ = self._channel.recvmsg(OUTPUT_BYTES_MAX, self._notes_bytes)
                self._take(line, notes)
        except BlockingIOError:
            return
        except OSError:
            self._ended = True

    def _take(self, line: bytes, notes: list[tuple[int, int, bytes]]) -> None:
        # A peer that says more than the longest answer is not what it should be.
        if not line or len(self._heard) + len(line) > OUTPUT_BYTES_MAX:
            self._ended = True
            return
        self._heard += line
        for level, kind, note in notes:
            if self._peer is None and (level, kind) == self._credentials:
                pid, uid, _ = _CREDENTIALS.unpack(note)
                self._peer = identify(pid, uid)
