"""Copy a database that is being written, a few pages at a time.

SQLite's backup interface allows writes through the source's own connection between steps and carries them into the
copy, so the copy is the state at its last step and no commit waits longer than one step. The copy's own syncs are
off: whoever asked for it syncs the finished file once, on a thread that nothing waits for.
"""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

from appliance.store import database


class CopyInterrupted(Exception):
    """End a copy before it is whole."""


def copy_database(
    source: sqlite3.Connection, target: Path, pages_per_step: int, between_steps: Callable[[], None]
) -> None:
    """Write a copy that is one plain file, calling back after every step."""

    def after_step(_status: int, _remaining: int, _total: int) -> None:
        between_steps()

    with contextlib.closing(database.connect(target)) as copy:
        copy.execute("PRAGMA synchronous=OFF")
        source.backup(copy, pages=pages_per_step, progress=after_step, sleep=0.0)
        copy.execute("PRAGMA journal_mode=DELETE")
