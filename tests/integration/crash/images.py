"""Cut a program off at many moments and look at what each leaves.

    python -m tests.integration.crash.images --images 2000 [--seed N] [--program NAME]

Every image is one moment and one outcome of what the disk had not synced, both drawn from the seed. Exit code 1 when
one broke a promise.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from appliance.core.clock import SystemClock
from appliance.guardian.disk import GuardianDisk
from appliance.store.verify import verify
from tests.integration.crash import programs
from tests.integration.crash.disk import Disk
from tests.integration.crash.trace import Acknowledge, Operation, traced
from tests.unit.store.builders import TallyFold, open_journal, opened, some_rows

IMAGES_PER_RUN = 100
PROGRESS_S = 2.0
Check = Callable[[Path, int, int], str]


def check_journal(folder: Path, acknowledged: int, seed: int) -> str:
    """Say what is wrong with a journal that a crash left: rows lost, changed or out of place, or no way to go on."""
    path = folder / "journal.db"
    if not path.exists() and acknowledged == 0:
        return ""
    written = [row for burst in programs.bursts(random.Random(seed)) for row in burst]
    left = open_journal(path, programs.LIMITS, start=False)
    found = list(left.journal.rows())
    left.journal.close()
    if len(found) < acknowledged:
        return f"{acknowledged} rows were acknowledged, {len(found)} are left"
    if found != written[: len(found)]:
        return "a row is not as it was written"
    with opened(path, programs.LIMITS) as held:
        held.append(*some_rows(3, len(found) + 1))
        if not held.journal.flush(20):
            return "it cannot go on"
    report = verify(path, fold_factory=TallyFold)
    return "" if report.good else f"verify finds it damaged: {report}"


def check_latch(folder: Path, acknowledged: int, _seed: int) -> str:
    """Say what is wrong with a guardian's disk that a crash left: an older latch, or one more start than was kept."""
    disk = GuardianDisk(folder, SystemClock())
    record = disk.record
    disk.audit.close()
    if disk.audit.damage is not None:
        return f"the audit log is damaged: {disk.audit.damage}"
    if acknowledged < 0:
        # Not even the first record was promised: latched because it is missing, or clear because it is the first.
        return ""
    number = record.latch_sequence + record.start_sequence
    if number not in {acknowledged, acknowledged + 1}:
        return f"record {acknowledged} was kept, {number} is left"
    return "" if record.latched == bool(number % 2) else f"record {number} is not as it was written"


CHECKS: dict[str, Check] = {
    "journal": check_journal,
    "careless": check_journal,
    "latch": check_latch,
    "hasty": check_latch,
}


def crash_images(program: str, seed: int, count: int) -> Iterator[str]:
    """Run a program once, cut it off at so many moments, and yield what is wrong each time, mostly nothing."""
    generator = random.Random(f"{program}/{seed}")
    with tempfile.TemporaryDirectory(prefix="crash-") as name:
        live = Path(name) / "live"
        (live / "guardian").mkdir(parents=True)
        operations = traced(live, programs.__name__, program, str(seed))
        disk, done, acknowledged = Disk(str(live)), 0, -1 if CHECKS[program] is check_latch else 0
        for number, moment in enumerate(sorted(generator.randint(1, len(operations)) for _ in range(count))):
            acknowledged = _follow(disk, operations[done:moment], acknowledged)
            done = moment
            image = Path(name) / f"image-{number}"
            (image / "guardian").mkdir(parents=True)
            disk.leave(image, generator)
            try:
                problem = CHECKS[program](image, acknowledged, seed)
            except Exception as error:  # noqa: BLE001 - whatever keeps an image from being read is what is looked for
                problem = f"{type(error).__name__}: {error}"
            yield problem and f"{program} seed {seed}, cut after {moment} of {len(operations)} operations: {problem}"


def _follow(disk: Disk, operations: list[Operation], acknowledged: int) -> int:
    for operation in operations:
        if isinstance(operation, Acknowledge):
            acknowledged = operation.number
        else:
            disk.take(operation)
    return acknowledged


def many(program: str, seed: int, count: int) -> list[str]:
    """Make so many images, a fresh run of the program for every hundred, and return what was wrong."""
    problems: list[str] = []
    bounds = [*range(0, count, IMAGES_PER_RUN), count]
    told_s = time.monotonic()
    for number, (first, last) in enumerate(pairwise(bounds)):
        problems += filter(None, crash_images(program, seed + number, last - first))
        if time.monotonic() - told_s >= PROGRESS_S:
            told_s = time.monotonic()
            print(f"{program}: {last:,} of {count:,} images, {len(problems)} bad", flush=True)  # noqa: T201 - progress
    return problems


def main() -> int:
    """Make images as asked and tell what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.integration.crash.images", description=__doc__)
    parser.add_argument("--images", type=int, default=2000, metavar="N", help="how many of each (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the first seed (default: %(default)s)")
    parser.add_argument("--program", choices=sorted(CHECKS), action="append", help="only this one; may be repeated")
    arguments = parser.parse_args()
    bad = 0
    for program in arguments.program or ("journal", "latch"):
        problems = many(program, arguments.seed, arguments.images)
        bad += len(problems)
        for problem in problems[:10]:
            print(problem)  # noqa: T201 - the command's output
        print(f"{program}: {arguments.images:,} crash images, {len(problems)} broke a promise")  # noqa: T201 - as above
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
