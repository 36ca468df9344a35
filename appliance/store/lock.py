"""One owner at a time: an advisory lock on a file beside the database.

The kernel drops the lock when its process ends in whatever way, so a crash leaves nothing to clean up. The lock file
itself stays: removing it would let two processes each lock a file of the same name.
"""

import fcntl
import os
from pathlib import Path
from typing import Self

from appliance.core.errors import AlreadyRunning, StoreFailure

_MODE = 0o640


def lock_path(journal: Path) -> Path:
    """Return the path of the lock file of a journal."""
    return journal.with_name(journal.name + ".lock")


class InstanceLock:
    """Hold a journal for this process until released."""

    __slots__ = ("_descriptor",)

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, journal: Path) -> Self:
        """Take the lock of a journal, or refuse when another process holds it."""
        path = lock_path(journal)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        except OSError as error:
            raise StoreFailure(
                f"The lock file {path} cannot be opened ({error.strerror}); check the folder."
            ) from error
        _lock(descriptor, path)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor)

    @classmethod
    def take_to_read(cls, journal: Path) -> Self:
        """Take the lock without writing anything; a file that never had an owner needs none."""
        path = lock_path(journal)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return cls(None)
        except OSError as error:
            raise StoreFailure(f"The lock file {path} cannot be read ({error.strerror}); check who you are.") from error
        _lock(descriptor, path)
        return cls(descriptor)

    def release(self) -> None:
        """Let another process have the journal."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise AlreadyRunning(
            f"The journal is in use by process {owner} (lock {path}); stop the trader first, or work on a backup."
        ) from error
