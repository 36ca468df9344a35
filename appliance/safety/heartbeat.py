"""The heartbeat: what the trader says about itself, and what the guardian makes of it.

The trader alone writes the page. It is written as one block that ends in a CRC-32 of everything before it, so a
reader that catches half of a write sees a wrong sum and keeps to what it read last, which then grows old.

The guardian believes nothing here that could make it permit more than it otherwise would: it reads with `pread`
instead of a mapping (a trader that shrinks its own file would kill a reader that has it mapped), and refuses unknown
modes, impossible process ids, beats from the future, and pages of another boot.
"""

import os
import stat
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.safety.modes import Mode
from appliance.safety.page import WORD_BYTES, WORD_MASK, BootIdentity, claim, header

HEARTBEAT_HEADER: Final = header(b"B4BEAT", 1)
PID_MAX: Final = 1 << 22  # the kernel's own limit on 64-bit machines, proc(5)
FUTURE_NS_MAX: Final = NANOSECONDS_PER_SECOND // 100

# header, boot high, boot low, beat_ns, pid, mode, loop, journal, input, acknowledged latch, open entries, flags
_BODY: Final = struct.Struct("@12Q")
_SUM: Final = struct.Struct("@Q")
_BLOCK_BYTES: Final = _BODY.size + WORD_BYTES
_FLAT_FLAG: Final = 1
_STOPPING_FLAG: Final = 2


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Carry one report of the trader; counters only ever grow."""

    beat_ns: int
    pid: int
    mode: Mode
    loop_count: int
    journal_count: int
    input_count: int
    acknowledged_latch_sequence: int
    open_entries_count: int
    verified_flat: bool
    stopping: bool


class HeartbeatWriter:
    """Hold the trader's end of the heartbeat."""

    __slots__ = ("_block", "_boot", "_bytes")

    def __init__(self, path: Path, boot: BootIdentity) -> None:
        """Take over the page; it says nothing until the first beat."""
        self._bytes = claim(path, 0, boot).cast("B")
        self._boot = boot
        self._block = bytearray(_BLOCK_BYTES)

    def beat(self, report: Heartbeat) -> None:
        """Write a report with its sum."""
        flags = _FLAT_FLAG * report.verified_flat | _STOPPING_FLAG * report.stopping
        _BODY.pack_into(
            self._block,
            0,
            HEARTBEAT_HEADER,
            *self._boot,
            report.beat_ns,
            report.pid,
            report.mode,
            report.loop_count,
            report.journal_count,
            report.input_count,
            report.acknowledged_latch_sequence,
            report.open_entries_count,
            flags,
        )
        _SUM.pack_into(self._block, _BODY.size, zlib.crc32(memoryview(self._block)[: _BODY.size]))
        self._bytes[:_BLOCK_BYTES] = self._block


class HeartbeatReader:
    """Hold the guardian's end of the heartbeat, which distrusts everything."""

    __slots__ = ("_block", "_boot", "_descriptor", "_path")

    def __init__(self, path: Path, boot: BootIdentity) -> None:
        """Remember where to look; the trader may not have started yet."""
        self._path = path
        self._boot = boot
        self._descriptor = -1
        self._block = bytearray(_BLOCK_BYTES)

    def owner_uid(self) -> int | None:
        """Return who owns the page that is being read."""
        return os.fstat(self._descriptor).st_uid if self._descriptor >= 0 else None

    def refresh(self) -> None:
        """Open the page again: a trader that started anew may have made another file."""
        self.close()
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            self._descriptor = descriptor
        else:
            os.close(descriptor)

    def read(self, now_ns: int) -> Heartbeat | None:
        """Return the report on the page, or nothing if any part of it cannot be true."""
        if self._descriptor < 0:
            return None
        try:
            length_bytes = os.preadv(self._descriptor, [self._block], 0)
        except OSError:
            return None
        if length_bytes != _BLOCK_BYTES:
            return None
        if zlib.crc32(memoryview(self._block)[: _BODY.size]) != _SUM.unpack_from(self._block, _BODY.size)[0]:
            return None
        return _believe(_BODY.unpack_from(self._block), self._boot, now_ns)

    def close(self) -> None:
        """Let go of the page."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def heartbeat_path(runtime: Path) -> Path:
    """Return where the trader keeps the heartbeat page."""
    return runtime / "trader" / "heartbeat"


def _believe(words: tuple[int, ...], boot: BootIdentity, now_ns: int) -> Heartbeat | None:
    head, boot_high, boot_low, beat_ns, pid, mode, loop, journal, inputs, acknowledged, entries, flags = words
    if head != HEARTBEAT_HEADER or (boot_high, boot_low) != boot:
        return None
    if not 0 < beat_ns <= now_ns + FUTURE_NS_MAX or not 1 < pid <= PID_MAX:
        return None
    if mode not in Mode.__members__.values() or flags & ~(_FLAT_FLAG | _STOPPING_FLAG) & WORD_MASK:
        return None
    return Heartbeat(
        beat_ns=beat_ns,
        pid=pid,
        mode=Mode(mode),
        loop_count=loop,
        journal_count=journal,
        input_count=inputs,
        acknowledged_latch_sequence=acknowledged,
        open_entries_count=entries,
        verified_flat=flags & _FLAT_FLAG != 0,
        stopping=flags & _STOPPING_FLAG != 0,
    )
