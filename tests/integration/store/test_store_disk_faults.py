"""A real disk that is full, goes read-only or cannot sync: small ext4 images, mounted for one test each.

Needs root and loop devices; without them the tests say so and are skipped.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.core.errors import DiskFull, StoreFailure
from appliance.store.limits import JournalLimits
from appliance.store.verify import verify
from appliance.store.writer import REFUSED_KIND, WriterState
from tests.unit.store.builders import TallyFold, open_journal, opened, row, some_rows, until

TOOLS = ("mkfs.ext4", "losetup", "mount", "umount")
LIMITS = JournalLimits(reserve_bytes=1024 * 1024, rows_per_commit_max=64, wal_pages_max=64)
SEARCH_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"

pytestmark = pytest.mark.serial


def run(*command: object) -> str:
    """Run one command of the system."""
    words = [str(word) for word in command]
    done = subprocess.run(words, check=True, capture_output=True, text=True, env={"PATH": SEARCH_PATH})
    return done.stdout.strip()


@contextmanager
def mounted(kind: str, source: object, point: Path, options: str) -> Iterator[Path]:
    """Mount something for as long as it is needed."""
    point.mkdir()
    run("mount", "-t", kind, "-o", options, source, point)
    try:
        yield point
    finally:
        run("umount", "--lazy", point)


@contextmanager
def looped(image: Path) -> Iterator[str]:
    """Attach an image to a loop device for as long as it is needed."""
    device = run("losetup", "--find", "--show", image)
    try:
        yield device
    finally:
        run("losetup", "--detach", device)


@contextmanager
def ext4(image: Path, megabytes: int, point: Path, *features: str) -> Iterator[tuple[Path, str]]:
    """Make a file system in an image and mount it, with no blocks set aside for root."""
    with image.open("wb") as file:
        file.truncate(megabytes * 1024 * 1024)
    run("mkfs.ext4", "-q", "-F", "-m", 0, "-E", "lazy_itable_init=0,lazy_journal_init=0", *features, image)
    with (
        looped(image) as device,
        mounted("ext4", device, point, "errors=continue" if features else "errors=remount-ro"),
    ):
        yield point, Path(device).name


@pytest.fixture(autouse=True)
def can_mount(tmp_path: Path) -> None:
    """Skip where small disks cannot be mounted, saying why."""
    missing = [tool for tool in TOOLS if shutil.which(tool, path=SEARCH_PATH) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"needs root and {', '.join(missing) or 'its rights'} to mount a small disk")
    try:
        with ext4(tmp_path / "probe.img", 4, tmp_path / "probe"):
            pass
    except subprocess.CalledProcessError as error:
        pytest.skip(f"this kernel does not let us mount an image: {error.stderr}")


def fill(folder: Path) -> Path:
    """Take every block that is left."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size_bytes in (65_536, 4_096, 512):
            try:
                while file.write(bytes(size_bytes)):
                    pass
            except OSError:
                continue
    return filler


def test_disk_full_keeps_cancels_and_modes_and_promises_nothing_else(tmp_path: Path) -> None:
    """On a full disk essential rows are still recorded from the reserve, others become refusals, and nothing more is
    acknowledged; it fails if the reserve is not released, a refused row is promised, or the chain gets a hole.
    """
    with ext4(tmp_path / "disk.img", 8, tmp_path / "disk") as (disk, _):
        path = disk / "journal.db"
        with opened(path, LIMITS) as held:
            held.append(*some_rows(10))
            assert held.journal.flush(20)
            filler = fill(disk)
            sequence = 10
            while not held.failures:
                held.append(*some_rows(64, sequence + 1, size_bytes=400))
                sequence += 64
                held.journal.flush(20)
            assert isinstance(held.failures[0], DiskFull)
            assert held.journal.status().state is WriterState.RESERVE
            promised = held.durable[-1]
            essential = [row(sequence + 1, "cancel", b"cancel all"), row(sequence + 2, "mode", b"halted")]
            held.append(*essential, row(sequence + 3, "order", b"not any more"))
            assert held.journal.flush(20)
            assert held.durable[-1] == promised < sequence
            assert len(held.failures) == 1
            assert held.journal.status().rows_refused == sequence - promised + 1
        filler.unlink()
        again = open_journal(path, LIMITS, start=False)
        found = list(again.journal.rows())
        assert found[:10] == some_rows(10)
        assert [item.kind for item in found[promised:sequence]] == [REFUSED_KIND] * (sequence - promised)
        assert found[sequence : sequence + 2] == essential
        assert found[-1].payload == b'{"kind":"refused","of":"order"}'
        again.journal.close()


