"""The recorder writes what it was given, within its limits, and never troubles who gives it."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest

from appliance.core import config
from appliance.core.clock import NANOSECONDS_PER_DAY, VirtualClock
from appliance.core.commands import SendCancel
from appliance.core.errors import InvariantBroken
from appliance.core.events import FeedChanged
from appliance.market.recording import CRASHED, End, Item, Start, Step, Stopped, digest_of, session_items
from appliance.store import recordings
from appliance.store.recorder import NEXT_STATE, Recorder, RecorderEvent, RecorderState, limits_of
from appliance.store.recorder_files import RecorderLimits
from tests.unit.store.builders import until

WALL_NS = 20_000 * NANOSECONDS_PER_DAY
LIMITS = RecorderLimits(
    file_bytes_max=10**7, total_bytes_max=10**9, bytes_per_day_max=10**9, disk_free_bytes_min=0, flush_interval_s=0.01
)
START = Start(
    device="bench-1",
    tag="abcde",
    boot_count=1,
    now_ns=17,
    wall_ns=WALL_NS,
    synthetic=True,
    config_text="",
    instruments=(),
    ledger_snapshot=b"",
)
EVENT = FeedChanged(connected=True, reason="")


class Held:
    """Hold a recorder and what it reported."""

    def __init__(self, folder: Path, limits: RecorderLimits = LIMITS, clock: VirtualClock | None = None) -> None:
        self.problems: list[str] = []
        self.clock = VirtualClock(0, WALL_NS) if clock is None else clock
        self.recorder = Recorder(folder, limits, self.problems.append, self.clock)

    def begin(self, boot_count: int = 1) -> "Held":
        """Begin a session."""
        self.recorder.begin(msgspec.structs.replace(START, boot_count=boot_count))
        return self

    def fill(self, count: int, size_bytes: int = 50) -> "Held":
        """Record steps that do not compress, waiting for the writer now and then so that no queue fills."""
        for number in range(count):
            self.recorder.record(number, FeedChanged(connected=True, reason=os.urandom(size_bytes // 2).hex()), [])
            if number % 64 == 63:
                self.wait()
        return self

    def wait(self) -> None:
        """Wait until the writer has taken everything."""
        until(lambda: self.recorder.state is RecorderState.STOPPED or self.recorder._queue.empty())

    def stopped(self) -> str:
        """Return why recording stopped."""
        until(lambda: self.problems)
        return self.problems[0]


def items_in(folder: Path, number: int = 1) -> list[Item]:
    """Return what a reader finds of a session."""
    [session] = [one for one in recordings.sessions_in(folder) if one.number == number]
    return list(session_items(recordings.files_of(session)))


def names_in(folder: Path) -> list[str]:
    """Return the names of all files in a folder."""
    return sorted(path.name for path in folder.iterdir())


def holds(folder: Path, count: int) -> bool:
    """Tell whether the first session's file already holds so many items."""
    return any(path.stat().st_size for path in folder.iterdir()) and len(items_in(folder)) == count


def test_what_was_recorded_is_read(tmp_path: Path) -> None:
    """Shows that steps come back in order with the digests of their commands; fails when one is lost or reordered."""
    held = Held(tmp_path).begin()
    commands = [SendCancel("b4-1")]
    held.recorder.record(18, EVENT, [])
    held.recorder.record(19, EVENT, commands)
    held.recorder.record(20, EVENT, None)
    assert held.recorder.close(20)
    start, *steps, end = items_in(tmp_path)
    assert start == START
    assert steps == [Step(18, EVENT), Step(19, EVENT, digest_of(commands)), Step(20, EVENT, CRASHED)]
    assert isinstance(end, End)
    assert (end.events_count, end.commands_count) == (3, 1)
    assert held.problems == []


def test_steps_reach_the_file_without_a_close(tmp_path: Path) -> None:
    """Shows that a process killed a moment later loses nothing of before; fails when bytes wait in the compressor."""
    held = Held(tmp_path).begin()
    for number in range(3):
        held.recorder.record(number, EVENT, [])
        until(partial(holds, tmp_path, number + 2))
    held.recorder.close(20)


