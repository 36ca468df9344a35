"""The recorder's figures: what `record` costs the trading thread, what an event takes on the disk, and how fast a
recording replays.

The peer of the replay, in the same run, is the same trader fed the same events from memory: what is lost between the
two is the price of reading and comparing. Both alternate, medians are quoted.
"""

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from appliance.core.clock import VirtualClock
from appliance.core.commands import AnyCommand
from appliance.core.errors import StoreFailure
from appliance.core.events import AnyEvent
from appliance.engine.replay import build_from, replay
from appliance.market.recording import Start, session_items
from appliance.store import recordings
from appliance.store.recorder import Recorder
from appliance.store.recorder_files import RecorderLimits
from tests.bench.figures import Figure, figure, show
from tests.recorded.driver import EPOCH_NS, Driver

ROUNDS = 5
SECONDS = 240
LIMITS = RecorderLimits(file_bytes_max=10**9, total_bytes_max=10**10, bytes_per_day_max=10**10, disk_free_bytes_min=0)

Taken = tuple[int, AnyEvent, Sequence[AnyCommand]]


def lived() -> tuple[Start, list[Taken]]:
    """Return one life of the simulated appliance in memory."""
    driver = Driver(3)
    start = driver.start()
    taken: list[Taken] = []
    driver.live(SECONDS, lambda now_ns, event, commands: taken.append((now_ns, event, commands)))
    return start, taken


def recorded(folder: Path, start: Start, taken: list[Taken]) -> tuple[int, float]:
    """Record a life and return the file's bytes and the median nanoseconds a call took."""
    recorder = Recorder(folder, LIMITS, _refuse, VirtualClock(0, EPOCH_NS))
    recorder.begin(start)
    costs_ns = []
    for number, (now_ns, event, commands) in enumerate(taken):
        before_ns = time.perf_counter_ns()
        recorder.record(now_ns, event, commands)
        costs_ns.append(time.perf_counter_ns() - before_ns)
        if number % 2_000 == 0:  # the pace of the busiest market the appliance is meant for, not of this loop
            time.sleep(0.1)
    if not recorder.close(60):
        raise StoreFailure("the recorder did not end; look at the disk")
    return recorder.bytes_count, statistics.median(costs_ns)


def _refuse(problem: str) -> None:
    raise StoreFailure(problem)


def replay_s(folder: Path) -> float:
    """Replay the recording from its file."""
    [session] = recordings.sessions_in(folder)
    before_s = time.perf_counter()
    outcome = replay(session_items(recordings.files_of(session)), build_from)
    if outcome.divergence is not None:
        raise StoreFailure("the recording does not replay; this is no figure")
    return time.perf_counter() - before_s


def step_s(start: Start, taken: list[Taken]) -> float:
    """Step the same trader over the same events from memory."""
    trader = build_from(start)
    before_s = time.perf_counter()
    for now_ns, event, _ in taken:
        trader.step(now_ns, event)
    return time.perf_counter() - before_s


def measure() -> list[Figure]:
    """Return the figures."""
    start, taken = lived()
    with tempfile.TemporaryDirectory() as folder:
        size_bytes, cost_ns = recorded(Path(folder), start, taken)
        ours: list[float] = []
        peers: list[float] = []
        for _ in range(ROUNDS):
            ours.append(replay_s(Path(folder)))
            peers.append(step_s(start, taken))
    replay_rate = len(taken) / statistics.median(ours)
    step_rate = len(taken) / statistics.median(peers)
    return [
        figure("replay from a file", replay_rate, "events/s", None),
        figure("the same trader fed from memory", step_rate, "events/s", None),
        figure("record on the trading thread, p50", cost_ns, "ns", None),
        figure("recording, flushed each second", size_bytes / len(taken), "bytes/event", None),
    ]


if __name__ == "__main__":
    show(measure())
