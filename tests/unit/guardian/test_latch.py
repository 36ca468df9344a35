"""The latch record: kept, checked, and latched whenever in doubt."""

from pathlib import Path

import pytest

from appliance.core.errors import StoreFailure
from appliance.guardian.latch import LatchRecord, LatchStore, latch_path
from appliance.safety.lease import LatchCause

WALL_NS = 1_700_000_000_000_000_000
RECORD = LatchRecord(latched=False, cause=LatchCause.NONE, latch_sequence=3, start_sequence=2, wall_ns=WALL_NS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the record is."""
    path = latch_path(tmp_path)
    path.parent.mkdir(parents=True)
    return path


@pytest.fixture
def store(path: Path, tmp_path: Path) -> LatchStore:
    """Return a store without a record."""
    return LatchStore(path, tmp_path)


def test_a_record_comes_back_as_saved(store: LatchStore) -> None:
    """Every field is kept; it fails if one were lost."""
    for record in (RECORD, RECORD.set(LatchCause.BUTTON, WALL_NS + 1), RECORD.cleared(WALL_NS + 2)):
        store.save(record)
        assert store.load(0) == record


def test_the_first_start_is_clear(store: LatchStore) -> None:
    """A new appliance arms itself; it fails if it began latched."""
    assert not store.load(WALL_NS).latched


@pytest.mark.parametrize(
    "trace", ["guardian/audit.jsonl", "guardian/audit.head", "journal.sqlite", "trader/journal.db"]
)
def test_a_missing_record_beside_any_trace_of_a_life_is_latched(store: LatchStore, tmp_path: Path, trace: str) -> None:
    """Losing the record is no way out of a halt; it fails if a missing file meant never latched."""
    (tmp_path / trace).parent.mkdir(exist_ok=True)
    (tmp_path / trace).touch()
    found = store.load(WALL_NS)
    assert found.latched
    assert found.cause is LatchCause.RECORD_MISSING


def test_every_damaged_byte_and_every_cut_is_latched(store: LatchStore, path: Path) -> None:
    """A clear record with any byte changed or cut off counts as latched; it fails where the digest did not cover."""
    store.save(RECORD)
    content = path.read_bytes()
    damaged = [content[:byte] + bytes([content[byte] ^ 1]) + content[byte + 1 :] for byte in range(len(content))]
    for wrong in [*damaged, *(content[:length] for length in range(len(content))), content + b"x", bytes(5000)]:
        path.write_bytes(wrong)
        found = store.load(WALL_NS)
        assert found.latched
        assert found.cause is LatchCause.RECORD_DAMAGED


def test_a_lost_record_counts_on_from_the_date(store: LatchStore, path: Path) -> None:
    """A trader still running cannot have acknowledged the new latching; it fails if counting began at 1 again."""
    path.write_bytes(b"")
    assert store.load(WALL_NS).latch_sequence == 1_700_000_000


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_a_record_that_is_no_plain_file_is_latched(store: LatchStore, path: Path, tmp_path: Path, kind: str) -> None:
    """Folders and links are not read; it fails if a link could point to a clear record."""
    if kind == "folder":
        path.mkdir()
    else:
        store.save(RECORD)
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    assert store.load(WALL_NS).cause is LatchCause.RECORD_DAMAGED


def test_a_record_that_cannot_be_kept_says_so(store: LatchStore, path: Path) -> None:
    """A failed write raises; it fails if it passed for success."""
    path.with_name("latch.making").mkdir()
    with pytest.raises(StoreFailure, match="not kept"):
        store.save(RECORD)