def test_a_session_is_recorded_once() -> None:
    """Shows that a second session needs a second recorder; fails when one would go on in the same files."""
    held = Held(Path("/nonexistent/recordings"))
    held.recorder._move(RecorderEvent.BEGIN)
    with pytest.raises(InvariantBroken):
        held.begin()


def test_long_recordings_go_on_in_further_files(tmp_path: Path) -> None:
    """Shows that files are about as long as allowed and read as one; fails when a step between two files is lost."""
    held = Held(tmp_path, msgspec.structs.replace(LIMITS, file_bytes_max=20_000)).begin().fill(2_000, 100)
    assert held.recorder.close(20)
    sizes_bytes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes_bytes) > 3
    assert max(sizes_bytes) < 20_000 + 128 * 1024
    steps = [item for item in items_in(tmp_path) if isinstance(item, Step)]
    assert [step.now_ns for step in steps] == list(range(2_000))
    assert sum(sizes_bytes) == held.recorder.bytes_count


def test_the_oldest_sessions_make_room(tmp_path: Path) -> None:
    """Shows that whole sessions go, oldest first, and never a stranger's file; fails when the folder grows past its
    limit or a newer session goes first.
    """
    limits = msgspec.structs.replace(LIMITS, file_bytes_max=50_000, total_bytes_max=120_000)
    stranger = tmp_path / "session-0-0.rec.zst.copy"
    stranger.write_bytes(b"x" * 200_000)
    for boot_count in (9, 10, 11, 12):
        assert Held(tmp_path, limits).begin(boot_count).fill(700, 100).recorder.close(20)
        assert sum(session.size_bytes for session in recordings.sessions_in(tmp_path)) <= 120_000
    assert [session.number for session in recordings.sessions_in(tmp_path)] == [11, 12]
    assert stranger.exists()


def test_a_session_that_fills_everything_stops(tmp_path: Path) -> None:
    """Shows that the session's own beginning is never deleted: it stops and says so; fails when it eats itself."""
    limits = msgspec.structs.replace(LIMITS, file_bytes_max=20_000, total_bytes_max=60_000)
    held = Held(tmp_path, limits).begin().fill(3_000, 100)
    assert "this session alone" in held.stopped()
    assert "session-1-0.rec.zst" in names_in(tmp_path)


def test_the_days_budget_stops_recording(tmp_path: Path) -> None:
    """Shows that the day's bytes end a recording with its marker, and a restart on that day gets no second budget,
    but the next day does; fails when a card is written without bound by restarting.
    """
    limits = msgspec.structs.replace(LIMITS, bytes_per_day_max=100_000)
    clock = VirtualClock(0, time.time_ns())
    held = Held(tmp_path, limits, clock).begin().fill(3_000, 100)
    assert "day's 100000 bytes" in held.stopped()
    last = items_in(tmp_path)[-1]
    assert isinstance(last, Stopped)
    assert held.recorder.dropped_count == 3_000 - last.events_count > 0
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 100_000 + 128 * 1024
    again = Held(tmp_path, limits, clock).begin(2)
    assert "day's 100000 bytes" in again.stopped()
    assert len(names_in(tmp_path)) == 1
    clock.wall_offset_ns += NANOSECONDS_PER_DAY
    assert Held(tmp_path, limits, clock).begin(2).fill(10).recorder.close(20)


def test_midnight_brings_a_new_budget(tmp_path: Path) -> None:
    """Shows that a session over midnight has each day's budget; fails when the days are added up."""
    clock = VirtualClock(0, WALL_NS)
    held = Held(tmp_path, msgspec.structs.replace(LIMITS, bytes_per_day_max=100_000), clock).begin()
    for _ in range(4):
        held.fill(500, 100)
        clock.wall_offset_ns += NANOSECONDS_PER_DAY
    assert held.recorder.close(20), held.problems
    assert held.recorder.bytes_count > 100_000


