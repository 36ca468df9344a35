"""What the lease costs a compiled hot path."""

import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from appliance.kernels.compiling import kernel
from appliance.kernels.lease import Words, permits
from appliance.safety.lease import LEASE_HEADER, LeaseReader, LeaseWriter, lease_path
from appliance.safety.page import boot_identity
from tests.bench.figures import Figure, figure, show

READS_COUNT = 2_000_000
ROUNDS = 5
PAGES_COUNT = 64
VALID_NS = 5_000_000_000


@kernel
def _permitted_count(pages: Words, header: np.uint64, now_ns: np.uint64, reads_count: int) -> int:
    """Count permissions, each of another page and another moment, so that no load can be moved out of the loop."""
    count = 0
    for turn in range(reads_count):
        if permits(pages[turn % PAGES_COUNT], header, now_ns + np.uint64(turn)):
            count += 1
    return count


def measure() -> list[Figure]:
    """Return the figures."""
    with tempfile.TemporaryDirectory() as name:
        path = lease_path(Path(name))
        path.parent.mkdir(parents=True)
        writer = LeaseWriter(path, boot_identity(), os.getpid())
        words = np.frombuffer(LeaseReader(path, boot_identity()).words, dtype=np.uint64)
        now_ns = time.monotonic_ns()
        writer.renew(now_ns + VALID_NS, writer.ticket())
        pages = np.tile(words, (PAGES_COUNT, 1))
        header, moment = np.uint64(LEASE_HEADER), np.uint64(now_ns)
        _permitted_count(pages, header, moment, 1)
        taken = []
        for _ in range(ROUNDS):
            started_ns = time.perf_counter_ns()
            _permitted_count(pages, header, moment, READS_COUNT)
            taken.append((time.perf_counter_ns() - started_ns) / READS_COUNT)
    return [figure("lease: one permission check in a kernel", statistics.median(taken), "ns", 1000)]


if __name__ == "__main__":
    show(measure())
