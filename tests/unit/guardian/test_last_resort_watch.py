"""How the guardian keeps one last resort ready, uses it, and what it believes."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from appliance.guardian.last_resort_process import OUTPUT_BYTES_MAX, Ended, ParkedProcess
from appliance.guardian.last_resort_watch import ATTEMPTS_MAX, REPEAT_CAP_NS, RUN_NS_MAX, LastResortWatch, Need
from tests.unit.guardian.bench_parts import ScriptedProcess

SECOND = 1_000_000_000
STOP = Need("cancel_all", 7, "pressed")
GOOD = json.dumps({"verified": True, "policy": "cancel_all", "took_ms": 12, "clear_ms": 3}).encode()


class Watched:
    """Hold a watch and the processes it started."""

    def __init__(self) -> None:
        """Begin with one process parked."""
        self.processes: list[ScriptedProcess] = []
        self.watch = LastResortWatch(self.park)
        self.now_ns = SECOND
        self.watch.turn(self.now_ns)

    def park(self) -> ScriptedProcess:
        """Start a process."""
        self.processes.append(ScriptedProcess())
        return self.processes[-1]

    def want(self, need: Need | None) -> None:
        """Say what is needed."""
        self.watch.want(need, self.now_ns)

    def turn(self, seconds: float = 0.02) -> list[str]:
        """Let time pass and return the names of what happened."""
        self.now_ns += int(seconds * SECOND)
        return [name for name, _ in self.watch.turn(self.now_ns)]

    def finish(self, status: int, line: bytes) -> list[str]:
        """End the newest process."""
        self.processes[-1].result = Ended(status, line)
        return self.turn()


@pytest.fixture
def watched() -> Watched:
    """Return a watch with one process parked."""
    return Watched()


def test_one_is_parked_before_it_is_needed_and_again_after(watched: Watched) -> None:
    """There is always one ready; it fails if the first need had to wait for a start."""
    assert len(watched.processes) == 1
    watched.want(STOP)
    assert watched.turn() == ["last-resort-started"]
    assert watched.processes[0].words == ["cancel_all"]
    assert watched.finish(0, GOOD) == ["last-resort-ended"]
    assert len(watched.processes) == 2
    assert watched.processes[1].words == []


def test_a_verified_latch_needs_no_second_run(watched: Watched) -> None:
    """Once verified it rests; it fails if it ran for ever, or a need that comes and goes ran it again."""
    watched.want(STOP)
    watched.turn()
    watched.finish(0, GOOD)
    assert watched.watch.verified_latch == 7
    watched.want(None)
    watched.want(Need("cancel_all", 7, "another reason"))
    assert [watched.turn(60) for _ in range(3)] == [[], [], []]
    watched.want(Need("cancel_all", 8, "pressed again"))
    assert watched.turn() == ["last-resort-started"]


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (1, GOOD),
        (-9, GOOD),
        (0, b""),
        (0, b"verified"),
        (0, b"[]"),
        (0, b"\xff"),
        (0, GOOD.replace(b"true", b"1")),
        (0, GOOD.replace(b"true", b"false")),
        (0, GOOD.replace(b"cancel_all", b"cancel")),
        (0, b"[" * 4000),
    ],
)
def test_only_a_good_end_with_a_good_word_counts(watched: Watched, status: int, line: bytes) -> None:
    """The status and the last line must both say so, for this policy; it fails if one alone were believed."""
    watched.want(STOP)
    watched.turn()
    assert watched.finish(status, line) == ["last-resort-ended"]
    assert watched.watch.verified_latch == 0
    assert watched.turn(1.1) == ["last-resort-started"]


def test_repeats_come_later_each_time_and_end(watched: Watched) -> None:
    """A venue that is away is tried a bounded number of times; it fails if it were hammered or tried for ever."""
    watched.want(STOP)
    gaps, last_ns = [], watched.now_ns
    events: list[str] = []
    for _ in range(200_000):
        names = watched.turn(0.1)
        events += names
        if "last-resort-started" in names:
            gaps.append(watched.now_ns - last_ns)
            last_ns = watched.now_ns
            events += watched.finish(1, b"{}")
        if "last-resort-gave-up" in events:
            break
    assert events.count("last-resort-started") == ATTEMPTS_MAX
    assert gaps[1] >= SECOND
    assert gaps[2] >= 2 * SECOND
    assert max(gaps) <= REPEAT_CAP_NS + SECOND
    assert watched.turn(3600) == []


def test_one_at_a_time(watched: Watched) -> None:
    """A newer need waits for the running one; it fails if two ran at once."""
    watched.want(STOP)
    watched.turn()
    watched.want(Need("flatten", 8, "pressed again"))
    assert watched.turn(5) == []
    assert len(watched.processes) == 1
    assert watched.finish(0, GOOD) == ["last-resort-ended", "last-resort-started"]
    assert watched.processes[1].words == ["flatten"]


def test_one_that_hangs_is_killed(watched: Watched) -> None:
    """A run has an end; it fails if a process that never returns blocked every later one."""
    watched.want(STOP)
    watched.turn()
    assert watched.turn(RUN_NS_MAX / SECOND) == []
    watched.turn(1)
    assert watched.processes[0].killed
    assert watched.turn() == ["last-resort-ended"]


def test_one_that_dies_while_it_waits_is_replaced_not_at_once(watched: Watched) -> None:
    """A process that cannot wait is started again with growing pauses; it fails on a storm of starts."""
    starts = []
    for _ in range(600):
        watched.processes[-1].result = Ended(2, b"")
        watched.turn(0.1)
        starts.append(len(watched.processes))
    assert 4 <= starts[-1] <= 8


def test_a_start_that_fails_is_recorded_and_tried_again() -> None:
    """A machine without room for a process is no reason to end; it fails if the error reached the loop."""

    def refuse() -> ScriptedProcess:
        raise OSError(11, "Resource temporarily unavailable")

    watch = LastResortWatch(refuse)
    watch.want(STOP, SECOND)
    assert [name for name, _ in watch.turn(SECOND)] == ["last-resort-not-ready"]
    assert watch.turn(SECOND + 1) == []
    assert [name for name, _ in watch.turn(3 * SECOND)] == ["last-resort-not-ready"]


def _park(program: str) -> ParkedProcess:
    return ParkedProcess(("-c", program))


def _await_end(process: ParkedProcess) -> Ended:
    until_s = time.monotonic() + 10
    while time.monotonic() < until_s:
        ended = process.poll()
        if ended is not None:
            return ended
        time.sleep(0.01)
    raise AssertionError("it did not end")


def test_a_parked_process_does_what_it_is_told_and_is_heard() -> None:
    """The word goes in, the last line and the status come out; it fails if the pipes were crossed or blocked."""
    process = _park("import sys; print('armed', flush=True); print('x', input()); sys.exit(3)")
    until_s = time.monotonic() + 10
    while not process.armed and time.monotonic() < until_s:
        time.sleep(0.01)
    assert process.poll() is None
    assert process.go("cancel")
    assert _await_end(process) == Ended(3, b"x cancel")


def test_a_parked_process_ends_when_its_guardian_is_gone() -> None:
    """Closing the pipe is the end of the wait; it fails if a parked process outlived its guardian."""
    process = _park("import os, sys; sys.exit(5 if os.read(0, 9) == b'' else 6)")
    os.close(process._input)
    process._input = os.open("/dev/null", os.O_WRONLY)
    assert _await_end(process).status == 5


def test_a_parked_process_that_shouts_is_not_listened_to_for_ever() -> None:
    """What is kept of its output is bounded; it fails if a process could fill the guardian's memory."""
    process = _park(f"import sys; sys.stdout.write('y' * {4 * OUTPUT_BYTES_MAX})")
    assert len(_await_end(process).last_line) <= OUTPUT_BYTES_MAX


def test_a_process_that_is_gone_cannot_be_told() -> None:
    """A broken pipe is an answer, not an error; it fails if it raised in the guardian's loop."""
    process = _park("pass")
    until_s = time.monotonic() + 10
    while process.go("x") and time.monotonic() < until_s:
        time.sleep(0.01)
    assert not process.go("cancel")
    assert _await_end(process).status == 0


def test_end_leaves_nothing_behind() -> None:
    """Ending reaps the process and closes its pipes; it fails if a zombie or a descriptor were left."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    process = _park("import time; time.sleep(60)")
    process.end()
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, signal.SIGCONT)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may take a real-time class")
def test_the_child_of_a_real_time_guardian_is_an_ordinary_process() -> None:
    """Its start must not hold up the loop it shares a core with; it fails if the class were inherited."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        pytest.skip("this machine grants no real-time class")
    try:
        process = _park("import time; time.sleep(60)")
        assert os.sched_getscheduler(process.pid) == os.SCHED_OTHER
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    process.end()