def test_a_full_queue_stops_recording_and_nobody_waits(tmp_path: Path) -> None:
    """Shows that a writer that cannot keep up ends the recording with a marker and no hole; fails when a step is
    left out and recording goes on, or when the caller is made to wait.
    """
    limits = msgspec.structs.replace(LIMITS, queue_events_max=100, flush_interval_s=30.0)
    held = Held(tmp_path, limits).begin()
    until(partial(holds, tmp_path, 1))
    with_wake = held.recorder._wake
    held.recorder._wake = threading.Event()  # the writer sleeps on
    for number in range(150):
        held.recorder.record(number, EVENT, [])
    with_wake.set()
    assert "more than 100 steps waited" in held.stopped()
    *steps, last = items_in(tmp_path)[1:]
    assert [step.now_ns for step in steps if isinstance(step, Step)] == list(range(100))
    assert last == Stopped(events_count=100, reason="more than 100 steps waited to be written")
    assert held.recorder.dropped_count == 50


def test_half_a_queue_wakes_the_writer(tmp_path: Path) -> None:
    """Shows that a burst is written before the next flush is due; fails when the queue fills meanwhile."""
    held = Held(tmp_path, msgspec.structs.replace(LIMITS, queue_events_max=100, flush_interval_s=30.0)).begin()
    for number in range(60):
        held.recorder.record(number, EVENT, [])
    until(lambda: held.recorder.events_count >= 51)
    held.recorder.close(20)


def test_a_disk_with_no_room_stops_recording(tmp_path: Path) -> None:
    """Shows that the last of the disk is left to the journal; fails when a recording would take it."""
    held = Held(tmp_path, msgspec.structs.replace(LIMITS, disk_free_bytes_min=1 << 62)).begin()
    assert "of the disk are free" in held.stopped()
    assert isinstance(items_in(tmp_path)[-1], Stopped)


def test_a_folder_that_cannot_be_made_only_stops_recording(tmp_path: Path) -> None:
    """Shows that a wrong path is reported and costs the trader nothing; fails when it raises into the trader."""
    (tmp_path / "file").write_text("not a folder")
    held = Held(tmp_path / "file" / "recordings").begin()
    assert "Recording stopped" in held.stopped()
    held.recorder.record(1, EVENT, [])
    assert held.recorder.dropped_count == 1
    assert not held.recorder.close(20)


def test_what_cannot_be_encoded_only_stops_recording(tmp_path: Path) -> None:
    """Shows that a step that no line can hold ends the recording; fails when the writer dies without a word."""
    held = Held(tmp_path).begin()
    held.recorder.record(1, FeedChanged(connected=True, reason="\ud800"), [])
    assert "Recording stopped" in held.stopped()
    assert isinstance(items_in(tmp_path)[-1], Stopped)


CHILD = """
import resource, sys, time
from pathlib import Path
from appliance.core.clock import SystemClock
from appliance.core.events import FeedChanged
import os, msgspec
from tests.unit.store.test_recorder import LIMITS, START
from appliance.store.recorder import Recorder
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
problems = []
recorder = Recorder(Path(sys.argv[1]), LIMITS, problems.append, SystemClock())
recorder.begin(START)
for number in range(20_000):
    recorder.record(number, FeedChanged(True, os.urandom(50).hex()), [])
    time.sleep(0.00005)
    if problems:
        break
recorder.close(20)
print(recorder.state.value, recorder.dropped_count > 0, *problems)
"""


def test_a_write_that_fails_only_stops_recording(tmp_path: Path) -> None:
    """Shows with a real limit of the kernel that a write that fails halfway is reported, and that what is in the file
    can be read; fails when the process dies, or a marker after half a block makes the file unreadable.
    """
    command = [sys.executable, "-c", CHILD, str(tmp_path)]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("stopped True Recording stopped: [Errno 27] File too large")
    assert (tmp_path / "session-1-0.rec.zst").stat().st_size == 60_000
    steps = items_in(tmp_path)[1:]
    assert len(steps) > 500
    assert all(isinstance(step, Step) for step in steps)


HALF_WRITTEN = """
import resource, sys
from pathlib import Path
from random import Random
from appliance.core.clock import SystemClock
from appliance.core.events import FeedChanged
from appliance.store.recorder_files import RecorderFiles
from tests.unit.store.test_recorder import LIMITS, START
def begin(folder):
    files, draw = RecorderFiles(Path(folder), LIMITS, SystemClock()), Random(1)
    files.begin(START)
    for number in range(500):
        files.write([(number, FeedChanged(True, draw.randbytes(50).hex()), [])])
    return files
whole = begin(sys.argv[1] + "/whole")
whole.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (whole.session_bytes - 4, resource.RLIM_INFINITY))
files = begin(sys.argv[1] + "/half")
try:
    files.flush()
except OSError:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    files.give_up("because")
"""


