"""Apply book changes with sortedcontainers; runs under the peers' own interpreter, one round for each line read."""

import json
import sys
import time
from pathlib import Path

from sortedcontainers import SortedDict


def round_of(snapshot: list[list[int]], changes: list[list[int]], depth: int) -> tuple[int, int, int]:
    """Return how long applying all changes onto a snapshot takes, the book kept to its depth, and its best prices."""
    bids, asks = SortedDict(lambda ticks: -ticks), SortedDict()
    for side, ticks, lots in snapshot:
        (asks if side else bids)[ticks] = lots
    before_ns = time.perf_counter_ns()
    for side, ticks, lots in changes:
        levels = asks if side else bids
        if lots:
            levels[ticks] = lots
            if len(levels) > depth:
                levels.popitem()
        else:
            levels.pop(ticks, None)
    return time.perf_counter_ns() - before_ns, bids.peekitem(0)[0], asks.peekitem(0)[0]


def main() -> None:
    """Measure one round for every line."""
    given, depth = json.loads(Path(sys.argv[1]).read_text()), int(sys.argv[2])
    for _ in sys.stdin:
        print(*round_of(given["snapshot"], given["changes"], depth), flush=True)


if __name__ == "__main__":
    main()
