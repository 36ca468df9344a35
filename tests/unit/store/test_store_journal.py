"""The journal as its owner sees it."""

import os
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from appliance.core.clock import SystemClock
from appliance.core.errors import AlreadyRunning, DiskFull, InvariantBroken, JournalDamaged, StoreFailure
from appliance.core.records import Row
from appliance.store.journal import Journal
from appliance.store.limits import JournalLimits
from appliance.store.writer import NEXT_STATE, WriterEvent, WriterState
from tests.unit.store.builders import (
    DEVICE,
    ESSENTIAL,
    SMALL,
    TallyFold,
    open_journal,
    opened,
    row,
    some_rows,
    until,
    written,
)


def test_rows_come_back_as_they_were_given(tmp_path: Path) -> None:
    """Every field of every row survives a restart; it fails if one is lost, reordered or re-encoded."""
    rows = [*some_rows(300), row(301, "fill", bytes(range(256)), wall_ns=-5, trace=2**63 - 1)]
    path = written(tmp_path / "journal.db", rows)
    again = open_journal(path, start=False)
    assert list(again.journal.rows()) == rows
    assert list(again.journal.rows(from_sequence=299)) == rows[298:]
    assert again.journal.head().sequence == 301
    again.journal.close()


def test_a_restart_continues_the_chain(tmp_path: Path) -> None:
    """A second run appends behind the first, and a third verifies both; it fails if the head is not carried."""
    path = written(tmp_path / "journal.db", some_rows(10))
    written(path, some_rows(10, first=11))
    with opened(path) as held:
        assert held.journal.head().sequence == 20


def test_durable_is_told_in_order_and_only_after_the_commit(tmp_path: Path) -> None:
    """When a sequence is acknowledged, the head has it; it fails if the callback runs before COMMIT returned."""
    with opened(tmp_path / "journal.db") as held:
        for item in some_rows(50):
            held.append(item)
            assert held.journal.flush(20)
            assert held.durable[-1] == held.journal.head().sequence == item.sequence
        assert held.durable == sorted(held.durable)


@pytest.mark.parametrize("sequence", [1, 2, 4])
def test_a_gap_or_a_repeat_stops_the_process(tmp_path: Path, sequence: int) -> None:
    """A row that does not follow the last one is a broken invariant; it fails if the journal takes it."""
    with opened(tmp_path / "journal.db") as held:
        held.append(*some_rows(2))
        with pytest.raises(InvariantBroken, match=f"row {sequence} does not follow row 2"):
            held.journal.append(row(sequence))


def test_many_rows_share_one_commit(tmp_path: Path) -> None:
    """Rows that wait together are committed together; it fails if each costs a sync of its own."""
    with opened(tmp_path / "journal.db") as held:
        held.append(*some_rows(20_000))
        assert held.journal.flush(20)
        assert held.journal.status().commits < 2_000
        assert held.journal.latency().total() == held.journal.status().commits


def test_an_overflow_is_a_failure_and_leaves_no_hole(tmp_path: Path) -> None:
    """A full queue is reported once and appending ends; it fails if a row vanishes silently or a later one gets in."""
    limits = JournalLimits(rows_waiting_max=2, reserve_bytes=4_096)
    with opened(tmp_path / "journal.db", limits) as held:
        held.append(*some_rows(5_000))
        assert len(held.failures) == 1
        assert "cannot keep up" in str(held.failures[0])
        assert not held.journal.flush(20)
        kept = held.journal.head().sequence
        assert held.journal.status().rows_dropped == 5_000 - kept
    with opened(tmp_path / "journal.db") as again:
        assert again.journal.head().sequence == kept


def test_bytes_are_bounded_too(tmp_path: Path) -> None:
    """A row larger than the byte limit is an overflow; it fails if only rows are counted."""
    limits = JournalLimits(bytes_waiting_max=10_000, reserve_bytes=4_096)
    with opened(tmp_path / "journal.db", limits) as held:
        held.append(row(1, payload=bytes(10_001)))
        assert len(held.failures) == 1


def test_a_second_owner_is_refused_by_name(tmp_path: Path) -> None:
    """A journal in use names its owner; it fails if two instances could open one journal."""
    with (
        opened(tmp_path / "journal.db"),
        pytest.raises(AlreadyRunning, match=f"in use by process {os.getpid()}"),
    ):
        open_journal(tmp_path / "journal.db")
    open_journal(tmp_path / "journal.db").journal.close()


