"""State as tables, for a person with a question and a restart with a check: always what a replay of the rows gives.

The writer owns one fold, applies each batch to it and stores what changed in the transaction of the rows themselves.
So the tables and the rows cannot disagree after a crash. An empty document takes a key away.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from appliance.core.records import Row
from appliance.core.require import require

TABLES = ("orders", "positions", "equity", "modes", "parameters")

Change = tuple[str, str, bytes]
Documents = dict[tuple[str, str], bytes]

_UPSERT = {
    table: f"INSERT INTO {table} VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE"  # noqa: S608 -- a table of ours
    " SET document = excluded.document, sequence = excluded.sequence"
    for table in TABLES
}
_REMOVE = {table: f"DELETE FROM {table} WHERE key = ?" for table in TABLES}  # noqa: S608 -- a table of ours


class Fold(Protocol):
    """Turn rows into state; the same rows always give the same documents."""

    def apply(self, row: Row) -> None:
        """Take one row into the state."""
        ...

    def changed(self) -> Iterable[Change]:
        """Return table, key and canonical document of all that changed since last asked."""
        ...


def read_rows(connection: sqlite3.Connection, from_sequence: int = 0) -> Iterator[Row]:
    """Return the stored rows in order, from a sequence on."""
    query = "SELECT sequence, wall_ns, trace, kind, payload FROM rows WHERE sequence >= ? ORDER BY sequence"
    for stored in connection.execute(query, (from_sequence,)):
        yield Row(*stored)


def as_of(connection: sqlite3.Connection) -> int:
    """Return the sequence of the last row the tables know."""
    (sequence,) = connection.execute("SELECT as_of_sequence FROM projected").fetchone()
    return int(sequence)


def advance(connection: sqlite3.Connection, fold: Fold, rows: Sequence[Row]) -> None:
    """Take a batch into the fold and store what changed; the caller's transaction holds both."""
    for row in rows:
        fold.apply(row)
    _store(connection, fold.changed(), rows[-1].sequence)


def refresh(connection: sqlite3.Connection, fold: Fold, sequence: int) -> bool:
    """Make the tables equal to a replayed, undrained fold, and tell whether they were not."""
    wanted = _documents(fold)
    if as_of(connection) == sequence and _stored_documents(connection) == wanted:
        return False
    connection.execute("BEGIN IMMEDIATE")
    try:
        for table in TABLES:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 -- a table of ours
        _store(connection, ((table, key, document) for (table, key), document in wanted.items()), sequence)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return True


def compare(connection: sqlite3.Connection, fold_factory: Callable[[], Fold]) -> str | None:
    """Return the first difference between the tables and a replay, or nothing."""
    fold = fold_factory()
    head = _replay(connection, fold)
    known = as_of(connection)
    if known != head:
        return f"the tables stop at row {known} and the journal at row {head}; the trader rebuilds them when it starts"
    wanted, stored = _documents(fold), _stored_documents(connection)
    for table, key in sorted(wanted.keys() | stored.keys()):
        if wanted.get((table, key)) != stored.get((table, key)):
            return f"{table} {key!r} {_contrast(wanted.get((table, key)), stored.get((table, key)))}"
    return None


def _contrast(wanted: bytes | None, stored: bytes | None) -> str:
    if stored is None:
        return "is missing"
    if wanted is None:
        return "should not be there"
    return f"is {stored.decode(errors='replace')} and should be {wanted.decode(errors='replace')}"


def _replay(connection: sqlite3.Connection, fold: Fold) -> int:
    head = 0
    for row in read_rows(connection):
        fold.apply(row)
        head = row.sequence
    return head


def _documents(fold: Fold) -> Documents:
    latest = {(table, key): document for table, key, document in fold.changed()}
    return {place: document for place, document in latest.items() if document}


def _stored_documents(connection: sqlite3.Connection) -> Documents:
    return {
        (table, key): document
        for table in TABLES
        for key, document in connection.execute(f"SELECT key, document FROM {table}")  # noqa: S608 -- a table of ours
    }


def _store(connection: sqlite3.Connection, changes: Iterable[Change], sequence: int) -> None:
    for table, key, document in changes:
        require(table in _UPSERT, f"the fold names a table {table!r} that does not exist")
        if document:
            connection.execute(_UPSERT[table], (key, document, sequence))
        else:
            connection.execute(_REMOVE[table], (key,))
    connection.execute("UPDATE projected SET as_of_sequence = ?", (sequence,))
