"""The page on which the reporter leaves a remote stop for the guardian.

The guardian has no network, so the message comes to it through a page in memory that the reporter alone writes: a
length, the message, and a CRC-32 of all before. The guardian trusts nothing of it. It reads with `pread` into its own
memory, as it does the heartbeat; a turn in which nothing changed compares what it read and makes nothing new.
"""

import contextlib
import os
import struct
import zlib
from pathlib import Path
from typing import Final

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.require import require
from appliance.safety.page import BootIdentity, claim, header
from appliance.safety.remote_stop import MESSAGE_BYTES_MAX

STOP_HEADER: Final = header(b"B4STOP", 1)
# header, boot high, boot low, length
HEAD: Final = struct.Struct("@4Q")
_SUM: Final = struct.Struct("@Q")
BODY_BYTES: Final = HEAD.size + MESSAGE_BYTES_MAX
_BLOCK_BYTES: Final = BODY_BYTES + _SUM.size
# A reporter that could not take its old page over has made another file.
_OPEN_AGAIN_NS: Final = NANOSECONDS_PER_SECOND


class StopPageWriter:
    """Hold the reporter's end."""

    __slots__ = ("_boot", "_bytes")

    def __init__(self, path: Path, boot: BootIdentity) -> None:
        """Take over the page; it says nothing yet."""
        self._bytes = claim(path, 0, boot).cast("B")
        self._boot = boot

    def leave(self, message: bytes) -> None:
        """Leave a message in place of the one before."""
        require(len(message) <= MESSAGE_BYTES_MAX, "a remote stop fits its page")
        body = HEAD.pack(STOP_HEADER, *self._boot, len(message)) + message.ljust(MESSAGE_BYTES_MAX, b"\0")
        self._bytes[:_BLOCK_BYTES] = body + _SUM.pack(zlib.crc32(body))


class StopPageReader:
    """Hold the guardian's end, which distrusts everything."""

    __slots__ = ("_block", "_boot", "_descriptor", "_open_ns", "_path", "_seen")

    def __init__(self, path: Path, boot: BootIdentity) -> None:
        """Remember where to look; the reporter may not have started yet."""
        self._path = path
        self._boot = boot
        self._descriptor = -1
        self._open_ns = 0
        self._block = bytearray(_BLOCK_BYTES)
        self._seen = bytearray(_BLOCK_BYTES)

    def read(self, now_ns: int) -> bytes | None:
        """Return a message that was not returned before, if a whole one is there."""
        if now_ns >= self._open_ns:
            self._open_ns = now_ns + _OPEN_AGAIN_NS
            self._open()
        if self._descriptor < 0:
            return None
        try:
            # What is cut short leaves the end of an older block here, and then the sum does not fit.
            os.preadv(self._descriptor, [self._block], 0)
        except OSError:
            return None
        return None if self._block == self._seen else self._message()

    def close(self) -> None:
        """Let go of the page."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _message(self) -> bytes | None:
        body = memoryview(self._block)[:BODY_BYTES]
        if zlib.crc32(body) != _SUM.unpack_from(self._block, BODY_BYTES)[0]:
            return None
        head, *boot, length = HEAD.unpack_from(self._block)
        self._seen[:] = self._block
        if head != STOP_HEADER or tuple(boot) != self._boot:
            return None
        return bytes(body[HEAD.size : HEAD.size + length])

    def _open(self) -> None:
        self.close()
        # A pipe in its place opens at once and then refuses to be read from a position.
        with contextlib.suppress(OSError):
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)


def stop_page_path(runtime: Path) -> Path:
    """Return where the reporter keeps the page."""
    return runtime / "reporter" / "remote-stop"
