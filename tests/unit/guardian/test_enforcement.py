"""Killing a trader that does not answer, and nothing else."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from appliance.guardian.enforcement import Enforcer, Identity, Unanswered, identify, kill_trader

OWN_UID = os.geteuid()


@pytest.fixture
def trader() -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that looks like the trader."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "appliance", "trader"])
    deadline_s = time.monotonic() + 5
    while identify(process.pid, OWN_UID) is None and time.monotonic() < deadline_s:
        time.sleep(0.01)
    yield process
    process.kill()
    process.wait()


def _identity(process: subprocess.Popen[bytes]) -> Identity:
    found = identify(process.pid, OWN_UID)
    assert found is not None
    return found


def test_the_trader_is_killed(trader: subprocess.Popen[bytes]) -> None:
    """The very process that was seen dies by SIGKILL; it fails if the signal missed it."""
    assert kill_trader(Unanswered(1, _identity(trader))).done
    assert trader.wait(timeout=5) == -signal.SIGKILL


def test_another_process_under_the_same_number_is_spared(trader: subprocess.Popen[bytes]) -> None:
    """A recycled id is told by its start time; it fails if the number alone were trusted."""
    other = replace(_identity(trader), start_ticks=1)
    outcome = kill_trader(Unanswered(1, other))
    assert not outcome.done
    assert "no longer who it was" in outcome.explanation
    assert trader.poll() is None


@pytest.mark.parametrize(
    "pid",
    [-1, 0, 1, os.getpid(), os.getppid(), 1 << 22],
    ids=["minus one", "zero", "init", "ourselves", "parent", "nobody"],
)
def test_init_ourselves_and_nobody_are_no_trader(pid: int) -> None:
    """A heartbeat naming them leads nowhere; it fails if any could be killed."""
    assert identify(pid, OWN_UID) is None


def test_a_process_of_another_owner_or_name_is_no_trader(trader: subprocess.Popen[bytes]) -> None:
    """Owner and name must fit the page; it fails if either were not looked at."""
    assert identify(trader.pid, OWN_UID + 1) is None
    assert identify(trader.pid, None) is None
    with subprocess.Popen(["/bin/sleep", "60"]) as stranger:
        time.sleep(0.05)
        assert identify(stranger.pid, OWN_UID) is None
        stranger.kill()


def test_a_dead_trader_is_reported_and_no_error(trader: subprocess.Popen[bytes]) -> None:
    """A trader that died first is an outcome; it fails if it raised."""
    identity = _identity(trader)
    trader.kill()
    trader.wait()
    assert not kill_trader(Unanswered(1, identity)).done
    assert not kill_trader(Unanswered(1, None)).done


def test_the_wait_ends_once_and_at_its_limit() -> None:
    """Steps come at the limit, not before, and not again; it fails if they repeated every turn."""
    enforcer = Enforcer(1000, (kill_trader,))
    assert enforcer.check(5000, None) == ()
    enforcer.expect(1, 100)
    assert enforcer.check(1099, None) == ()
    assert len(enforcer.check(1100, None)) == 1
    assert enforcer.check(1101, None) == ()
    enforcer.expect(2, 2000)
    enforcer.settle()
    assert enforcer.check(9000, None) == ()
