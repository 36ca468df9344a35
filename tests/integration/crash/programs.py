"""Programs to be cut off: each works on one folder and prints `ack N` for what it promises to have kept.

    python -m tests.integration.crash.programs FOLDER journal|careless|latch|hasty SEED

`careless` is the journal with syncs that SQLite leaves out, `hasty` the latch with names that are not synced: a crash
suite that does not catch them would prove nothing.
"""

import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from appliance.core.clock import SystemClock
from appliance.core.records import Row
from appliance.guardian import files
from appliance.guardian.disk import GuardianDisk
from appliance.guardian.keeper import Note
from appliance.safety.lease import LatchCause
from appliance.store import database
from appliance.store.journal import Journal
from appliance.store.limits import JournalLimits
from tests.unit.store.builders import DEVICE, ESSENTIAL, TallyFold, some_rows

ROWS = 400
LATCHES = 60
LIMITS = JournalLimits(rows_per_commit_max=16, wal_pages_max=24, reserve_bytes=4_096)


def acknowledge(number: int) -> None:
    """Promise, in one call of the system, so that its place among the others is known."""
    os.write(1, f"ack {number}\n".encode())


def bursts(generator: random.Random) -> Iterator[list[Row]]:
    """Return the rows that a generator's journal is given, in the groups that it is given them in."""
    first = 1
    while first <= ROWS:
        rows = some_rows(generator.randint(1, 24), first, size_bytes=generator.choice((20, 20, 300, 3_000)))
        yield rows
        first += len(rows)


def journal(folder: Path, generator: random.Random) -> None:
    """Append rows in bursts; every commit's last row is acknowledged by the writer's own thread."""
    path = folder / "journal.db"
    held = Journal.open(
        path,
        device=DEVICE,
        clock=SystemClock(),
        on_durable=acknowledge,
        on_failure=lambda failure: sys.exit(str(failure)),
        essential_kinds=ESSENTIAL,
        limits=LIMITS,
    )
    held.start(TallyFold())
    for burst in bursts(generator):
        for row in burst:
            held.append(row)
        if not held.flush(20):
            sys.exit("the journal did not keep what it was given")
    held.close()


def careless(folder: Path, generator: random.Random) -> None:
    """Keep a journal whose commits are not synced."""
    settings = [setting.replace("synchronous=FULL", "synchronous=NORMAL") for setting in database._OWNER_SETTINGS]
    database._OWNER_SETTINGS = tuple(settings)
    journal(folder, generator)


def latch(folder: Path, generator: random.Random) -> None:
    """Set and clear the halt latch and write about it; odd numbers are latched, each is acknowledged when kept."""
    disk = GuardianDisk(folder, SystemClock())
    record = disk.record
    acknowledge(0)
    for number in range(1, LATCHES + 1):
        record = record.set(LatchCause.BUTTON, number) if number % 2 else record.cleared(number)
        disk.save(record)
        acknowledge(number)
        for _ in range(generator.randint(0, 2)):
            disk.append(Note("latched", {"number": number}, number, number))


def hasty(folder: Path, generator: random.Random) -> None:
    """Keep a latch whose new name is not synced."""
    files.sync_folder = _forget
    latch(folder, generator)


def _forget(folder: Path) -> None:
    """Sync nothing."""


def main() -> None:
    """Run one program."""
    folder, name, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    {"journal": journal, "careless": careless, "latch": latch, "hasty": hasty}[name](folder, random.Random(seed))


if __name__ == "__main__":
    main()
