"""A trader killed at any moment has every row it was told is durable."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from appliance.store.verify import verify
from tests.unit.store.builders import TallyFold, open_journal, some_rows

KILLS = 10
CHILD = """
import sys
from pathlib import Path
from tests.unit.store.builders import DEVICE, ESSENTIAL, TallyFold, some_rows
from appliance.core.clock import SystemClock
from appliance.store.journal import Journal
from appliance.store.limits import JournalLimits

def tell(sequence):
    sys.stdout.write(f"{sequence}\\n")
    sys.stdout.flush()

journal = Journal.open(
    Path(sys.argv[1]), device=DEVICE, clock=SystemClock(), on_durable=tell, on_failure=print, essential_kinds=ESSENTIAL,
    limits=JournalLimits(wal_pages_max=40, reserve_bytes=4_096),
)
fold = TallyFold()
for stored in journal.rows():
    fold.apply(stored)
journal.start(fold)
first = journal.head().sequence + 1
while True:
    for row in some_rows(20, first):
        journal.append(row)
    first += 20
    journal.flush(20)
"""

pytestmark = pytest.mark.serial


def test_sigkill_loses_no_acknowledged_row(tmp_path: Path) -> None:
    """Ten times a process that writes the same journal is killed at a random moment; every row it was told is durable
    is there with the right content, and the journal verifies. It fails if a row is acknowledged before its commit.
    """
    path, promised, seeded = tmp_path / "journal.db", 0, random.Random(7)
    for _ in range(KILLS):
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        told = [child.stdout.readline()]
        time.sleep(seeded.uniform(0.0, 0.15))
        child.kill()
        told.extend(child.stdout.read().splitlines())
        child.stdout.close()
        child.wait()
        promised = max(promised, *(int(line) for line in told if line.strip().isdecimal()))
        assert verify(path, fold_factory=TallyFold).good
    again = open_journal(path, start=False)
    found = list(again.journal.rows())
    again.journal.close()
    assert len(found) >= promised > KILLS * 20
    assert found == some_rows(len(found))


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    """Another process that opens the journal ends with a clear error; it fails if the lock is for one process only."""
    path = tmp_path / "journal.db"
    held = open_journal(path)
    second = subprocess.run([sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=False)
    held.journal.close()
    assert second.returncode != 0
    assert "AlreadyRunning: The journal is in use by process" in second.stderr