def test_a_reserve_used_up_is_the_end(tmp_path: Path) -> None:
    """When the reserve is gone too, the writer reports once more and stops; it fails if it goes on unrecorded."""
    with ext4(tmp_path / "disk.img", 8, tmp_path / "disk") as (disk, _), opened(disk / "journal.db", LIMITS) as held:
        fill(disk)
        sequence = 0
        while held.journal.status().state is not WriterState.FAILED:
            held.append(*some_rows(64, sequence + 1, kind="cancel", size_bytes=400))
            sequence += 64
            held.journal.flush(20)
        assert [type(failure) for failure in held.failures] == [DiskFull, StoreFailure]
        kept = held.journal.head().sequence
        held.append(row(sequence + 1, "cancel"))
        assert not held.journal.flush(20)
        assert held.journal.head().sequence == kept


def test_after_a_full_disk_the_next_start_holds_a_new_reserve(tmp_path: Path) -> None:
    """While the disk is full the start is refused in words; once there is room it goes on with a whole chain and
    tables; it fails if it starts without a reserve.
    """
    with ext4(tmp_path / "disk.img", 8, tmp_path / "disk") as (disk, _):
        path = disk / "journal.db"
        with opened(path, LIMITS) as held:
            held.append(*some_rows(10))
            assert held.journal.flush(20)
        (disk / "journal.db.reserve").unlink()
        filler = fill(disk)
        with pytest.raises(DiskFull, match="free some room"):
            open_journal(path, LIMITS)
        filler.unlink()
        with opened(path, LIMITS) as again:
            again.append(*some_rows(5, first=11))
            assert again.journal.flush(20)
        assert verify(path, fold_factory=TallyFold).good


def test_a_read_only_remount_is_the_end(tmp_path: Path) -> None:
    """The kernel making the disk read-only after an error of its own stops the writer and keeps what was promised; it
    fails if a row after it is acknowledged or a promised one is lost.
    """
    with ext4(tmp_path / "disk.img", 16, tmp_path / "disk") as (disk, device):
        trigger = Path(f"/sys/fs/ext4/{device}/trigger_fs_error")
        if not trigger.exists():
            pytest.skip("this kernel cannot be told to find a file system error")
        with opened(disk / "journal.db", LIMITS) as held:
            held.append(*some_rows(10))
            assert held.journal.flush(20)
            trigger.write_text("test")
            held.append(*some_rows(10, first=11))
            until(lambda: held.failures)
            assert not held.journal.flush(20)
            assert type(held.failures[0]) is StoreFailure
            assert held.durable[-1] == 10
            assert len(held.failures) == 1
        shutil.copytree(disk, tmp_path / "rescued", ignore=shutil.ignore_patterns("lost+found"))
    rescued = open_journal(tmp_path / "rescued" / "journal.db", start=False)
    assert list(rescued.journal.rows())[:10] == some_rows(10)
    rescued.journal.close()


def test_a_sync_that_really_fails_is_the_end(tmp_path: Path) -> None:
    """A disk whose blocks cannot be stored (an image on a full memory disk) fails the sync, not the write: the row is
    not acknowledged and nothing is tried again; it fails if a write that reached only memory counts as kept.
    """
    with (
        mounted("tmpfs", "small", tmp_path / "memory", "size=12m") as memory,
        ext4(memory / "disk.img", 64, tmp_path / "disk", "-O", "^has_journal") as (disk, _),
        opened(disk / "journal.db", LIMITS) as held,
    ):
        held.append(*some_rows(10))
        assert held.journal.flush(20)
        fill(memory)
        sequence = 10
        while not held.failures:
            held.append(*some_rows(64, sequence + 1, size_bytes=1_000))
            sequence += 64
            held.journal.flush(60)
        promised = held.durable[-1]
        assert "SQLITE_IOERR_FSYNC" in str(held.failures[0])
        held.append(*some_rows(64, sequence + 1))
        assert not held.journal.flush(60)
        assert held.durable[-1] == promised < sequence
        assert len(held.failures) == 1