def test_nothing_is_written_behind_half_a_block(tmp_path: Path) -> None:
    """Shows that a block that lacks its last bytes gets no marker even if there is room again; fails when the marker's
    bytes complete the block and make the readable beginning look damaged.
    """
    subprocess.run([sys.executable, "-c", HALF_WRITTEN, str(tmp_path)], check=True, timeout=60)
    assert len(items_in(tmp_path / "whole")) == 501
    assert items_in(tmp_path / "half") == items_in(tmp_path / "whole")[: len(items_in(tmp_path / "half"))]


def test_a_number_is_never_used_twice(tmp_path: Path) -> None:
    """Shows that a boot count seen before, as after a new journal, gets the next free number; fails when a recording
    is written over or the newest would pass for the oldest.
    """
    for boot_count in (7, 7, 1, 12):
        assert Held(tmp_path).begin(boot_count).recorder.close(20)
    assert [session.number for session in recordings.sessions_in(tmp_path)] == [7, 8, 9, 12]


def test_what_comes_after_the_close_is_counted(tmp_path: Path) -> None:
    """Shows that a late step is neither written nor lost without count; fails when it goes into an ended session."""
    held = Held(tmp_path).begin()
    assert held.recorder.close(20)
    assert held.recorder.close(20)
    held.recorder.record(1, EVENT, [])
    assert held.recorder.dropped_count == 1
    assert [type(item) for item in items_in(tmp_path)] == [Start, End]


def test_closing_without_a_session_is_an_end(tmp_path: Path) -> None:
    """Shows that a process that fails before it records still closes; fails when close waits for no thread."""
    held = Held(tmp_path)
    assert held.recorder.close(20)
    assert names_in(tmp_path) == []


def reachable() -> Iterator[RecorderState]:
    """Yield the states that the table leads to."""
    found = {RecorderState.IDLE}
    while new := {NEXT_STATE[pair] for pair in NEXT_STATE if pair[0] in found} - found:
        found |= new
    yield from found


@pytest.mark.parametrize("state", list(RecorderState))
@pytest.mark.parametrize("event", list(RecorderEvent))
def test_the_table_of_states(state: RecorderState, event: RecorderEvent) -> None:
    """Shows for every pair that only IDLE begins, and that nothing leads out of STOPPED and ENDED; fails when a
    stopped recording could go on, which would leave a hole.
    """
    following = NEXT_STATE.get((state, event))
    if event is RecorderEvent.BEGIN:
        assert following is (RecorderState.RECORDING if state is RecorderState.IDLE else None)
    elif state in {RecorderState.STOPPED, RecorderState.ENDED}:
        assert following is state
    elif event is RecorderEvent.TROUBLE:
        assert following is (RecorderState.STOPPED if state is RecorderState.RECORDING else None)
    else:
        assert following is RecorderState.ENDED
    assert set(reachable()) == set(RecorderState)


def test_limits_come_from_the_configuration() -> None:
    """Shows that the three settings are the three limits; fails when megabytes are taken for bytes."""
    limits = limits_of(config.demo().recorder)
    assert (limits.file_bytes_max, limits.total_bytes_max, limits.bytes_per_day_max) == (
        8 * 10**6,
        64 * 10**6,
        64 * 10**6,
    )


def test_names_are_read_strictly(tmp_path: Path) -> None:
    """Shows that only our own names count, in the order of their numbers; fails when file 10 comes before file 2."""
    for name in ("session-3-10.rec.zst", "session-3-2.rec.zst", "session-x-1.rec.zst", "session-3-1.rec.zst.part"):
        (tmp_path / name).touch()
    [session] = recordings.sessions_in(tmp_path)
    assert [path.name for path in session.paths] == ["session-3-2.rec.zst", "session-3-10.rec.zst"]
