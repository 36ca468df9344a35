"""Backups made while the journal is written, and restored by replaying them."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from appliance.__main__ import main
from appliance.core.errors import JournalDamaged, StoreFailure
from appliance.store import backups
from appliance.store.journal import Journal
from appliance.store.limits import JournalLimits
from appliance.store.retention import Retention
from tests.unit.store.builders import open_journal, opened, some_rows, written

NOW_NS = 1_750_000_000 * 10**9
DAY_NS = 86_400 * 10**9
NO_MARGIN = 0
MANY_STEPS = JournalLimits(copy_pages_per_step=1, reserve_bytes=4_096)


def make_due(journal: Journal, path: Path, folder: Path, now_ns: int = NOW_NS) -> backups.Made:
    """Make what is due through a running journal."""
    return backups.make_due(lambda target: journal.copy_to(target, 60), path, folder, now_ns, Retention(), NO_MARGIN)


def one_backup(tmp_path: Path, count: int = 200) -> Path:
    """Make a backup of a journal at rest."""
    path = tmp_path / "journal.db"
    with opened(path) as held:
        held.append(*some_rows(count))
        assert held.journal.flush(20)
        return make_due(held.journal, path, tmp_path / "backups").made[0]


def test_a_backup_made_under_load_is_a_prefix_and_delays_nobody(tmp_path: Path) -> None:
    """Rows are committed between the steps of a copy, and the copy is whole; it fails if a copy holds the writer."""
    path, target = tmp_path / "journal.db", tmp_path / "copy.db"
    with opened(path, MANY_STEPS) as held:
        held.append(*some_rows(20_000, size_bytes=200))
        assert held.journal.flush(20)
        copied = threading.Thread(target=held.journal.copy_to, args=(target, 60))
        copied.start()
        appended, committed_while_copying = 20_000, 0
        while copied.is_alive():
            held.append(*some_rows(50, appended + 1, size_bytes=200))
            appended += 50
            before = held.durable[-1]
            assert held.journal.flush(20)
            committed_while_copying += held.durable[-1] > before and copied.is_alive()
        copied.join()
        assert committed_while_copying > 3
        assert held.journal.flush(20)
        assert held.journal.head().sequence == appended
        assert held.failures == []
    assert 20_000 <= backups.checked_head(target).sequence <= appended


def test_one_copy_serves_every_class_that_is_due(tmp_path: Path) -> None:
    """The four first backups share their blocks; it fails if the card is written four times."""
    path = tmp_path / "journal.db"
    with opened(path) as held:
        held.append(*some_rows(10))
        made = make_due(held.journal, path, tmp_path / "backups").made
        assert len(made) == 4
        assert len({file.stat().st_ino for file in made}) == 1
        assert make_due(held.journal, path, tmp_path / "backups").made == ()


def test_retention_holds_over_weeks(tmp_path: Path) -> None:
    """After forty days each class has at most its number and the newest is there; it fails if old ones pile up."""
    path, folder = tmp_path / "journal.db", tmp_path / "backups"
    with opened(path) as held:
        for day in range(40):
            held.append(*some_rows(1, day + 1))
            assert held.journal.flush(20)
            make_due(held.journal, path, folder, NOW_NS + day * DAY_NS)
    found = backups.existing_backups(folder)
    counts = {period: sum(b.period == period for b in found) for period in ("hourly", "daily", "weekly", "monthly")}
    assert counts == {"hourly": 24, "daily": 7, "weekly": 4, "monthly": 2}
    assert found[-1].sequence == 40
    assert {file.suffix for file in folder.iterdir()} == {".db"}


def test_a_restored_backup_replays_to_the_same_rows(tmp_path: Path) -> None:
    """Restored, the journal opens, replays and goes on; it fails if the restore is a file nobody can trade from."""
    backup = one_backup(tmp_path)
    head = backups.restore(backup, tmp_path / "new")
    again = open_journal(tmp_path / "new" / "journal.db", start=False)
    assert list(again.journal.rows()) == some_rows(200)
    assert again.journal.head() == head
    again.journal.close()
    written(tmp_path / "new" / "journal.db", some_rows(5, first=201))


def test_a_restore_never_overwrites(tmp_path: Path) -> None:
    """A folder with a journal in it is refused and left alone; it fails if a restore can destroy history."""
    backup = one_backup(tmp_path)
    before = (tmp_path / "journal.db").read_bytes()
    with pytest.raises(StoreFailure, match="There is a journal"):
        backups.restore(backup, tmp_path)
    assert (tmp_path / "journal.db").read_bytes() == before


def edited(path: Path) -> None:
    """Change one payload."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE rows SET payload = x'00' WHERE sequence = 7")


