"""One temporary folder for whatever a session of tests and its processes put aside, so that it can be searched.

What a test keeps below pytest's own folders is there when the session ends. What lies in a plain `tempfile` folder is
often removed by then: it is searched as it is removed. What is left, and what was written below `var/`, is searched at
the end, for the secrets of all tests.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.secret_search import leaks_in


class SecretLeft(BaseException):
    """Stop a test whose folder holds a secret outside of its file; no `except Exception` can hide it."""


class SessionFolder:
    """Hold the folder from the session's beginning to its end."""

    def __init__(self, var: Path) -> None:
        """Make it, for this process and all that it starts; pytest's own folders stay where they were."""
        self._var = var
        self._began_ns = time.time_ns()
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
        # Short, because sockets lie there; open, as the usual one is, to processes under another name.
        self.path = Path(tempfile.mkdtemp(prefix="t-"))
        self.path.chmod(0o1777)
        os.environ["TMPDIR"] = tempfile.tempdir = str(self.path)

    def files(self) -> Iterator[Path]:
        """Yield what was put aside and is still there, and what the session wrote below `var/`."""
        yield from self.path.rglob("*")
        for path in self._var.rglob("*"):
            if path.is_file() and path.stat().st_mtime_ns >= self._began_ns:
                yield path

    def remove(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.path, ignore_errors=True)


def search_what_is_removed() -> None:
    """Search every `tempfile` folder of this process before it is removed, and stop the test that left a secret."""
    remove = tempfile.TemporaryDirectory.cleanup

    def cleanup(folder: tempfile.TemporaryDirectory[str]) -> None:
        leaks = leaks_in(Path(folder.name))
        remove(folder)
        if leaks:
            raise SecretLeft(f"SECRET LEFT BEHIND: {leaks}")

    tempfile.TemporaryDirectory.cleanup = cleanup  # type: ignore[assignment]