def test_sqlite_itself_refuses_a_second_connection(tmp_path: Path) -> None:
    """No other program can even read the open journal; it fails if the file is not locked exclusively."""
    with opened(tmp_path / "journal.db") as held:
        held.append(*some_rows(3))
        assert held.journal.flush(20)
        other = sqlite3.connect(tmp_path / "journal.db", timeout=0)
        with closing(other), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("SELECT count(*) FROM rows").fetchone()


def test_every_commit_is_synced(tmp_path: Path) -> None:
    """The open connection runs WAL with synchronous=FULL and no checkpoint inside COMMIT; it fails if one is off."""
    held = open_journal(tmp_path / "journal.db", start=False)
    connection = held.journal._connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)
    held.journal.close()


def test_the_log_stays_bounded(tmp_path: Path) -> None:
    """The write-ahead log is emptied between commits once it is long; it fails if nobody checkpoints."""
    limits = JournalLimits(wal_pages_max=50, rows_per_commit_max=100, reserve_bytes=4_096)
    wal = tmp_path / "journal.db-wal"
    largest = 0
    with opened(tmp_path / "journal.db", limits) as held:
        for first in range(1, 20_001, 500):
            held.append(*some_rows(500, first, size_bytes=200))
            assert held.journal.flush(20)
            largest = max(largest, wal.stat().st_size)
    assert 0 < largest < 200 * 4_096


def test_a_log_left_by_a_crash_is_moved_before_anything_is_added(tmp_path: Path) -> None:
    """What a crash left in the log is in the database, and the log empty, when the journal opens; it fails if new rows
    could stand behind pages that a failed sync never wrote.
    """
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    with opened(tmp_path / "journal.db") as held:
        held.append(*some_rows(100))
        assert held.journal.flush(20)
        for name in ("journal.db", "journal.db-wal"):
            shutil.copyfile(tmp_path / name, crashed / name)
    assert (crashed / "journal.db-wal").stat().st_size > 0
    again = open_journal(crashed / "journal.db", start=False)
    assert (crashed / "journal.db-wal").stat().st_size == 0
    assert list(again.journal.rows()) == some_rows(100)
    again.journal.close()


def test_an_edited_row_is_refused_at_start(tmp_path: Path) -> None:
    """A journal edited while at rest does not open, and the row is named; it fails if the chain is not followed."""
    path = written(tmp_path / "journal.db", some_rows(100))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE rows SET payload = x'00' WHERE sequence = 42")
    with pytest.raises(JournalDamaged, match="row 42: edited"):
        open_journal(path)


def test_a_file_that_is_no_database_is_damage(tmp_path: Path) -> None:
    """Garbage in place of the journal is refused in words; it fails if SQLite's own error escapes."""
    path = tmp_path / "journal.db"
    path.write_bytes(b"not a database at all" * 1_000)
    with pytest.raises(JournalDamaged, match="damaged"):
        open_journal(path)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """A missing state folder is a sentence; it fails if a bare OSError escapes."""
    with pytest.raises(StoreFailure, match="check the folder"):
        open_journal(tmp_path / "absent" / "journal.db")


def test_a_failed_open_lets_the_lock_go(tmp_path: Path) -> None:
    """After a refusal the lock is free again; it fails if the next try is told that someone else runs."""
    path = tmp_path / "journal.db"
    path.write_bytes(b"x" * 5_000)
    for _ in range(2):
        with pytest.raises(JournalDamaged):
            open_journal(path)


def test_the_reserve_is_really_allocated(tmp_path: Path) -> None:
    """The reserve holds blocks, not a hole; it fails if releasing it would free nothing."""
    with opened(tmp_path / "journal.db"):
        found = (tmp_path / "journal.db.reserve").stat()
        assert stat.S_ISREG(found.st_mode)
        assert found.st_size == SMALL.reserve_bytes
        assert found.st_blocks * 512 >= SMALL.reserve_bytes


class BreakingFold(TallyFold):
    """Meet a row it does not understand."""

    def apply(self, row: Row) -> None:
        """Refuse the odd row."""
        if row.kind == "odd":
            raise InvariantBroken("the fold met what cannot be")
        super().apply(row)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_broken_fold_ends_the_writer_loudly(tmp_path: Path) -> None:
    """A bug in the fold is reported and the row is not acknowledged; it fails if the thread dies without a word."""
    held = open_journal(tmp_path / "journal.db", start=False)
    held.journal.start(BreakingFold())
    held.append(row(1), row(2, "odd"))
    until(lambda: held.failures)
    assert "fault of the program" in str(held.failures[0])
    held.journal.close()
    assert 2 not in held.durable


