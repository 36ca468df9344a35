"""Parts that tests of the store share: a small real fold, rows, and a journal joined to lists."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from appliance.core.clock import SystemClock
from appliance.core.errors import StoreFailure
from appliance.core.records import Row
from appliance.store import database
from appliance.store.journal import Journal
from appliance.store.limits import JournalLimits

DEVICE = "bench-1"
ESSENTIAL = frozenset({"cancel", "mode"})
SMALL = JournalLimits(reserve_bytes=64 * 1024)


class TallyFold:
    """Count rows by kind and remember the last payload of each."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._changed: dict[tuple[str, str], bytes] = {}

    def apply(self, row: Row) -> None:
        """Count one row."""
        self._counts[row.kind] += 1
        document = {"count": self._counts[row.kind], "bytes": len(row.payload)}
        self._changed["orders", row.kind] = msgspec.json.encode(document)

    def changed(self) -> Iterable[tuple[str, str, bytes]]:
        """Return the tallies that changed."""
        taken, self._changed = self._changed, {}
        return [(table, key, document) for (table, key), document in taken.items()]


@dataclass
class Opened:
    """Hold a started journal and what it reported."""

    journal: Journal
    durable: list[int] = field(default_factory=list)
    failures: list[StoreFailure] = field(default_factory=list)

    def append(self, *rows: Row) -> None:
        """Append several rows."""
        for row in rows:
            self.journal.append(row)


def row(sequence: int, kind: str = "order", payload: bytes = b"{}", wall_ns: int = 0, trace: int = 0) -> Row:
    """Return one row."""
    return Row(sequence=sequence, wall_ns=wall_ns, trace=trace, kind=kind, payload=payload)


def some_rows(count: int, first: int = 1, kind: str = "order", size_bytes: int = 20) -> list[Row]:
    """Return rows that follow each other."""
    return [
        row(number, kind, f"{number:0{size_bytes}d}".encode(), wall_ns=number * 1_000, trace=number * 7)
        for number in range(first, first + count)
    ]


def open_journal(
    path: Path, limits: JournalLimits = SMALL, connect: database.Connect = database.connect, *, start: bool = True
) -> Opened:
    """Open a journal that reports into lists."""
    durable: list[int] = []
    failures: list[StoreFailure] = []
    journal = Journal.open(
        path,
        device=DEVICE,
        clock=SystemClock(),
        on_durable=durable.append,
        on_failure=failures.append,
        essential_kinds=ESSENTIAL,
        limits=limits,
        connect=connect,
    )
    if start:
        fold = TallyFold()
        for stored in journal.rows():
            fold.apply(stored)
        journal.start(fold)
    return Opened(journal, durable, failures)


@contextmanager
def opened(path: Path, limits: JournalLimits = SMALL, connect: database.Connect = database.connect) -> Iterator[Opened]:
    """Open and start a journal, and close it at the end."""
    held = open_journal(path, limits, connect)
    try:
        yield held
    finally:
        held.journal.close()


def written(path: Path, rows: Iterable[Row]) -> Path:
    """Write rows into a journal and close it."""
    with opened(path) as held:
        held.append(*rows)
        assert held.journal.flush(20)
    return path


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait for something that another thread does; the bound only ends a hang."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.002)
