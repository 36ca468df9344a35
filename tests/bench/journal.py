"""The journal's figures: rows a second with every commit synced, what `append` costs the trading thread, checking at
start.

The peer, in the same run and on the same disk, is the plain way: the same rows, the same settings of SQLite, one
commit a row. Both alternate, medians are quoted. The files lie under `var/bench` of the working folder, because a
memory disk syncs nothing.
"""

import gc
import statistics
import sys
import tempfile
import time
from pathlib import Path

from appliance.core.clock import SystemClock
from appliance.core.errors import StoreFailure
from appliance.core.records import Row
from appliance.store import chain, database, schema
from appliance.store.journal import Journal
from appliance.store.limits import DEFAULT_LIMITS
from tests.bench.figures import Figure, figure, show

DEVICE = "bench"
ROUNDS = 5
JOURNAL_ROWS = 60_000
PEER_ROWS = 300
PAYLOAD = (
    b'{"kind":"order","client_id":"b4-000000000000","move":"acknowledge","state":"open","filled_lots":0,"reason":""}'
)
PAYLOAD_BYTES = 150
REACH_ROWS_PER_SECOND = 20_000


class NoTables:
    """Project nothing, so that the rows alone are measured."""

    def apply(self, row: Row) -> None:
        """Take no notice of a row."""

    def changed(self) -> list[tuple[str, str, bytes]]:
        """Return that nothing changed."""
        return []


def measure() -> list[Figure]:
    """Return the figures: stage, value, unit, and the figure to reach where there is one."""
    folder = Path("var/bench")
    folder.mkdir(parents=True, exist_ok=True)
    rows = [Row(n, n, n, "order", PAYLOAD.ljust(PAYLOAD_BYTES)) for n in range(1, JOURNAL_ROWS + 1)]
    ours: list[dict[str, float]] = []
    peer: list[float] = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(dir=folder) as name:
            ours.append(journal_round(Path(name) / "journal.db", rows))
            peer.append(peer_round(Path(name) / "peer.db", rows[:PEER_ROWS]))
    median = {key: statistics.median(result[key] for result in ours) for key in ours[0]}
    per_second = median["rows_per_second"]
    return [
        figure("journal, group commit, synchronous=FULL", per_second, "rows/s", REACH_ROWS_PER_SECOND),
        figure("the same, one commit a row", statistics.median(peer), "rows/s", None),
        figure("group commit against one commit a row", per_second / statistics.median(peer), "ratio", None),
        figure("append on the trading thread, p50", median["append_ns_p50"], "ns", None),
        figure("append on the trading thread, p99", median["append_ns_p99"], "ns", None),
        figure("open: integrity and whole chain", median["open_rows_per_second"], "rows/s", 200_000),
        figure("a single row, append to durable, p50", median["single_us_p50"], "us", None),
    ]


def journal_round(path: Path, rows: list[Row]) -> dict[str, float]:
    """Write all rows through the journal, then open it again."""
    journal = opened(path)
    append_ns: list[int] = []
    gc.disable()
    started_ns = time.perf_counter_ns()
    for row in rows:
        before_ns = time.perf_counter_ns()
        journal.append(row)
        append_ns.append(time.perf_counter_ns() - before_ns)
    flushed = journal.flush(120)
    seconds = (time.perf_counter_ns() - started_ns) / 1e9
    gc.enable()
    single_us = statistics.median(single_row_us(journal, rows[-1].sequence + 1 + n) for n in range(50))
    journal.close()
    if not flushed:
        raise StoreFailure("The journal did not keep the rows of the bench; look at the disk.")
    started_ns = time.perf_counter_ns()
    opened(path).close()
    open_seconds = (time.perf_counter_ns() - started_ns) / 1e9
    append_ns.sort()
    return {
        "rows_per_second": len(rows) / seconds,
        "append_ns_p50": append_ns[len(rows) // 2],
        "append_ns_p99": append_ns[len(rows) * 99 // 100],
        "open_rows_per_second": len(rows) / open_seconds,
        "single_us_p50": single_us,
    }


def single_row_us(journal: Journal, sequence: int) -> float:
    """Return how long one row takes from append to durable when nothing else waits."""
    started_ns = time.perf_counter_ns()
    journal.append(Row(sequence, sequence, sequence, "order", PAYLOAD))
    journal.flush(30)
    return (time.perf_counter_ns() - started_ns) / 1e3


def peer_round(path: Path, rows: list[Row]) -> float:
    """Return the rows a second of one commit a row, with the chain and the settings of the journal."""
    connection = database.connect(path)
    database.own(connection)
    database.begin_log(connection)
    schema.migrate(connection, 0)
    running = chain.genesis(DEVICE).hash
    started_ns = time.perf_counter_ns()
    for row in rows:
        running = chain.link(running, row.sequence, row.wall_ns, row.trace, row.kind.encode(), row.payload)
        stored = (row.sequence, row.wall_ns, row.trace, row.kind, row.payload, running)
        connection.execute("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)", stored)
    seconds = (time.perf_counter_ns() - started_ns) / 1e9
    connection.close()
    return len(rows) / seconds


def opened(path: Path) -> Journal:
    """Return a started journal of the bench."""
    journal = Journal.open(
        path,
        device=DEVICE,
        clock=SystemClock(),
        on_durable=lambda _sequence: None,
        on_failure=lambda failure: print(failure, file=sys.stderr),
        essential_kinds=frozenset(),
        limits=DEFAULT_LIMITS,
    )
    journal.start(NoTables())
    return journal


if __name__ == "__main__":
    show(measure())
