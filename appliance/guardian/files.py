"""Small files of our own: kept whole over a power cut, and locked against a second process."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.core.errors import AlreadyRunning, StoreFailure


def replace_durably(path: Path, content: bytes) -> None:
    """Replace a file and return only when the disk has kept it."""
    making = path.with_name(path.name + ".making")
    try:
        descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
        try:
            write_whole(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        making.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        raise StoreFailure(f"{path} was not kept by the disk: {error.strerror}; check or replace the card") from error


def write_whole(descriptor: int, content: bytes) -> None:
    """Write all bytes or raise."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync_folder(folder: Path) -> None:
    """Make a folder's names durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder of our own if it is missing."""
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreFailure(f"{folder} cannot be made: {error.strerror}; check [paths] and who owns them") from error


@contextmanager
def only_one(path: Path, who: str) -> Iterator[None]:
    """Hold the lock that a second process of a kind is refused by."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except OSError as error:
        if error.errno != errno.EWOULDBLOCK:
            raise
        raise AlreadyRunning(f"a {who} already runs here (it holds {path}): stop it first") from error
    finally:
        os.close(descriptor)
