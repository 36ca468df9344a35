"""Where a demonstration run keeps its files, so that a second command finds the first one's."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.core.errors import ConfigError

_LOCK_NAME = "lock"


def demo_folder() -> Path:
    """Return this user's folder for the demonstration."""
    return Path(tempfile.gettempdir()) / f"bot4-edge-{os.getuid()}"


def demo_runtime() -> Path:
    """Return where the running demonstration's sockets and pages are."""
    return demo_folder() / "run"


@contextmanager
def fresh_demo_folder() -> Iterator[Path]:
    """Use the demonstration's folder, emptied before and after; a second run at a time gets a nameless one."""
    folder = demo_folder()
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != os.getuid():
        raise ConfigError(f"{folder} belongs to somebody else; remove it, or name another folder with --keep")
    descriptor = os.open(folder / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        nameless = Path(tempfile.mkdtemp(prefix="bot4-edge-"))
        try:
            yield nameless
        finally:
            shutil.rmtree(nameless, ignore_errors=True)
        return
    try:
        _empty(folder)
        yield folder
    finally:
        _empty(folder)
        os.close(descriptor)


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != _LOCK_NAME:
            entry.unlink()
