"""The journal: what happened, in order, before anything is done about it.

Theory of operation. `open` takes the lock, lets SQLite repair what a crash left, checks the file and follows the
whole chain; a journal that is not what was written is refused. Then the caller replays `rows()`, once, into its state
and into a fold for the projections, and hands the fold to `start`. From there on the connection belongs to the
writer's thread.

`append` is for one thread, the one that trades. It never waits and never touches the disk; a queue that is full is a
failure that stops the appending for good, because a hole in the sequence could never be told from a lost row.

`on_durable(sequence)` is called after a commit: every row up to the sequence is on the disk as it was given.
`on_failure` is called with DiskFull when only the reserve is left, and with another StoreFailure when nothing is
written any more; after either, `on_durable` is not called again. Both come on the writer's thread; an overflow comes
on the appender's own.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Self

import msgspec

from appliance.core.clock import Clock
from appliance.core.errors import JournalDamaged, StoreFailure
from appliance.core.records import Row
from appliance.core.require import require, unreachable
from appliance.store import chain, database, projections, schema
from appliance.store.chain import Head
from appliance.store.inbox import Inbox
from appliance.store.latency import LatencyHistogram
from appliance.store.limits import DEFAULT_LIMITS, JournalLimits
from appliance.store.lock import InstanceLock
from appliance.store.projections import Fold
from appliance.store.reserve import Reserve
from appliance.store.writer import Writer, WriterPorts, WriterState

CLOSE_S_MAX = 30.0

_CHAIN_QUERY = (
    "SELECT sequence, wall_ns, trace, CAST(kind AS BLOB), CAST(payload AS BLOB), hash FROM rows ORDER BY sequence"
)


class JournalStatus(msgspec.Struct, frozen=True):
    """Show how the journal is doing, for health checks and metrics."""

    state: WriterState
    head: Head
    rows_waiting: int
    bytes_waiting: int
    rows_refused: int
    rows_dropped: int
    commits: int
    commit_ns_last: int
    commit_ns_max: int
    commit_counts: tuple[int, ...] = ()


class Journal:
    """Keep rows in order and say when they are durable."""

    def __init__(
        self, path: Path, lock: InstanceLock, connection: sqlite3.Connection, head: Head, ports: WriterPorts
    ) -> None:
        self._path = path
        self._lock = lock
        self._connection = connection
        self._head_at_open = head
        self._ports = ports
        self._inbox = Inbox(ports.limits)
        self._reserve = Reserve(path, ports.limits.reserve_bytes)
        self._writer: Writer | None = None
        self._thread: threading.Thread | None = None
        self._appended = head.sequence
        self._overflowed = False
        self._rows_turned_away = 0

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        device: str,
        clock: Clock,
        on_durable: Callable[[int], None],
        on_failure: Callable[[StoreFailure], None],
        essential_kinds: frozenset[str],
        limits: JournalLimits = DEFAULT_LIMITS,
        connect: database.Connect = database.connect,
    ) -> Self:
        """Return the journal at a path, made if it is new, checked from its first row to its last if it is not."""
        ports = WriterPorts(on_durable, on_failure, clock, limits, essential_kinds)
        with contextlib.ExitStack() as undo:
            lock = InstanceLock.take(path)
            undo.callback(lock.release)
            try:
                connection = undo.enter_context(contextlib.closing(connect(path)))
                head = _prepare(connection, device, clock.wall_ns())
            except (sqlite3.Error, OSError) as error:
                raise database.failure_of(error) from error
            journal = cls(path, lock, connection, head, ports)
            journal._reserve.hold()
            undo.pop_all()
        return journal

    def rows(self, from_sequence: int = chain.FIRST_SEQUENCE) -> Iterator[Row]:
        """Return the stored rows from a sequence on, for the replay before `start`."""
        require(self._writer is None, "the journal is replayed before its writer starts")
        return projections.read_rows(self._connection, from_sequence)

    def start(self, fold: Fold) -> bool:
        """Start the writer with a fold that took every row and was not drained, telling if projections were mended."""
        require(self._writer is None, "the journal was started twice")
        try:
            mended = projections.refresh(self._connection, fold, self._head_at_open.sequence)
        except sqlite3.Error as error:
            raise database.failure_of(error) from error
        wal = self._path.with_name(self._path.name + "-wal")
        self._writer = Writer(self._connection, wal, self._head_at_open, fold, self._reserve, self._inbox, self._ports)
        self._thread = threading.Thread(target=self._writer.run, name="journal", daemon=True)
        self._thread.start()
        return mended

    def append(self, row: Row) -> None:
        """Hand a row over to be written; its sequence must follow the last one's."""
        require(row.sequence == self._appended + 1, f"row {row.sequence} does not follow row {self._appended}")
        self._appended = row.sequence
        if self._overflowed or self._started().state is WriterState.FAILED:
            self._rows_turned_away += 1
        elif not self._inbox.put(row):
            self._overflow()

    def head(self) -> Head:
        """Return the last stored row's sequence and hash."""
        return self._head_at_open if self._writer is None else self._writer.head

    def appended(self) -> int:
        """Return the sequence of the last row handed over."""
        return self._appended

    def status(self) -> JournalStatus:
        """Return how the journal is doing now."""
        writer = self._started()
        return JournalStatus(
            state=writer.state,
            head=writer.head,
            rows_waiting=self._inbox.waiting(),
            bytes_waiting=self._inbox.waiting_bytes(),
            rows_refused=writer.rows_refused,
            rows_dropped=writer.rows_dropped + self._rows_turned_away,
            commits=writer.latency.total(),
            commit_ns_last=writer.latency.last_ns,
            commit_ns_max=writer.latency.max_ns,
            commit_counts=writer.latency.counts(),
        )

    def latency(self) -> LatencyHistogram:
        """Return the durations of all commits so far."""
        return self._started().latency

    def flush(self, timeout_s: float) -> bool:
        """Wait until every row appended before is stored, and tell whether it is."""
        writer, appended = self._started(), self._appended
        served = threading.Event()
        self._inbox.put_task(served.set)
        served.wait(timeout_s)
        return writer.head.sequence >= appended

    def page(self, from_sequence: int, limit: int) -> Future[list[Row]]:
        """Ask for stored rows while the writer runs; the answer comes from its thread, between two commits."""
        done: Future[list[Row]] = Future()
        self._inbox.put_task(partial(self._started().read, from_sequence, limit, done))
        return done

    def copy_to(self, target: Path, timeout_s: float) -> None:
        """Copy the journal to a new file while it is written; for a thread that may wait."""
        done: Future[None] = Future()
        self._inbox.put_task(partial(self._started().copy, target, done))
        try:
            done.result(timeout_s)
        except TimeoutError as error:
            raise StoreFailure(f"The copy {target} took longer than {timeout_s:.0f} s; use a faster disk.") from error

    def close(self) -> None:
        """Write what waits, end the writer and let the journal go; a second call does nothing."""
        if self._writer is not None and self._thread is not None:
            self._inbox.put_task(self._writer.stop)
            self._thread.join(CLOSE_S_MAX)
            if self._thread.is_alive():
                raise StoreFailure(f"The disk took longer than {CLOSE_S_MAX:.0f} s to take the last rows.")
        with contextlib.suppress(sqlite3.Error):  # each row's fate was reported when it was written
            self._connection.close()
        self._lock.release()

    def _started(self) -> Writer:
        return self._writer if self._writer is not None else unreachable("the journal was used before it was started")

    def _overflow(self) -> None:
        self._overflowed = True
        self._rows_turned_away += 1
        self._ports.on_failure(
            StoreFailure(
                f"The journal cannot keep up: {self._inbox.waiting()} rows, {self._inbox.waiting_bytes()} bytes wait;"
                " use a faster disk."
            )
        )


def stored_chain(connection: sqlite3.Connection) -> Iterator[tuple[int, int, int, bytes, bytes, bytes]]:
    """Return the rows as they lie in the database, texts as bytes so that no damage can hide behind a decoder."""
    return connection.execute(_CHAIN_QUERY)


def _prepare(connection: sqlite3.Connection, device: str, wall_ns: int) -> Head:
    database.own(connection)
    schema.refuse_unknown(connection)
    database.begin_log(connection)
    fault = database.integrity_fault(connection, thorough=False)
    if fault is not None:
        raise JournalDamaged(f"The journal's file is damaged ({fault}); restore a backup.")
    schema.migrate(connection, wall_ns)
    schema.bind(connection, device)
    head, damage = chain.inspect(stored_chain(connection), chain.genesis(device))
    if damage is not None:
        raise JournalDamaged(f"The journal is not what was written: {damage}. Restore a backup.")
    return head
