"""Both ends of the call: the guardian's, and the parked process's, over a real socket."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from appliance.core.errors import AlreadyRunning
from appliance.guardian.last_resort_call import OUTPUT_BYTES_MAX, Ended, ParkedCall, call_path
from appliance.guardian.last_resort_parked import Parked, listening

LIMIT_S = 20.0
# A parked process that writes down what it is told.
PROGRAM = """
import os, sys
from pathlib import Path
from appliance.guardian.last_resort_parked import Parked, listening
with listening(Path(sys.argv[2]), os.environ) as listener:
    parked = Parked(listener, lambda policy: f"did {policy}", lambda: None)
    while True:
        parked.step()
"""


def until(wanted: Callable[[], object]) -> None:
    """Wait for something to become true."""
    end_s = time.monotonic() + LIMIT_S
    while not wanted():
        assert time.monotonic() < end_s
        time.sleep(0.005)


def end_of(call: ParkedCall) -> Ended:
    """Wait for a call's end."""
    ended: list[Ended] = []

    def over() -> bool:
        found = call.poll()
        ended.extend([found] if found is not None else [])
        return bool(ended)

    until(over)
    return ended[0]


def armed(call: ParkedCall) -> bool:
    """Tell whether the other side has taken the call."""
    return call.poll() is None and call.armed


Dial = Callable[[Path], ParkedCall]


@pytest.fixture
def dial() -> Iterator[Dial]:
    """Return what makes calls, and hang up every one."""
    calls: list[ParkedCall] = []

    def make(runtime: Path) -> ParkedCall:
        calls.append(ParkedCall(call_path(runtime)))
        return calls[-1]

    yield make
    for call in calls:
        call.close()


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Path]:
    """Return a folder in which a parked process listens."""
    words = [sys.executable, "-c", PROGRAM, "appliance", os.fspath(tmp_path)]
    with subprocess.Popen(words) as process:
        until(call_path(tmp_path).exists)
        yield tmp_path
        process.kill()


def test_a_word_goes_there_and_the_answer_comes_back(runtime: Path, dial: Dial) -> None:
    """One call, one word, one answer, and then the next; it fails if a line were lost or a process spent."""
    for policy in ("cancel", "flatten"):
        call = dial(runtime)
        until(partial(armed, call))
        assert not call.started
        assert call.go(policy)
        assert end_of(call) == Ended(f"did {policy}".encode())
        assert call.started


def test_a_word_that_is_no_policy_does_nothing(runtime: Path, dial: Dial) -> None:
    """The parked one does only what a policy says; it fails if any text were acted upon."""
    call = dial(runtime)
    assert call.go("sell-everything")
    assert end_of(call) == Ended(b"armed")


def test_a_hung_process_is_ended_by_its_number(runtime: Path, dial: Dial) -> None:
    """The kernel says who has taken the call, and it can be killed; it fails if a hung one kept its place."""
    call = dial(runtime)
    until(lambda: armed(call))
    assert call._peer is not None
    pid = call._peer.pid
    os.kill(pid, signal.SIGSTOP)
    assert call.go("cancel")
    time.sleep(0.2)
    assert call.poll() is None
    assert not call.started
    call.kill()
    assert call.poll() == Ended(b"armed")
    until(lambda: b"Z" in Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2])


def test_the_newest_call_counts(runtime: Path, dial: Dial) -> None:
    """A guardian that hangs does not keep its successor from being heard; it fails if the first call held the line."""
    first = dial(runtime)
    until(lambda: armed(first))
    second = dial(runtime)
    assert second.go("cancel")
    assert end_of(second) == Ended(b"did cancel")
    assert end_of(first) == Ended(b"armed")


def test_a_second_parked_process_is_refused(runtime: Path, dial: Dial) -> None:
    """Two never share the place; it fails if the second took the first one's socket away."""
    with pytest.raises(AlreadyRunning, match="last resort"), listening(runtime, {}):
        pytest.fail("it listened")
    call = dial(runtime)
    until(lambda: armed(call))


def test_only_the_owner_may_call(runtime: Path) -> None:
    """The socket is closed to other users; it fails if the trader's user could have the account sold."""
    assert call_path(runtime).stat().st_mode & 0o777 == 0o600


def test_nobody_there_is_an_error_that_leaves_nothing_open(tmp_path: Path) -> None:
    """A call that cannot be made raises and costs no descriptor; it fails on a leak, five times a second."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(10):
        with pytest.raises(FileNotFoundError):
            ParkedCall(call_path(tmp_path))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.fixture
def line(tmp_path: Path) -> Iterator[socket.socket]:
    """Return the socket of a parked process that the test plays itself."""
    with listening(tmp_path, {}) as listener:
        yield listener


def test_what_was_said_before_the_guardian_died_is_not_carried_out(
    line: socket.socket, tmp_path: Path, dial: Dial
) -> None:
    """A word without its sender is void: a person may have started again since; it fails if it were acted upon."""
    did: list[str] = []

    def act(policy: str) -> str:
        did.append(policy)
        return ""

    parked = Parked(line, act, lambda: None)
    call = dial(tmp_path)
    assert call.go("flatten")
    call.close()
    parked.step()
    parked.step()
    parked.hang_up()
    assert did == []


def test_waiting_is_progress(line: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """The watchdog is fed although nobody calls; it fails if waiting were taken for a hang."""
    fed = threading.Event()
    monkeypatch.setattr("appliance.guardian.last_resort_parked._ALIVE_S", 0.01)
    Parked(line, str, fed.set).step()
    assert fed.is_set()


def test_a_peer_that_shouts_is_not_listened_to_for_ever(line: socket.socket, tmp_path: Path, dial: Dial) -> None:
    """What is kept of a call is bounded; it fails if a process could fill the guardian's memory."""
    call = dial(tmp_path)
    caller, _ = line.accept()
    with caller:
        caller.sendall(b"y" * 4 * OUTPUT_BYTES_MAX)
        assert len(end_of(call).last_line) <= OUTPUT_BYTES_MAX


def test_a_call_that_is_over_cannot_be_used(line: socket.socket, tmp_path: Path, dial: Dial) -> None:
    """A broken line is an answer, not an error; it fails if it raised in the guardian's loop."""
    call = dial(tmp_path)
    line.accept()[0].close()
    assert not call.go("cancel")
    assert end_of(call) == Ended(b"")
    call.close()


def test_the_socket_that_systemd_hands_over_is_used(tmp_path: Path) -> None:
    """A held socket is served, with what waited in it; it fails if the process listened beside it."""
    path = tmp_path / "held"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as held:
        held.bind(os.fspath(path))
        held.listen(1)
        call = ParkedCall(path)
        assert call.go("cancel")
        start = "import os, sys; os.dup2(int(sys.argv[3]), 3); os.environ['LISTEN_PID'] = str(os.getpid())\n" + PROGRAM
        words = [sys.executable, "-c", start, "appliance", os.fspath(tmp_path), str(held.fileno())]
        with subprocess.Popen(words, pass_fds=[held.fileno()], env=os.environ | {"LISTEN_FDS": "1"}) as process:
            try:
                assert end_of(call) == Ended(b"did cancel")
                assert not call_path(tmp_path).exists()
            finally:
                process.kill()
