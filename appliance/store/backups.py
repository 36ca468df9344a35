"""Backups of the journal: copied while it is written, checked before they count, restored only into an empty place.

A backup is one SQLite file. Its name carries its class, its time, and the sequence and the first half of the hash of
its last row, so a file that lost its end is found without any other record. A name appears only after the copy was
synced and checked; whatever a crash leaves behind has another name and is removed the next time. One copy serves
every class that is due, by hard links, to spare the card.
"""

import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.errors import JournalDamaged, StoreFailure
from appliance.store import chain
from appliance.store.chain import Head
from appliance.store.files import sync_file, sync_folder
from appliance.store.lock import InstanceLock
from appliance.store.paths import JOURNAL_NAME
from appliance.store.retention import CLASSES, DEFAULT_RETENTION, Kept, Retention, plan
from appliance.store.verify import verify

ROOM_LEFT_BYTES_MIN = 64 * 1024 * 1024

_TIME_FORMAT = "%Y%m%dT%H%M%SZ"
_HASH_DIGITS = 32
_NAME = re.compile(
    rf"(?P<period>{'|'.join(CLASSES)})-(?P<time>\d{{8}}T\d{{6}}Z)-(?P<sequence>\d{{1,19}})-(?P<hash>[0-9a-f]{{{_HASH_DIGITS}}})\.db"
)
_UNFINISHED = "unfinished.copy"

Copy = Callable[[Path], None]


class Backup(NamedTuple):
    """Name one backup by what its file name says."""

    path: Path
    period: str
    wall_ns: int
    sequence: int
    hash_start: str


class Made(NamedTuple):
    """Tell what one round of backups did."""

    made: tuple[Path, ...]
    deleted: tuple[Path, ...]


def existing_backups(folder: Path) -> tuple[Backup, ...]:
    """Return the backups of a folder, oldest first; other files are none of our business."""
    if not folder.is_dir():
        return ()
    found = (parse_name(path) for path in folder.iterdir())
    return tuple(sorted((backup for backup in found if backup is not None), key=_by_time))


def parse_name(path: Path) -> Backup | None:
    """Return what a backup's name says, or nothing if the file is not one."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    try:
        moment = datetime.strptime(match["time"], _TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None
    wall_ns = int(moment.timestamp()) * NANOSECONDS_PER_SECOND
    return Backup(path, match["period"], wall_ns, int(match["sequence"]), match["hash"])


def make_due(
    copy: Copy,
    journal: Path,
    folder: Path,
    now_wall_ns: int,
    retention: Retention = DEFAULT_RETENTION,
    room_left_bytes_min: int = ROOM_LEFT_BYTES_MIN,
) -> Made:
    """Make the backups that are due and delete those past their time; for a thread that may wait for the disk."""
    there = existing_backups(folder)
    copy_bytes = journal.stat().st_size
    planned = plan(now_wall_ns, tuple(Kept(b.period, b.wall_ns, b.path.name) for b in there), copy_bytes, retention)
    made: tuple[Path, ...] = ()
    if planned.make:
        made = make(copy, journal, folder, planned.make, now_wall_ns, room_left_bytes_min)
    deleted = tuple(folder / name for name in planned.delete)
    for path in deleted:
        path.unlink(missing_ok=True)
    return Made(made, deleted)


def make(
    copy: Copy,
    journal: Path,
    folder: Path,
    periods: tuple[str, ...],
    now_wall_ns: int,
    room_left_bytes_min: int = ROOM_LEFT_BYTES_MIN,
) -> tuple[Path, ...]:
    """Make one checked copy and give it a name in each class."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _require_room(folder, journal.stat().st_size + room_left_bytes_min)
        unfinished = folder / _UNFINISHED
        _remove_copy(unfinished)
        copy(unfinished)
        sync_file(unfinished)
        head = checked_head(unfinished)
        made = tuple(folder / _name(period, now_wall_ns, head) for period in periods)
        for path in made:
            path.unlink(missing_ok=True)
            path.hardlink_to(unfinished)
        unfinished.unlink()
        sync_folder(folder)
    except OSError as error:
        raise StoreFailure(f"The backup in {folder} was not made ({error}); check that disk.") from error
    return made


def restore(backup: Path, folder: Path) -> Head:
    """Put a checked backup into a folder that holds no journal, and check it again there."""
    before = checked_head(backup)
    target = folder / JOURNAL_NAME
    unfinished = folder / _UNFINISHED
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.glob(f"{JOURNAL_NAME}*")):
            raise StoreFailure(f"There is a journal in {folder} already; restore into an empty folder with --to.")
        lock = InstanceLock.take(target)
        try:
            _remove_copy(unfinished)
            shutil.copyfile(backup, unfinished)
            sync_file(unfinished)
            after = checked_head(unfinished)
            if after != before:
                raise JournalDamaged(f"The copy of {backup} differs from it; check the disk under {folder}.")
            unfinished.rename(target)
            sync_folder(folder)
        finally:
            lock.release()
    except OSError as error:
        raise StoreFailure(f"The backup was not restored into {folder} ({error}); check that disk.") from error
    return after


def checked_head(path: Path) -> Head:
    """Return the last row's sequence and hash of a backup that is whole, and refuse any other."""
    report = verify(path)
    head = chain.parse_head(report.head)
    named = parse_name(path)
    for finding in report.findings:
        if finding.wrong is not None:
            raise JournalDamaged(f"The backup {path} is not whole ({finding.check}: {finding.wrong}); use another one.")
    if head is None:
        raise JournalDamaged(f"The backup {path} has no readable last row; use another one.")
    if named is not None and (named.sequence, named.hash_start) != (head.sequence, head.hash.hex()[:_HASH_DIGITS]):
        raise JournalDamaged(f"The backup {path} does not end with the row its name tells; use another one.")
    return head


def _name(period: str, wall_ns: int, head: Head) -> str:
    moment = datetime.fromtimestamp(wall_ns // NANOSECONDS_PER_SECOND, tz=UTC).strftime(_TIME_FORMAT)
    return f"{period}-{moment}-{head.sequence}-{head.hash.hex()[:_HASH_DIGITS]}.db"


def _require_room(folder: Path, wanted_bytes: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < wanted_bytes:
        raise StoreFailure(f"A backup needs {wanted_bytes} bytes free in {folder} and there are {free_bytes}.")


def _remove_copy(path: Path) -> None:
    for leftover in (path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm", "-journal"))):
        leftover.unlink(missing_ok=True)


def _by_time(backup: Backup) -> tuple[int, str]:
    return backup.wall_ns, backup.path.name
