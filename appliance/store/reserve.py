"""Room kept back for the worst hour: a file of real blocks beside the journal, given up when the disk is full.

What it buys is the record of the way down (cancels, modes, the halt), not more trading.
"""

import os
from pathlib import Path

from appliance.core.errors import DiskFull, StoreFailure
from appliance.store.files import sync_folder

_MODE = 0o640


class Reserve:
    """Keep a number of bytes allocated until they are needed."""

    __slots__ = ("_bytes", "_path")

    def __init__(self, journal: Path, size_bytes: int) -> None:
        self._path = journal.with_name(journal.name + ".reserve")
        self._bytes = size_bytes

    def hold(self) -> None:
        """Allocate the room, or report that the disk has none left."""
        try:
            self._allocate()
        except OSError as error:
            raise DiskFull(
                f"The reserve {self._path} of {self._bytes} bytes cannot be kept ({error.strerror});"
                " free some room on this disk and start again."
            ) from error

    def release(self) -> None:
        """Give the room back to the disk."""
        try:
            self._path.unlink(missing_ok=True)
            sync_folder(self._path.parent)
        except OSError as error:
            raise StoreFailure(f"The reserve {self._path} cannot be released ({error.strerror}).") from error

    def _allocate(self) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        try:
            os.posix_fallocate(descriptor, 0, self._bytes)
            os.ftruncate(descriptor, self._bytes)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_folder(self._path.parent)
