"""The durable outbox: what the broker has not confirmed yet, in a database of the reporter's own.

Theory of operation. A batch of rows and the position they bring us to are stored in one transaction, so after any crash
the position tells exactly which rows are here and the link resumes behind them: no gap, no double. A message is
deleted when the broker has confirmed it; a crash between the two sends it again, which (device, journal, sequence)
lets a listener see. `synchronous=NORMAL` is enough: what a power cut takes back, it takes back together with its
position, and the trader's journal still has the rows.

It is bounded twice. Equity rows are telemetry: beyond their share, the oldest are merged in pairs (extremes and counts
are kept, so it shows how many rows a message stands for). Everything else is never dropped: when the outbox is full it
takes no more, and the rows wait where they are safe anyway, in the trader's journal.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import aiosqlite
import msgspec

from appliance.core.errors import StoreFailure
from appliance.reporting.mqtt.payloads import Summary, encode, merged

THINNED_SHARE = 10
SENDING_MAX = 32
_SETTINGS = (
    "PRAGMA locking_mode=EXCLUSIVE",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA wal_autocheckpoint=256",
    "PRAGMA trusted_schema=OFF",
)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT, journal TEXT NOT NULL, sequence INTEGER NOT NULL,
    thinned INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL, UNIQUE (journal, sequence)
) STRICT;
CREATE INDEX IF NOT EXISTS message_thinned ON message (id) WHERE thinned = 1;
CREATE TABLE IF NOT EXISTS position (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1), tag TEXT NOT NULL, generation INTEGER NOT NULL,
    sequence INTEGER NOT NULL, thinned_count INTEGER NOT NULL
) STRICT;
"""
_log = logging.getLogger(__name__)
_summaries = msgspec.json.Decoder(Summary)


class Database(Protocol):
    """Be a connection to the database, as aiosqlite has it."""

    def execute(self, sql: str, parameters: Iterable[Any] | None = None, /) -> Awaitable[object]:
        """Run one statement."""
        ...

    def executemany(self, sql: str, parameters: Iterable[Iterable[Any]], /) -> Awaitable[object]:
        """Run one statement for each of many."""
        ...

    def execute_fetchall(self, sql: str, parameters: Iterable[Any] | None = None, /) -> Awaitable[Iterable[Any]]:
        """Run one statement and return its rows."""
        ...

    def executescript(self, sql_script: str, /) -> Awaitable[object]:
        """Run a script."""
        ...

    def close(self) -> Awaitable[None]:
        """Close it."""
        ...


class Position(NamedTuple):
    """Say which journal was followed how far; the generation counts how often rows were missing from it afterwards."""

    tag: str
    generation: int
    sequence: int

    @property
    def journal(self) -> str:
        """Return the journal's name in messages."""
        return self.tag if self.generation == 0 else f"{self.tag}~{self.generation}"


class Waiting(NamedTuple):
    """Hold one message that is not confirmed."""

    id: int
    topic: str
    payload: bytes


class Draft(NamedTuple):
    """Hold one message before it is stored."""

    sequence: int
    thinned: bool
    topic: str
    payload: bytes


