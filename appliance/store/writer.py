"""The one thread that writes the journal.

Theory of operation. The writer takes all that waits, inserts it, applies it to the projections and commits once: many
rows, one sync. Only after COMMIT returned does it acknowledge.

    state     event      next      what happens
    WRITING   DISK_FULL  RESERVE   reported; reserve released; essential rows are kept, others only as refusals
    WRITING   FAILURE    FAILED    reported; nothing is written or acknowledged any more
    RESERVE   any        FAILED    reported; as above
    FAILED    any        FAILED    rows are counted and dropped

A failed sync is never tried again: after it the kernel may call pages clean that never reached the disk, so a second
sync that succeeds proves nothing. That is why FAILED has no way out but a new process, which reads back what the disk
really holds.

In RESERVE a refused row keeps its sequence with the kind `refused`, so the chain has no hole; nothing is
acknowledged there, so no order can take a refusal for a promise. Projections and checkpoints rest: they would spend
the reserve, and the next start redoes both.
"""

import contextlib
import enum
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from itertools import islice
from pathlib import Path

import msgspec

from appliance.core.clock import Clock
from appliance.core.errors import DiskFull, StoreFailure
from appliance.core.records import Row
from appliance.store import database, projections
from appliance.store.chain import Head, link
from appliance.store.copying import CopyInterrupted, copy_database
from appliance.store.inbox import Inbox
from appliance.store.latency import LatencyHistogram
from appliance.store.limits import JournalLimits
from appliance.store.projections import Fold
from appliance.store.reserve import Reserve

REFUSED_KIND = "refused"

_INSERT = "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)"


class WriterState(enum.Enum):
    """Say what the writer still does."""

    WRITING = "writing"
    RESERVE = "reserve"
    FAILED = "failed"


class WriterEvent(enum.Enum):
    """Say what befell the writer."""

    DISK_FULL = "disk full"
    FAILURE = "failure"


NEXT_STATE: dict[tuple[WriterState, WriterEvent], WriterState] = {
    (WriterState.WRITING, WriterEvent.DISK_FULL): WriterState.RESERVE,
    (WriterState.WRITING, WriterEvent.FAILURE): WriterState.FAILED,
    (WriterState.RESERVE, WriterEvent.DISK_FULL): WriterState.FAILED,
    (WriterState.RESERVE, WriterEvent.FAILURE): WriterState.FAILED,
    (WriterState.FAILED, WriterEvent.DISK_FULL): WriterState.FAILED,
    (WriterState.FAILED, WriterEvent.FAILURE): WriterState.FAILED,
}


class WriterPorts(msgspec.Struct, frozen=True):
    """Join the writer to the rest; both callbacks are called on its thread and must be safe there."""

    on_durable: Callable[[int], None]
    on_failure: Callable[[StoreFailure], None]
    clock: Clock
    limits: JournalLimits
    essential_kinds: frozenset[str]


