"""Migrations: all or nothing, recorded, and never run backwards."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from appliance.core.errors import StoreFailure
from appliance.store import database, schema
from appliance.store.schema import MIGRATIONS, Migration
from tests.unit.store.builders import open_journal, some_rows, written


def test_a_new_file_is_marked_as_ours(tmp_path: Path) -> None:
    """A new journal carries its application id, its version and each migration's record; it fails if one is missing."""
    path = written(tmp_path / "journal.db", [])
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (schema.APPLICATION_ID,)
        assert schema.version_of(connection) == len(MIGRATIONS)
        assert connection.execute("SELECT version, name FROM migrations").fetchall() == [(1, MIGRATIONS[0].name)]
        assert schema.fault(connection) is None


def test_a_migration_that_fails_leaves_no_trace(tmp_path: Path) -> None:
    """A step that breaks half-way changes neither tables nor version; it fails if the step is not one transaction."""
    broken = (*MIGRATIONS, Migration("broken", ("CREATE TABLE half (x INTEGER)", "CREATE TABLE half (x INTEGER)")))
    with closing(database.connect(tmp_path / "journal.db")) as connection:
        with pytest.raises(sqlite3.OperationalError, match="already exists"):
            schema.migrate(connection, 5, broken)
        assert schema.version_of(connection) == 1
        assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM migrations").fetchone() == (1,)


def test_an_older_file_is_brought_up_to_date_with_its_rows(tmp_path: Path) -> None:
    """A second migration keeps the rows that are there; it fails if steps are repeated or rows lost."""
    path = written(tmp_path / "journal.db", some_rows(3))
    newer = (*MIGRATIONS, Migration("note", ("CREATE TABLE note (x INTEGER)",)))
    with closing(database.connect(path)) as connection:
        assert "up to date" in str(schema.fault(connection, newer))
        schema.migrate(connection, 5, newer)
        schema.migrate(connection, 6, newer)
        assert schema.version_of(connection) == 2
        assert connection.execute("SELECT count(*) FROM rows").fetchone() == (3,)
        assert connection.execute("SELECT applied_wall_ns FROM migrations WHERE version = 2").fetchone() == (5,)


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    """A journal of a newer program is not opened; it fails if an old program writes into what it does not know."""
    path = written(tmp_path / "journal.db", [])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=99")
        assert "newer program" in str(schema.fault(connection))
    with pytest.raises(StoreFailure, match=r"version 99 .* install the newer program"):
        open_journal(path)


def test_a_foreign_database_is_refused_untouched(tmp_path: Path) -> None:
    """Some other program's database is refused without a byte changed; it fails if it is marked, logged or migrated."""
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x INTEGER)")
    before = path.read_bytes()
    with pytest.raises(StoreFailure, match="not a journal of this appliance"):
        open_journal(path)
    assert path.read_bytes() == before


def test_another_devices_journal_is_refused(tmp_path: Path) -> None:
    """A card moved to another box is refused by name; it fails if two boxes could continue one chain."""
    path = written(tmp_path / "journal.db", some_rows(1))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE identity SET device = 'other'")
    with pytest.raises(StoreFailure, match="belongs to device 'other', not 'bench-1'"):
        open_journal(path)
