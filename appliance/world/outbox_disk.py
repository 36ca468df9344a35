"""The reporter's database on the world's disk: real SQL, and a power cut that takes the last commits back.

The outbox runs with `synchronous=NORMAL`: a process that dies keeps every commit, a power cut may take back the last
ones, but only from the end and each one whole. So a disk is the images after its last commits.
"""

import asyncio
import random
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.world.links import milliseconds

COMMIT_MS = (1, 12)
IMAGES_MAX = 12


class OutboxDisk:
    """Keep the images of the last commits."""

    def __init__(self, dice: random.Random, committed: Callable[[sqlite3.Connection], None]) -> None:
        """Begin with an empty file; `committed` looks at the database after every commit."""
        self._dice = dice
        self._images: deque[bytes] = deque([b""], IMAGES_MAX)
        self._open: Database | None = None
        self._committed = committed
        self.failing = False

    def open(self) -> "Database":
        """Open the database as it is now."""
        connection = sqlite3.connect(":memory:", isolation_level=None)
        if self._images[-1]:
            connection.deserialize(self._images[-1])
        self._open = Database(self, connection)
        return self._open

    def let_go(self) -> None:
        """Take the database away from a process that is gone; an open transaction never happened."""
        if self._open is not None:
            self._open.gone = True
            self._open = None

    def take_back(self) -> int:
        """Lose a drawn number of the last commits, as a power cut may, and return how many."""
        lost = self._dice.randrange(len(self._images))
        for _ in range(lost):
            self._images.pop()
        return lost

    def commit_s(self) -> float:
        """Return how long half a commit takes."""
        return milliseconds(self._dice, COMMIT_MS) / NANOSECONDS_PER_SECOND / 2

    def keep(self, connection: sqlite3.Connection) -> None:
        """Keep what was just committed."""
        self._images.append(connection.serialize())
        self._committed(connection)


class Database:
    """Answer one process as aiosqlite does."""

    def __init__(self, disk: OutboxDisk, connection: sqlite3.Connection) -> None:
        """Speak to this database on that disk."""
        self._disk = disk
        self._connection = connection
        self.gone = False

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> object:
        """Run one statement; a commit takes time and can be interrupted before or after it has happened."""
        if sql == "COMMIT":
            await asyncio.sleep(self._disk.commit_s())
            self._run(sql, ())
            if not self.gone:
                self._disk.keep(self._connection)
            await asyncio.sleep(self._disk.commit_s())
            return None
        return self._run(sql, tuple(parameters or ()))

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> object:
        """Run one statement for each of many."""
        for one in parameters:
            self._run(sql, tuple(one))
        return None

    async def execute_fetchall(self, sql: str, parameters: Iterable[Any] | None = None) -> Iterable[Any]:
        """Run one statement and return its rows."""
        return self._run(sql, tuple(parameters or ()))

    async def executescript(self, sql_script: str) -> object:
        """Run a script."""
        self._connection.executescript(sql_script)
        self._disk.keep(self._connection)
        return None

    async def close(self) -> None:
        """Close the database."""
        self._disk.let_go()

    def _run(self, sql: str, parameters: Sequence[Any]) -> list[Any]:
        if self.gone:
            return []
        if self._disk.failing and sql != "ROLLBACK":
            raise sqlite3.OperationalError("database or disk is full")
        return self._connection.execute(sql, parameters).fetchall()