class Outbox:
    """Keep messages until the broker has them."""

    __slots__ = ("_connection", "_lock", "_rows_max", "count", "grown", "room", "thinned_count", "thinned_waiting")

    def __init__(self, connection: Database, rows_max: int) -> None:
        """Use a connection that was prepared."""
        self._connection = connection
        self._rows_max = rows_max
        # One connection carries the transactions of all tasks, so only one of them may be inside one.
        self._lock = asyncio.Lock()
        self.grown = asyncio.Event()
        self.room = asyncio.Event()
        self.count = 0
        self.thinned_waiting = 0
        self.thinned_count = 0

    @property
    def full(self) -> bool:
        """Tell whether nothing more may be stored."""
        return self.count >= self._rows_max

    async def load(self) -> Position | None:
        """Count what waits and return how far the journal was followed, or nothing at the very first start."""
        for count, thinned in await self._all("SELECT count(*), coalesce(sum(thinned), 0) FROM message"):
            self.count, self.thinned_waiting = int(count), int(thinned)
        for tag, generation, sequence, thinned_count in await self._all(
            "SELECT tag, generation, sequence, thinned_count FROM position"
        ):
            self.thinned_count = int(thinned_count)
            return Position(str(tag), int(generation), int(sequence))
        return None

    async def store(self, drafts: Sequence[Draft], position: Position) -> None:
        """Store messages and the position behind them, all or nothing."""
        async with self._transaction():
            await self._connection.executemany(
                "INSERT INTO message (journal, sequence, thinned, topic, payload) VALUES (?, ?, ?, ?, ?)",
                [(position.journal, one.sequence, one.thinned, one.topic, one.payload) for one in drafts],
            )
            await self._connection.execute(
                "INSERT OR REPLACE INTO position VALUES (1, ?, ?, ?, ?)", (*position, self.thinned_count)
            )
        self.count += len(drafts)
        self.thinned_waiting += sum(one.thinned for one in drafts)
        if self.thinned_waiting > self._rows_max // THINNED_SHARE:
            await self._thin()
        self.grown.set()

    async def after(self, identity: int, limit: int) -> list[Waiting]:
        """Return the next messages after one, oldest first."""
        query = "SELECT id, topic, payload FROM message WHERE id > ? ORDER BY id LIMIT ?"
        rows = await self._all(query, (identity, limit))
        return [Waiting(int(one), str(topic), bytes(payload)) for one, topic, payload in rows]

    async def confirm(self, identities: Sequence[int]) -> None:
        """Forget messages that the broker has."""
        gone = thinned = 0
        async with self._transaction():
            for identity in identities:
                query = "DELETE FROM message WHERE id = ? RETURNING thinned"
                for (was_thinned,) in await self._connection.execute_fetchall(query, (identity,)):
                    gone, thinned = gone + 1, thinned + int(was_thinned)
        self.count -= gone
        self.thinned_waiting -= thinned
        self.room.set()

    async def close(self) -> None:
        """Close the database."""
        await self._connection.close()

    async def _thin(self) -> None:
        """Merge the older half of the equity rows in pairs; what may be on its way to the broker stays as it is."""
        async with self._transaction():
            (first_free,) = next(
                iter(
                    await self._connection.execute_fetchall(
                        "SELECT coalesce(max(id), 0) FROM (SELECT id FROM message ORDER BY id LIMIT ?)", (SENDING_MAX,)
                    )
                )
            )
            rows = list(
                await self._connection.execute_fetchall(
                    "SELECT id, payload FROM message WHERE thinned = 1 AND id > ? ORDER BY id LIMIT ?",
                    (first_free, self.thinned_waiting // 2),
                )
            )
            gone = 0
            for (old, old_payload), (new, new_payload) in zip(rows[::2], rows[1::2], strict=False):
                one, next_one = _summaries.decode(old_payload), _summaries.decode(new_payload)
                if one.journal == next_one.journal:
                    await self._connection.execute("DELETE FROM message WHERE id = ?", (old,))
                    await self._connection.execute(
                        "UPDATE message SET payload = ? WHERE id = ?", (encode(merged(one, next_one)), new)
                    )
                    gone += 1
            await self._connection.execute("UPDATE position SET thinned_count = thinned_count + ?", (gone,))
        self.count -= gone
        self.thinned_waiting -= gone
        self.thinned_count += gone

    @contextlib.asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        async with self._lock:
            try:
                await self._connection.execute("BEGIN IMMEDIATE")
                yield
                await self._connection.execute("COMMIT")
            except BaseException as problem:
                # Also when the task is cancelled: the next one must not begin inside this transaction.
                with contextlib.suppress(sqlite3.Error):
                    await asyncio.shield(self._connection.execute("ROLLBACK"))
                if isinstance(problem, sqlite3.Error):
                    raise _not_kept(problem) from problem
                raise

    async def _all(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        async with self._lock:
            try:
                return [tuple(row) for row in await self._connection.execute_fetchall(query, values)]
            except sqlite3.Error as problem:
                raise _not_kept(problem) from problem


def _not_kept(problem: sqlite3.Error) -> StoreFailure:
    return StoreFailure(f"the outbox was not kept by the disk ({problem}); free some room or check the card")


async def open_outbox(path: Path, rows_max: int) -> Outbox:
    """Open the database, or set one that is damaged aside: everything in it is still in the trader's journal."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Outbox(await _prepared(path), rows_max)
    except OSError as problem:
        raise StoreFailure(f"the outbox {path} cannot be made ({problem.strerror}); check the card") from problem
    except sqlite3.DatabaseError as problem:
        if isinstance(problem, sqlite3.OperationalError):
            raise StoreFailure(f"the outbox {path} cannot be opened ({problem}); check the card") from problem
        _log.warning("the outbox was damaged (%s) and is set aside; what was in it is sent again", problem)
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            with contextlib.suppress(FileNotFoundError):
                path.with_name(name).replace(path.with_name(f"{name}.damaged"))
        return Outbox(await _prepared(path), rows_max)


async def prepare(connection: Database) -> None:
    """Bring a new connection and its database into shape, and refuse a damaged one."""
    for setting in _SETTINGS:
        await connection.execute(setting)
    await connection.executescript(_SCHEMA)
    await _check(connection)


async def _prepared(path: Path) -> aiosqlite.Connection:
    connection = await aiosqlite.connect(path, isolation_level=None)
    try:
        await prepare(connection)
    except BaseException:
        await connection.close()
        raise
    return connection


async def _check(connection: Database) -> None:
    for (verdict,) in await connection.execute_fetchall("PRAGMA quick_check(1)"):
        if verdict != "ok":
            raise sqlite3.DatabaseError(str(verdict))
