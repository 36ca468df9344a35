"""The one way this room opens SQLite, and what its errors mean here.

SQLite before 3.51.3 (fixed back in 3.50.7 and 3.44.6) can corrupt a WAL when two connections checkpoint at once, and
Debian's are older. So a journal has one connection, in one process. `locking_mode=EXCLUSIVE`, set before the first
access, makes SQLite itself refuse any second one, and keeps the WAL's index in memory instead of a shared file.

`synchronous=FULL` syncs the WAL in every commit; with less, a power cut loses acknowledged rows. Automatic
checkpoints are off because they run inside COMMIT, in front of the acknowledgement; the writer checkpoints behind it
instead.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from appliance.core.errors import DiskFull, JournalDamaged, StoreFailure

PAGE_BYTES = 4_096
_CACHE_KIBIBYTES = 4_096
_PRIMARY_CODE_MASK = 0xFF

Connect = Callable[[Path], sqlite3.Connection]

_OWNER_SETTINGS: tuple[str, ...] = (
    "PRAGMA locking_mode=EXCLUSIVE",
    f"PRAGMA page_size={PAGE_BYTES}",
    "PRAGMA synchronous=FULL",
    "PRAGMA wal_autocheckpoint=0",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON",
    "PRAGMA temp_store=MEMORY",
    f"PRAGMA cache_size=-{_CACHE_KIBIBYTES}",
)


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection without implicit transactions, to be handed from the opening thread to the writer."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0.0)


def own(connection: sqlite3.Connection) -> None:
    """Settle a connection as the only one that can use the file."""
    for setting in _OWNER_SETTINGS:
        connection.execute(setting)


def begin_log(connection: sqlite3.Connection) -> None:
    """Use a write-ahead log, after moving whatever a crash left in it into the database.

    The move matters: after a failed sync the log's pages may exist in memory only, and rows added behind them would go
    with them in a power cut. Moving writes them anew and syncs them, and starts the log from its beginning.
    """
    (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    if mode != "wal":
        raise StoreFailure(f"The disk does not allow a write-ahead log (got {mode!r}); use a local Linux file system.")
    checkpoint(connection)


def read_only(path: Path) -> sqlite3.Connection:
    """Return a connection that cannot write to the database."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=0.0)
    connection.execute("PRAGMA trusted_schema=OFF")
    connection.execute("PRAGMA cell_size_check=ON")
    return connection


def checkpoint(connection: sqlite3.Connection) -> None:
    """Move the whole log into the database and empty it."""
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise StoreFailure("Another program has the journal open; close it and start again.")


def integrity_fault(connection: sqlite3.Connection, *, thorough: bool) -> str | None:
    """Return the first thing SQLite finds wrong with the file itself, or nothing."""
    pragma = "PRAGMA integrity_check(1)" if thorough else "PRAGMA quick_check(1)"
    (verdict,) = connection.execute(pragma).fetchone()
    return None if verdict == "ok" else str(verdict)


def failure_of(error: sqlite3.Error | OSError) -> StoreFailure:
    """Return what an error of SQLite or the file system means for the journal."""
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE_MASK
    if code == sqlite3.SQLITE_FULL:
        return DiskFull(f"The disk is full ({error}); free some room and start again.")
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return JournalDamaged(f"The journal's file is damaged ({error}); restore a backup.")
    if code == sqlite3.SQLITE_BUSY:
        return StoreFailure("Another program has the journal open; close it and start again.")
    name = getattr(error, "sqlite_errorname", "system error")
    return StoreFailure(f"The disk did not keep the journal ({error}, {name}); check the card and start again.")
