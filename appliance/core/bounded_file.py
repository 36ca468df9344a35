"""Read small files whole, and refuse to read what is too large, not a file, or would never end."""

import os
import stat
from pathlib import Path
from typing import NamedTuple


class FileRefused(NamedTuple):
    """Say in a clause why a file was not read, and whether there is none."""

    reason: str
    absent: bool = False


class FileRead(NamedTuple):
    """Carry a file's bytes with the owner and mode it had when it was opened."""

    data: bytes
    status: os.stat_result


def read_bounded(path: Path, bytes_max: int) -> FileRead | FileRefused:
    """Read a regular file of at most so many bytes."""
    try:
        # Opening a pipe would otherwise wait for its other end for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError) as problem:
        return FileRefused(f"cannot be read ({_why(problem)})", absent=isinstance(problem, FileNotFoundError))
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        return FileRefused("is not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        try:
            data = file.read(bytes_max + 1)
        except OSError as problem:
            return FileRefused(f"cannot be read ({_why(problem)})")
    if len(data) > bytes_max:
        return FileRefused(f"is larger than {bytes_max} bytes")
    return FileRead(data, status)


def _why(problem: OSError | ValueError) -> str:
    return (problem.strerror or "input or output error") if isinstance(problem, OSError) else "not a valid path"
