"""The guardian's audit log: chained lines, each on the disk before the next, in a bounded set of files.

The chain runs on across the files. The head is written after the line and not synced, so after a power cut it may
lag, but it can never be ahead. A line cut short at the very end was never acknowledged: it is dropped and the drop is
recorded.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from appliance.core.clock import Clock
from appliance.core.errors import StoreFailure
from appliance.guardian.files import make_folder, replace_durably, sync_folder, write_whole
from appliance.safety.audit_chain import Damage, Detail, Head, entry
from appliance.store.audit_files import (
    FILE_BYTES_MAX,
    FILES_COUNT_MAX,
    audit_file,
    head_file,
    head_line,
    torn_tail,
    verify,
)

_APPEND: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


class Audit:
    """Append entries that are durable when the call returns."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        on_damage: Callable[[], None],
        *,
        show: Callable[[bytes], None] = lambda _: None,
        file_bytes_max: int = FILE_BYTES_MAX,
        files_count_max: int = FILES_COUNT_MAX,
    ) -> None:
        """Check the newest entries and go on after them, or set a damaged log aside and begin anew."""
        self._folder = folder
        self._clock = clock
        self._show = show
        self._file_bytes_max = file_bytes_max
        self._files_count_max = files_count_max
        self._failed = False
        make_folder(folder)
        dropped_bytes = _drop_torn_tail(folder)
        found = verify(folder, newest_files_count=2)
        self.damage = found if isinstance(found, Damage) else None
        self._head = Head() if isinstance(found, Damage) else found
        if self.damage is not None:
            # Told first: power may fail once the damaged files are gone from here, and the next start finds no damage.
            on_damage()
            _set_aside(folder)
        self._descriptor, self._head_descriptor = self._open()
        if self.damage is not None:
            self.append("audit-damaged", {"explanation": self.damage.explanation})
        if dropped_bytes:
            self.append("audit-tail-dropped", {"dropped_bytes": dropped_bytes})

    @property
    def head(self) -> Head:
        """Return the last entry's sequence and digest."""
        return self._head

    def append(
        self, event: str, detail: Detail, *, wall_ns: int | None = None, monotonic_ns: int | None = None
    ) -> None:
        """Add an entry of a moment, or of now, and wait for the disk."""
        if self._failed:
            raise StoreFailure("the audit log stopped after a failed write: check or replace the card, then restart")
        wall_ns = self._clock.wall_ns() if wall_ns is None else wall_ns
        monotonic_ns = self._clock.monotonic_ns() if monotonic_ns is None else monotonic_ns
        line, head = entry(self._head, event, detail, wall_ns=wall_ns, monotonic_ns=monotonic_ns)
        try:
            write_whole(self._descriptor, line)
            os.fsync(self._descriptor)
            os.pwrite(self._head_descriptor, head_line(head), 0)
            self._head = head
            self._rotate_if_full()
        except OSError as error:
            # A write that failed may have left half a line, and a failed sync never succeeds later, fsync(2).
            self._failed = True
            raise StoreFailure(f"the audit log was not kept by the disk: {error.strerror}") from error
        self._show(line)

    def close(self) -> None:
        """Let go of the files."""
        os.close(self._descriptor)
        os.close(self._head_descriptor)

    def _open(self) -> tuple[int, int]:
        try:
            replace_durably(head_file(self._folder), head_line(self._head))
            descriptor = os.open(audit_file(self._folder, 0), _APPEND, 0o640)
            sync_folder(self._folder)
            return descriptor, os.open(head_file(self._folder), os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise StoreFailure(f"the audit log in {self._folder} cannot be opened: {error.strerror}") from error

    def _rotate_if_full(self) -> None:
        if os.fstat(self._descriptor).st_size < self._file_bytes_max:
            return
        os.close(self._descriptor)
        for number in range(self._files_count_max - 2, -1, -1):
            if audit_file(self._folder, number).exists():
                audit_file(self._folder, number).rename(audit_file(self._folder, number + 1))
        self._descriptor = os.open(audit_file(self._folder, 0), _APPEND, 0o640)
        sync_folder(self._folder)


def _drop_torn_tail(folder: Path) -> int:
    torn_bytes = torn_tail(folder)
    if torn_bytes:
        path = audit_file(folder, 0)
        try:
            os.truncate(path, path.stat().st_size - torn_bytes)
        except OSError as error:
            raise StoreFailure(f"{path} cannot be mended: {error.strerror}") from error
    return torn_bytes


def _set_aside(folder: Path) -> None:
    """Keep what is damaged as evidence, at most one set of it."""
    aside = folder / "damaged"
    make_folder(aside)
    for path in folder.glob("audit*"):
        path.replace(aside / path.name)
    sync_folder(folder)
