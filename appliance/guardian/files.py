"""Writing small files so that a power cut leaves the old content or the new, never a mixture."""

import os
from pathlib import Path

from appliance.core.errors import StoreFailure


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
