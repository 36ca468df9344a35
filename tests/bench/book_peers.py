"""A book's update beside other systems': NautilusTrader and sortedcontainers, alternating in one run.

Every side applies the same changes, one level each, without checksum, and must come to the same best prices. Ours are
applied inside one dispatch, as the message kernel does it; NautilusTrader's come as its own message, ready or made on
the way.
"""

import json
import statistics
import tempfile
from pathlib import Path

import numpy as np

from appliance.kernels import book
from tests.bench.book import MESSAGES, ROUNDS, all_levels, live, messages, timed
from tests.bench.figures import Figure, figure, show
from tests.bench.peers import peer

DEPTHS = (25, 100)


def beside(depth: int) -> list[Figure]:
    """Measure one depth, each round ours first and then theirs."""
    whole, _, changes = messages(depth)
    array, rows = np.array(changes, np.int64), live(depth, whole).rows
    snapshot = [(side, *level) for side in (0, 1) for level in book.levels_of(rows, 0, side, depth)]
    all_levels(rows, array)
    ours: list[float] = []
    theirs: dict[str, list[float]] = {"NautilusTrader": [], "NautilusTrader, built": [], "sortedcontainers": []}
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "changes.json"
        path.write_text(json.dumps({"snapshot": snapshot, "changes": changes}))
        with peer("nautilus_book.py", path) as nautilus, peer("sorted_book.py", path, depth) as dictionary:
            for _ in range(ROUNDS):
                ours.append(timed(lambda: all_levels(rows, array)))
                ready_ns, built_ns, *nautilus_best = nautilus.round()
                sorted_ns, *sorted_best = dictionary.round()
                theirs["NautilusTrader"].append(ready_ns)
                theirs["NautilusTrader, built"].append(built_ns)
                theirs["sortedcontainers"].append(sorted_ns)
                best = [book.best_price(rows, 0, side) for side in (0, 1)]
                if not best == nautilus_best == sorted_best:
                    raise AssertionError(f"the books differ: ours {best}, {nautilus_best}, {sorted_best}")
    our_ns = statistics.median(ours) / MESSAGES
    figures = [figure(f"book update, depth {depth}", our_ns, "ns")]
    for system, costs in theirs.items():
        their_ns = statistics.median(costs) / MESSAGES
        figures.append(figure(f"  {system}", their_ns, "ns"))
        figures.append(figure(f"  times faster than {system}", their_ns / our_ns, "x", 5.0))
    return figures


def measure() -> list[Figure]:
    """Measure all."""
    return [one for depth in DEPTHS for one in beside(depth)]


if __name__ == "__main__":
    show(measure())
