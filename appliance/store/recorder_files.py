"""The files of one recorded session, and what they may take of the disk and of the card's life.

Everything here runs on the recorder's thread and raises when the session must stop; the recorder decides what then.
A file may exceed its limit by one batch. Before each new file the oldest sessions are deleted until the new one fits;
the session being recorded is never touched, because without its first file the rest cannot be replayed.

The day's budget counts what was written today by all sessions, so that a trader that restarts over and over does not
get a budget each time. Earlier sessions are counted by the files that were last written today, which errs toward less.
"""

import contextlib
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
import zstandard

from appliance.core.clock import NANOSECONDS_PER_DAY, Clock
from appliance.core.commands import AnyCommand
from appliance.core.errors import DiskFull, StoreFailure
from appliance.core.events import AnyEvent
from appliance.market import recording
from appliance.market.recording import CRASHED, AnyMarker, Continued, End, Start, Stopped
from appliance.store import recordings

# One step until it is encoded: when, what, and what came of it; None there means that the step crashed.
Taken = tuple[int, AnyEvent, Sequence[AnyCommand] | None]
_MODE = 0o640


class RecorderLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bound what may wait, what is written and how much of the disk it takes."""

    file_bytes_max: int
    total_bytes_max: int
    bytes_per_day_max: int
    disk_free_bytes_min: int = 64 * 1024 * 1024
    queue_events_max: int = 65_536
    batch_events_max: int = 128
    flush_interval_s: float = 1.0


class RecorderFiles:
    """Write one session's files."""

    def __init__(self, folder: Path, limits: RecorderLimits, clock: Clock) -> None:
        self.events_count = 0
        self.session_bytes = 0
        self._folder = folder
        self._limits = limits
        self._clock = clock
        self._start: Start | None = None
        self._session = 0
        self._file_number = 0
        self._file_bytes = 0
        self._descriptor: int | None = None
        self._compressor = recording.compressor()
        self._flushed_count = 0
        self._commands_count = 0
        self._commands_digest = hashlib.sha256()
        self._day = -1
        self._day_bytes = 0

    def begin(self, start: Start) -> None:
        """Make the folder and the session's first file."""
        self._folder.mkdir(parents=True, exist_ok=True)
        taken = [session.number for session in recordings.sessions_in(self._folder)]
        self._session = max(start.boot_count, *(number + 1 for number in taken), 0)
        self._start = start
        self._open(start)

    def write(self, batch: Sequence[Taken]) -> None:
        """Write some steps, going on in a new file when this one is long enough."""
        if not batch:
            return
        if self._file_bytes >= self._limits.file_bytes_max:
            self._go_on()
        data = self._compressor.compress(recording.step_lines([self._line_of(taken) for taken in batch]))
        self.events_count += len(batch)
        self._keep(data)

    def flush(self) -> None:
        """Let everything so far reach the kernel, and look after the disk."""
        self._keep(self._compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
        self._flushed_count = self.events_count
        status = os.statvfs(self._folder)
        free_bytes = status.f_bavail * status.f_frsize
        if free_bytes < self._limits.disk_free_bytes_min:
            raise DiskFull(f"only {free_bytes} bytes of the disk are free, {self._limits.disk_free_bytes_min} are kept")

    def end(self) -> None:
        """Write that the session ended in good order, and close."""
        digest = self._commands_digest.hexdigest()
        self._put(
            recording.marker_line(
                End(events_count=self.events_count, commands_count=self._commands_count, commands_digest=digest)
            )
        )
        self._finish_file()

    def give_up(self, reason: str) -> None:
        """Say in the file why it ends here if the disk still takes it, and close."""
        if self._descriptor is None:
            return
        # Where the marker cannot be written the file just ends, as after a kill; the reason is reported all the same.
        with contextlib.suppress(OSError, ValueError, zstandard.ZstdError):
            line = recording.marker_line(Stopped(events_count=self.events_count, reason=reason))
            _write_all(self._descriptor, self._compressor.compress(line) + self._compressor.flush())
        with contextlib.suppress(OSError):
            self._close()

    def _line_of(self, taken: Taken) -> tuple[int, AnyEvent] | tuple[int, AnyEvent, str]:
        now_ns, event, commands = taken
        if commands is None:
            return now_ns, event, CRASHED
        if not commands:
            return now_ns, event
        commands_bytes = recording.bytes_of(commands)
        self._commands_digest.update(commands_bytes)
        self._commands_count += len(commands)
        return now_ns, event, recording.digest_of_bytes(commands_bytes)

    def _go_on(self) -> None:
        self._finish_file()
        self._file_number += 1
        if self._start is not None:
            start = self._start
            self._open(
                Continued(
                    tag=start.tag,
                    boot_count=start.boot_count,
                    started_ns=start.now_ns,
                    file_number=self._file_number,
                    events_count=self.events_count,
                )
            )

    def _open(self, first: AnyMarker) -> None:
        self._spend(0)
        self._make_room()
        path = self._folder / recordings.file_name(self._session, self._file_number)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
        self._file_bytes = 0
        self._compressor = recording.compressor()
        self._put(recording.marker_line(first))
        self.flush()

    def _make_room(self) -> None:
        others = [one for one in recordings.sessions_in(self._folder) if one.number != self._session]
        total_bytes = self.session_bytes + sum(session.size_bytes for session in others)
        allowed_bytes = self._limits.total_bytes_max - self._limits.file_bytes_max
        for session in others:
            if total_bytes <= allowed_bytes:
                return
            total_bytes -= session.size_bytes
            recordings.delete(session)
        if total_bytes > allowed_bytes:
            raise StoreFailure(f"this session alone takes the {self._limits.total_bytes_max} bytes that all may take")

    def _put(self, lines: bytes) -> None:
        self._keep(self._compressor.compress(lines))

    def _keep(self, data: bytes) -> None:
        if self._descriptor is not None:
            try:
                _write_all(self._descriptor, data)
            except OSError:
                # Part of a block may be in the file: nothing that follows it could be read.
                self.events_count = self._flushed_count
                self._close()
                raise
        self._file_bytes += len(data)
        self.session_bytes += len(data)
        self._spend(len(data))

    def _spend(self, size_bytes: int) -> None:
        """Count bytes of the day; they are written already, because the compressor cannot take them back."""
        day = self._clock.wall_ns() // NANOSECONDS_PER_DAY
        if day > self._day:
            self._day = day
            self._day_bytes = self._written_by_others(day)
        self._day_bytes += size_bytes
        if self._day_bytes >= self._limits.bytes_per_day_max:
            raise StoreFailure(f"the day's {self._limits.bytes_per_day_max} bytes are written")

    def _written_by_others(self, day: int) -> int:
        statuses = [
            path.stat()
            for session in recordings.sessions_in(self._folder)
            if session.number != self._session
            for path in session.paths
        ]
        return sum(status.st_size for status in statuses if status.st_mtime_ns // NANOSECONDS_PER_DAY == day)

    def _finish_file(self) -> None:
        self._keep(self._compressor.flush())
        self._close()

    def _close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
