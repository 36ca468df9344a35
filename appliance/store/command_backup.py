"""`appliance backup`: make a backup of a journal at rest, list backups, restore one.

A running trader makes its own backups and holds the journal; this verb is for all other times.
"""

import argparse
import contextlib
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from appliance.core.clock import NANOSECONDS_PER_SECOND, SystemClock
from appliance.core.errors import StoreFailure
from appliance.store import backups, database
from appliance.store.copying import copy_database
from appliance.store.lock import InstanceLock
from appliance.store.paths import add_journal_options, backups_in, journal_of
from appliance.store.retention import CLASSES

_PAGES_PER_STEP = 4_096
_SHORT_HASH_DIGITS = 8


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions of the verb and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    now = actions.add_parser("now", help="copy and check the journal while no trader runs")
    add_journal_options(now)
    now.add_argument(
        "--to", type=Path, metavar="DIR", help="folder of the backups (default: backups beside the journal)"
    )
    now.add_argument(
        "--class", dest="period", choices=CLASSES, default="daily", help="what to keep it as (default: daily)"
    )
    listing = actions.add_parser("list", help="list the backups, oldest first")
    add_journal_options(listing)
    listing.add_argument("--to", type=Path, metavar="DIR", help="folder of the backups")
    restoring = actions.add_parser("restore", help="check a backup and put it into an empty folder")
    restoring.add_argument("backup", type=Path, metavar="FILE", help="the backup")
    restoring.add_argument("--to", type=Path, metavar="DIR", required=True, help="state folder without a journal")


def run(arguments: argparse.Namespace) -> int:
    """Carry out one action."""
    match arguments.action:
        case "now":
            _now(journal_of(arguments), _folder(arguments), arguments.period)
        case "list":
            _list(_folder(arguments))
        case _:
            head = backups.restore(arguments.backup, arguments.to)
            print(f"restored into {arguments.to}; its last row is {head}")
    return 0


def _folder(arguments: argparse.Namespace) -> Path:
    named: Path | None = arguments.to
    return backups_in(journal_of(arguments).parent) if named is None else named


def _now(journal: Path, folder: Path, period: str) -> None:
    if not journal.is_file():
        raise StoreFailure(f"There is no journal at {journal}; name another with --journal or --state.")
    lock = InstanceLock.take_to_read(journal)
    try:
        made = backups.make(lambda target: _copy(journal, target), journal, folder, (period,), SystemClock().wall_ns())
    finally:
        lock.release()
    for path in made:
        print(path)


def _copy(journal: Path, target: Path) -> None:
    try:
        with contextlib.closing(database.read_only(journal)) as source:
            copy_database(source, target, _PAGES_PER_STEP, _nothing_waits)
    except sqlite3.Error as error:
        raise database.failure_of(error) from error


def _nothing_waits() -> None:
    """Go on at once: no trader appends while this process holds the lock."""


def _list(folder: Path) -> None:
    for backup in backups.existing_backups(folder):
        moment = datetime.fromtimestamp(backup.wall_ns // NANOSECONDS_PER_SECOND, tz=UTC).isoformat()
        size_bytes = backup.path.stat().st_size
        hash_start = backup.hash_start[:_SHORT_HASH_DIGITS]
        print(f"{backup.period:<8} {moment} {size_bytes:>12} bytes  row {backup.sequence} {hash_start}  {backup.path}")