class FailingConnection(sqlite3.Connection):
    """Fail COMMIT the way a failed sync does, from when it is told to."""

    failing = False

    def execute(self, sql: str, parameters: object = (), /) -> sqlite3.Cursor:
        """Fail a commit when told to."""
        if self.failing and sql == "COMMIT":
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, parameters)  # type: ignore[arg-type]


def test_a_failed_sync_ends_writing_for_good(tmp_path: Path) -> None:
    """After one failed commit nothing is acknowledged again, even if the disk recovers; it fails on a second try."""
    made: list[FailingConnection] = []

    def connect(path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=FailingConnection)
        made.append(connection)
        return connection

    path = tmp_path / "journal.db"
    with opened(path, connect=connect) as held:
        held.append(*some_rows(3))
        assert held.journal.flush(20)
        made[0].failing = True
        held.append(row(4))
        assert not held.journal.flush(20)
        made[0].failing = False
        held.append(*some_rows(5, first=5))
        assert not held.journal.flush(20)
        assert held.durable[-1] == 3
        assert [type(failure) for failure in held.failures] == [StoreFailure]
        assert held.journal.status().state is WriterState.FAILED
        assert held.journal.status().rows_dropped == 6
    with opened(path) as again:
        assert again.journal.head().sequence == 3


def test_every_state_and_event_has_a_next_state() -> None:
    """The table covers all pairs, ends in FAILED and never returns; it fails if a state could heal itself."""
    assert set(NEXT_STATE) == {(state, event) for state in WriterState for event in WriterEvent}
    assert all(after is not WriterState.WRITING for after in NEXT_STATE.values())
    assert {after for (state, _), after in NEXT_STATE.items() if state is not WriterState.WRITING} == {
        WriterState.FAILED
    }


def test_no_room_for_the_reserve_refuses_the_start(tmp_path: Path) -> None:
    """A disk that cannot hold the reserve is refused before trading; it fails if the start ignores it."""
    with pytest.raises(DiskFull, match="free some room"):
        open_journal(tmp_path / "journal.db", JournalLimits(reserve_bytes=2**60))


def test_projections_are_current_with_every_commit(tmp_path: Path) -> None:
    """Tables hold the fold of all rows and say so after a close; it fails if they trail the rows."""
    path = written(tmp_path / "journal.db", [*some_rows(5), *some_rows(3, first=6, kind="cancel")])
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT as_of_sequence FROM projected").fetchone() == (8,)
        orders = connection.execute("SELECT key, document FROM orders ORDER BY key").fetchall()
    assert orders == [("cancel", b'{"count":3,"bytes":20}'), ("order", b'{"count":5,"bytes":20}')]


def test_a_start_mends_projections_that_were_changed(tmp_path: Path) -> None:
    """Edited tables are rebuilt from the rows at the next start, and this is told; it fails if the edit survives."""
    path = written(tmp_path / "journal.db", some_rows(5))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE orders SET document = x'7b7d'")
        connection.execute("INSERT INTO positions VALUES ('ghost', x'7b7d', 1)")
    for expected in (True, False):
        held = open_journal(path, start=False)
        fold = TallyFold()
        for stored in held.journal.rows():
            fold.apply(stored)
        assert held.journal.start(fold) is expected
        held.journal.close()


def test_the_device_is_part_of_the_chain(tmp_path: Path) -> None:
    """A journal renamed to this device in the file still is not its; it fails if the genesis ignores the device."""
    path = tmp_path / "journal.db"
    other = Journal.open(
        path,
        device="other",
        clock=SystemClock(),
        on_durable=lambda _sequence: None,
        on_failure=lambda _failure: None,
        essential_kinds=ESSENTIAL,
        limits=SMALL,
    )
    other.start(TallyFold())
    other.append(row(1))
    other.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE identity SET device = ?", (DEVICE,))
    with pytest.raises(JournalDamaged, match="row 1"):
        open_journal(path)


def test_rows_can_be_read_while_the_writer_runs(tmp_path: Path) -> None:
    """A page asked for during writing holds the rows committed before it, bounded; it fails if it needs a second
    connection or returns rows that are not stored.
    """
    with opened(tmp_path / "journal.db") as held:
        held.append(*some_rows(100))
        assert held.journal.page(41, 10).result(20) == some_rows(10, first=41)
        assert held.journal.page(95, 10).result(20) == some_rows(6, first=95)
        assert held.journal.page(101, 10).result(20) == []