class Writer:
    """Write rows in order, once, and say truly which are durable."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        wal: Path,
        head: Head,
        fold: Fold,
        reserve: Reserve,
        inbox: Inbox,
        ports: WriterPorts,
    ) -> None:
        self.head = head
        self.state = WriterState.WRITING
        self.latency = LatencyHistogram()
        self.rows_dropped = 0
        self.rows_refused = 0
        self._connection = connection
        self._wal = wal
        self._fold = fold
        self._reserve = reserve
        self._inbox = inbox
        self._ports = ports
        self._copying = False
        self._stopping = False

    def run(self) -> None:
        """Serve the inbox until told to stop; an error that is not the disk's ends the writer and the thread."""
        try:
            while not self._stopping:
                self._serve(*self._inbox.take())
        except BaseException as error:
            self._meet(StoreFailure(f"The journal's writer broke ({error!r}); this is a fault of the program."))
            raise

    def stop(self) -> None:
        """End the loop after the rows that were taken; to be put into the inbox as its last task."""
        self._stopping = True

    def read(self, from_sequence: int, limit: int, done: Future[list[Row]]) -> None:
        """Read stored rows between commits, for whoever missed them when they were new."""
        try:
            done.set_result(list(islice(projections.read_rows(self._connection, from_sequence), limit)))
        except sqlite3.Error as error:
            done.set_exception(database.failure_of(error))

    def copy(self, target: Path, done: Future[None]) -> None:
        """Copy the database while it is written, one bounded step between commits."""
        if self._copying or self.state is not WriterState.WRITING:
            done.set_exception(StoreFailure("The journal cannot be copied now; another copy runs or the disk failed."))
            return
        self._copying = True
        try:
            copy_database(self._connection, target, self._ports.limits.copy_pages_per_step, self._serve_between_steps)
        except (sqlite3.Error, OSError, CopyInterrupted) as error:
            done.set_exception(StoreFailure(f"The copy {target} was not finished ({error})."))
        else:
            done.set_result(None)
        finally:
            self._copying = False

    def _serve_between_steps(self) -> None:
        self._serve(*self._inbox.take_waiting())
        if self._stopping or self.state is not WriterState.WRITING:
            raise CopyInterrupted("the journal is closing or failed")

    def _serve(self, rows: list[Row], task: Callable[[], None] | None) -> None:
        if rows:
            self._write(rows)
            self._checkpoint_when_long()
        if task is not None:
            task()

    def _write(self, rows: Sequence[Row]) -> None:
        match self.state:
            case WriterState.WRITING:
                self._write_and_acknowledge(rows)
            case WriterState.RESERVE:
                self._write_into_reserve(rows)
            case WriterState.FAILED:
                self.rows_dropped += len(rows)

    def _write_and_acknowledge(self, rows: Sequence[Row]) -> None:
        try:
            self._commit(rows, self._fold)
        except (sqlite3.Error, OSError) as error:
            self._meet(database.failure_of(error))
            self._write(rows)
        else:
            self._ports.on_durable(self.head.sequence)

    def _write_into_reserve(self, rows: Sequence[Row]) -> None:
        kept = [row if row.kind in self._ports.essential_kinds else _refusal(row) for row in rows]
        try:
            self._commit(kept, None)
        except (sqlite3.Error, OSError) as error:
            self.rows_dropped += len(rows)
            self._meet(database.failure_of(error))
        else:
            self.rows_refused += sum(row.kind == REFUSED_KIND for row in kept)

    def _commit(self, rows: Sequence[Row], fold: Fold | None) -> None:
        started_ns = self._ports.clock.monotonic_ns()
        running = self.head.hash
        stored = []
        for row in rows:
            running = link(running, row.sequence, row.wall_ns, row.trace, row.kind.encode(), row.payload)
            stored.append((row.sequence, row.wall_ns, row.trace, row.kind, row.payload, running))
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(_INSERT, stored)
        if fold is not None:
            projections.advance(self._connection, fold, rows)
        self._connection.execute("COMMIT")
        self.head = Head(rows[-1].sequence, running)
        self.latency.record(self._ports.clock.monotonic_ns() - started_ns)

    def _checkpoint_when_long(self) -> None:
        """Move the log into the database once it is long; rows in it are durable already, so nothing waits for this."""
        if self.state is not WriterState.WRITING:
            return
        try:
            if self._wal.stat().st_size >= self._ports.limits.wal_pages_max * database.PAGE_BYTES:
                database.checkpoint(self._connection)
        except (sqlite3.Error, OSError) as error:
            self._meet(database.failure_of(error))
        except StoreFailure as failure:
            self._meet(failure)

    def _meet(self, failure: StoreFailure) -> None:
        with contextlib.suppress(sqlite3.Error):  # the failure at hand is already reported; the file is left as it is
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        event = WriterEvent.DISK_FULL if isinstance(failure, DiskFull) else WriterEvent.FAILURE
        before, self.state = self.state, NEXT_STATE[self.state, event]
        if before is WriterState.FAILED:
            return
        if before is WriterState.RESERVE:
            failure = StoreFailure(f"The reserve is used up or lost, nothing more is recorded: {failure}")
        self._ports.on_failure(failure)
        if self.state is WriterState.RESERVE:
            self._open_reserve()

    def _open_reserve(self) -> None:
        try:
            self._reserve.release()
        except StoreFailure as failure:
            self._meet(failure)


def _refusal(row: Row) -> Row:
    payload = msgspec.json.encode({"kind": REFUSED_KIND, "of": row.kind})
    return Row(sequence=row.sequence, wall_ns=row.wall_ns, trace=row.trace, kind=REFUSED_KIND, payload=payload)
