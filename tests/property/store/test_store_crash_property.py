"""A journal cut off at any moment is a prefix that holds all that was acknowledged."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.store.limits import JournalLimits
from appliance.store.verify import verify
from tests.unit.store.builders import TallyFold, open_journal, opened, some_rows

BATCHES = st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=1, max_size=8)
LIMITS = JournalLimits(rows_per_commit_max=16, wal_pages_max=12, reserve_bytes=4_096)


def crash_copy(folder: Path, target: Path) -> None:
    """Copy the files as they lie there, as a crash would leave them: no close, no checkpoint."""
    target.mkdir()
    for name in ("journal.db-wal", "journal.db"):
        if (folder / name).exists():
            shutil.copyfile(folder / name, target / name)


@settings(max_examples=30)
@given(BATCHES, st.integers(0, 4_095))
def test_a_crash_leaves_a_prefix_with_all_promises_kept(batches: list[tuple[int, bool]], torn_bytes: int) -> None:
    """After any appends the files are copied as they lie and the log's end is torn where nothing was promised yet; what
    opens is a prefix, with every acknowledged row and tables equal to a replay. It fails if acknowledging runs ahead of
    the commit, or rows and tables are not one transaction.
    """
    with tempfile.TemporaryDirectory() as name:
        folder, copy = Path(name) / "live", Path(name) / "crashed"
        folder.mkdir()
        appended = 0
        with opened(folder / "journal.db", LIMITS) as held:
            for count, waits in batches:
                held.append(*some_rows(count, appended + 1))
                appended += count
                if waits:
                    assert held.journal.flush(20)
            assert held.journal.flush(20)
            promised = held.durable[-1]
            crash_copy(folder, copy)
        with (copy / "journal.db-wal").open("ab") as log:
            log.write(bytes(torn_bytes))
        assert promised == appended
        crashed = open_journal(copy / "journal.db", LIMITS, start=False)
        assert list(crashed.journal.rows()) == some_rows(appended)
        crashed.journal.close()
        assert verify(copy / "journal.db", fold_factory=TallyFold).good


@settings(max_examples=30)
@given(st.integers(1, 200), st.floats(0.0, 1.0))
def test_a_log_cut_anywhere_is_a_prefix(count: int, share: float) -> None:
    """A log whose end was lost at any byte leaves rows 1 to n with their tables, never a mix; it fails if a torn commit
    shows in part.
    """
    with tempfile.TemporaryDirectory() as name:
        folder, copy = Path(name) / "live", Path(name) / "cut"
        folder.mkdir()
        with opened(folder / "journal.db", JournalLimits(rows_per_commit_max=8, reserve_bytes=4_096)) as held:
            held.append(*some_rows(count))
            assert held.journal.flush(20)
            crash_copy(folder, copy)
        log = copy / "journal.db-wal"
        with log.open("r+b") as file:
            file.truncate(int(log.stat().st_size * share))
        cut = open_journal(copy / "journal.db", start=False)
        found = list(cut.journal.rows())
        cut.journal.close()
        assert found == some_rows(len(found))
        assert verify(copy / "journal.db", fold_factory=TallyFold).good
