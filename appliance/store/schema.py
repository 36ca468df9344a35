"""The tables of the journal, and how an older file becomes a newer one.

A migration, its record and the new version number are one transaction: a power cut leaves the file at one version or
the next, never between. A file newer than this program is refused, because what it means is not known here.
"""

import sqlite3
from typing import NamedTuple

from appliance.core.errors import StoreFailure

APPLICATION_ID = 0x42344A31  # "B4J1", shown by `file` and read before anything else


class Migration(NamedTuple):
    """Name one step from a version to the next."""

    name: str
    statements: tuple[str, ...]


def _projection(table: str) -> str:
    return (
        f"CREATE TABLE {table} (key TEXT PRIMARY KEY NOT NULL, document BLOB NOT NULL, sequence INTEGER NOT NULL)"
        " STRICT, WITHOUT ROWID"
    )


_ROWS = (
    "CREATE TABLE rows (sequence INTEGER PRIMARY KEY, wall_ns INTEGER NOT NULL, trace INTEGER NOT NULL,"
    " kind TEXT NOT NULL, payload BLOB NOT NULL, hash BLOB NOT NULL CHECK (length(hash) = 32)) STRICT"
)

MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        "rows, projections",
        (
            "CREATE TABLE identity (one INTEGER PRIMARY KEY CHECK (one = 1), device TEXT NOT NULL) STRICT",
            _ROWS,
            "CREATE TABLE projected (one INTEGER PRIMARY KEY CHECK (one = 1), as_of_sequence INTEGER NOT NULL) STRICT",
            "INSERT INTO projected VALUES (1, 0)",
            *(_projection(table) for table in ("orders", "positions", "equity", "modes", "parameters")),
        ),
    ),
)

_RECORDS = (
    "CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
    " applied_wall_ns INTEGER NOT NULL) STRICT"
)


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of a file's tables; zero is an empty file."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def fault(connection: sqlite3.Connection, migrations: tuple[Migration, ...] = MIGRATIONS) -> str | None:
    """Return why this program cannot read a file as it is, or nothing."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    version = version_of(connection)
    if application != APPLICATION_ID:
        return "the file is not a journal of this appliance"
    if version > len(migrations):
        return f"the journal has version {version} and this program knows {len(migrations)}: install the newer program"
    if version < len(migrations):
        return f"the journal has version {version} of {len(migrations)}: start the trader once to bring it up to date"
    return None


def refuse_unknown(connection: sqlite3.Connection, migrations: tuple[Migration, ...] = MIGRATIONS) -> None:
    """Refuse a file that is not a journal, or one from a newer program, before anything is changed in it."""
    version = version_of(connection)
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID and (tables or application or version):
        raise StoreFailure("This file is not a journal of this appliance; move it away and start again.")
    if version > len(migrations):
        raise StoreFailure(
            f"The journal has version {version} and this program knows {len(migrations)}; install the newer program."
        )


def migrate(connection: sqlite3.Connection, wall_ns: int, migrations: tuple[Migration, ...] = MIGRATIONS) -> None:
    """Bring a file to the newest version, one transaction a step."""
    refuse_unknown(connection, migrations)
    for number in range(version_of(connection), len(migrations)):
        _apply(connection, number + 1, migrations[number], wall_ns)


def bind(connection: sqlite3.Connection, device: str) -> None:
    """Tie a new journal to its device, and refuse a journal of another one."""
    connection.execute("INSERT OR IGNORE INTO identity VALUES (1, ?)", (device,))
    found = device_of(connection)
    if found != device:
        raise StoreFailure(f"The journal belongs to device {found!r}, not {device!r}; correct the configuration.")


def device_of(connection: sqlite3.Connection) -> str:
    """Return the device a journal was made by."""
    row = connection.execute("SELECT device FROM identity").fetchone()
    if row is None:
        raise StoreFailure("The journal names no device; it was cut off while being made: move it away.")
    return str(row[0])


def _apply(connection: sqlite3.Connection, version: int, migration: Migration, wall_ns: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(_RECORDS)
        for statement in migration.statements:
            connection.execute(statement)
        connection.execute("INSERT INTO migrations VALUES (?, ?, ?)", (version, migration.name, wall_ns))
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={version}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
