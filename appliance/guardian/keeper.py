"""The guardian's only hand on the disk: one thread writes, so that nothing else ever waits for a card.

The loop hands in a latch record or a note and goes on. Of latch records only the newest counts, and it goes before
every note: a press that meets a start still being written is written after it, never under it. What was kept is read
back by the loop, because a start must not count before. The disk is opened on the same thread, since a card can hang
there as well.

Trouble is a write that failed, notes that no longer fit the queue, or a disk that kept nothing of what waits for
longer than the limit. It is never taken back: a person has to look at the card.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from appliance.core.clock import NANOSECONDS_PER_SECOND, Clock
from appliance.core.errors import StoreFailure
from appliance.guardian.latch import LatchRecord
from appliance.safety.audit_chain import Detail

NOTES_COUNT_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class Note:
    """Carry one line of the audit log and when it happened."""

    event: str
    detail: Detail
    wall_ns: int
    monotonic_ns: int


class Disk(Protocol):
    """Keep what it is given, or raise StoreFailure."""

    def save(self, record: LatchRecord) -> None:
        """Return when the record is kept."""
        ...

    def append(self, note: Note) -> None:
        """Return when the note is kept."""
        ...


class Keeper:
    """Take records and notes without waiting, and write them."""

    def __init__(self, clock: Clock, disk_ns_max: int, wake: Callable[[], None]) -> None:
        """Begin without a disk; `wake` is called whenever something was kept or failed."""
        self._clock = clock
        self._disk_ns_max = disk_ns_max
        self._wake = wake
        self._changed = threading.Condition()
        self._disk: Disk | None = None
        self._record: LatchRecord | None = None
        self._notes: deque[Note] = deque()
        self._waiting_since_ns: int | None = None
        self._kept: LatchRecord | None = None
        self._failure = ""
        self._ending = False
        self.lost_count = 0

    def start(self, open_disk: Callable[[], Disk]) -> None:
        """Open the disk and write to it on a thread of its own."""
        threading.Thread(target=self._run, args=(open_disk,), name="keeper", daemon=True).start()

    def await_disk(self) -> bool:
        """Wait for the disk to open, as long as it may take, and tell whether it did."""
        with self._changed:
            timeout_s = self._disk_ns_max / NANOSECONDS_PER_SECOND
            self._changed.wait_for(lambda: self._disk is not None or self._failure, timeout_s)
            if self._disk is None and not self._failure:
                self._failure = "the disk did not open in time"
            return self._disk is not None

    def keep(self, record: LatchRecord) -> None:
        """Hand in a latch record; one that still waits is no longer wanted."""
        with self._changed:
            self._record = record
            self._handed_in()

    def note(self, event: str, detail: Detail) -> None:
        """Hand in a line of the audit log."""
        note = Note(event, detail, self._clock.wall_ns(), self._clock.monotonic_ns())
        with self._changed:
            if len(self._notes) >= NOTES_COUNT_MAX:
                self.lost_count += 1
                self._failure = self._failure or f"more than {NOTES_COUNT_MAX} notes wait for the disk"
                return
            self._notes.append(note)
            self._handed_in()

    def kept(self, record: LatchRecord) -> bool:
        """Tell whether this is the record that was kept last and no other waits."""
        with self._changed:
            return self._kept == record and self._record is None

    def trouble(self, now_ns: int) -> str:
        """Say what is wrong with the disk, if anything."""
        with self._changed:
            since_ns = self._waiting_since_ns
            if not self._failure and since_ns is not None and now_ns - since_ns > self._disk_ns_max:
                self._failure = "the disk kept nothing for longer than it may"
            return self._failure

    def flush(self, timeout_s: float) -> bool:
        """Wait a while for everything to be written, end the thread, and tell whether it was."""
        with self._changed:
            done = self._changed.wait_for(lambda: self._waiting_since_ns is None, timeout_s)
            self._ending = True
            self._changed.notify_all()
            return done

    def open(self, open_disk: Callable[[], Disk]) -> None:
        """Open the disk on the caller's thread."""
        try:
            disk = open_disk()
        except Exception as error:  # noqa: BLE001 - on a thread of its own nobody else would hear of it
            self._fail(error)
        else:
            with self._changed:
                self._disk = disk
                self._changed.notify_all()
        self._wake()

    def step(self) -> bool:
        """Write one thing on the caller's thread and tell whether there was one."""
        job = self._next()
        if job is None:
            return False
        try:
            self._write(job)
        except Exception as error:  # noqa: BLE001 - as in `open`; the loop turns it into a latched fault
            self._fail(error)
        with self._changed:
            more = self._record is not None or bool(self._notes)
            self._waiting_since_ns = self._clock.monotonic_ns() if more else None
            self._changed.notify_all()
        self._wake()
        return True

    def _run(self, open_disk: Callable[[], Disk]) -> None:
        self.open(open_disk)
        while True:
            while self.step():
                pass
            with self._changed:
                if self._ending:
                    return
                self._changed.wait_for(lambda: self._ending or self._record is not None or self._notes)

    def _handed_in(self) -> None:
        if self._waiting_since_ns is None:
            self._waiting_since_ns = self._clock.monotonic_ns()
        self._changed.notify_all()

    def _next(self) -> LatchRecord | Note | None:
        with self._changed:
            if self._record is not None:
                record, self._record = self._record, None
                self._kept = None
                return record
            return self._notes.popleft() if self._notes else None

    def _write(self, job: LatchRecord | Note) -> None:
        if self._disk is None:
            raise StoreFailure("there is no disk to write to")
        if isinstance(job, Note):
            self._disk.append(job)
            return
        self._disk.save(job)
        with self._changed:
            self._kept = job

    def _fail(self, error: Exception) -> None:
        with self._changed:
            self._failure = self._failure or str(error)
            self._changed.notify_all()
