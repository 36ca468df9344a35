"""The folder of recordings: how its files are named, listed, read, and deleted oldest first.

A session's number is its boot count, or the next free number when that one is taken: after a new journal began to
count again, or when the process died before its boot reached the disk. So numbers only rise, and the lowest is oldest
whatever the clock said at the time.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from appliance.core.errors import StoreFailure

_NAME = re.compile(r"session-(\d{1,12})-(\d{1,9})\.rec\.zst")
_CHUNK_BYTES = 64 * 1024


class Session(NamedTuple):
    """Name one session's files in their order."""

    number: int
    paths: tuple[Path, ...]

    @property
    def size_bytes(self) -> int:
        """Return what the files take on the disk."""
        return sum(path.stat().st_size for path in self.paths)


def file_name(session: int, file_number: int) -> str:
    """Return the name of one file of a session."""
    return f"session-{session}-{file_number}.rec.zst"


def session_number(path: Path) -> int | None:
    """Return the session a file belongs to, or None when its name is not one of ours."""
    match = _NAME.fullmatch(path.name)
    return int(match[1]) if match else None


def sessions_in(folder: Path) -> list[Session]:
    """Return the sessions in a folder, oldest first."""
    found: dict[int, dict[int, Path]] = {}
    for path in folder.iterdir():
        match = _NAME.fullmatch(path.name)
        if match:
            found.setdefault(int(match[1]), {})[int(match[2])] = path
    return [
        Session(number, tuple(path for _, path in sorted(files.items()))) for number, files in sorted(found.items())
    ]


def delete(session: Session) -> None:
    """Delete a session, its last file first, so that what a crash leaves of it can still be replayed."""
    for path in reversed(session.paths):
        path.unlink(missing_ok=True)


def chunks_of(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes in pieces."""
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise StoreFailure(f"the recording {path} cannot be read ({error.strerror}); check its name.") from error


def files_of(session: Session) -> Iterable[Iterable[bytes]]:
    """Return the chunks of each of a session's files."""
    return (chunks_of(path) for path in session.paths)