def shortened(path: Path) -> None:
    """Cut rows off the end."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM rows WHERE sequence > 100")


def torn(path: Path) -> None:
    """Keep half of the file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(path: Path) -> None:
    """Change one bit of one payload in the file itself."""
    content = bytearray(path.read_bytes())
    content[content.index(b"%020d" % 42)] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [edited, shortened, torn, flipped])
def test_a_damaged_backup_is_not_restored(tmp_path: Path, damage: object) -> None:
    """Edited, cut, torn or with one bit flipped, a backup is refused and none put in place; it fails if one passes."""
    backup = one_backup(tmp_path)
    assert callable(damage)
    damage(backup)
    with pytest.raises(JournalDamaged, match="use another one"):
        backups.restore(backup, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_copy_that_is_not_whole_gets_no_name(tmp_path: Path) -> None:
    """A copy torn on the way is refused before it counts, and the next round clears it; it fails if it is listed."""
    path, folder = written(tmp_path / "journal.db", some_rows(200)), tmp_path / "backups"

    def torn_copy(target: Path) -> None:
        target.write_bytes(path.read_bytes())
        torn(target)

    with pytest.raises(JournalDamaged):
        backups.make(torn_copy, path, folder, ("daily",), NOW_NS, NO_MARGIN)
    assert backups.existing_backups(folder) == ()
    with opened(path) as held:
        make_due(held.journal, path, folder)
    assert len(backups.existing_backups(folder)) == len(list(folder.iterdir())) == 4


def test_a_backup_leaves_room_for_the_journal(tmp_path: Path) -> None:
    """Without room to spare no copy is begun; it fails if backups could fill the journal's own disk."""
    path = written(tmp_path / "journal.db", some_rows(1))
    with pytest.raises(StoreFailure, match="bytes free"):
        backups.make(Path.touch, path, tmp_path / "backups", ("daily",), NOW_NS, room_left_bytes_min=2**60)


def test_closing_ends_a_copy(tmp_path: Path) -> None:
    """A journal that closes while it is copied ends the copy with an error; it fails if either waits forever."""
    path = tmp_path / "journal.db"
    errors: list[StoreFailure] = []
    held = open_journal(path, MANY_STEPS)
    held.append(*some_rows(60_000, size_bytes=200))
    assert held.journal.flush(20)

    def copy() -> None:
        try:
            held.journal.copy_to(tmp_path / "copy.db", 60)
        except StoreFailure as failure:
            errors.append(failure)

    copying = threading.Thread(target=copy)
    copying.start()
    while not (tmp_path / "copy.db").exists():
        pass
    held.journal.close()
    copying.join(30)
    assert not copying.is_alive()
    assert "not finished" in str(errors[0])


def test_the_verbs_make_list_and_restore(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The three actions work on a state folder at rest; it fails if one is not joined to the rest."""
    state = tmp_path / "state"
    state.mkdir()
    written(state / "journal.db", some_rows(30))
    assert main(["backup", "now", "--state", str(state)]) == 0
    made = Path(capsys.readouterr().out.strip())
    assert made.parent == state / "backups"
    assert main(["backup", "list", "--state", str(state)]) == 0
    assert "row 30" in capsys.readouterr().out
    assert main(["backup", "restore", str(made), "--to", str(tmp_path / "new")]) == 0
    assert "its last row is 30:" in capsys.readouterr().out
    assert main(["backup", "restore", str(made), "--to", str(state)]) == 2
    assert "restore into an empty folder" in capsys.readouterr().err


def test_the_verb_refuses_beside_a_running_trader(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """While the trader has the journal the verb makes no second connection; it fails if it copies anyway."""
    with opened(tmp_path / "journal.db"):
        assert main(["backup", "now", "--state", str(tmp_path)]) == 2
    assert "stop the trader first" in capsys.readouterr().err
