"""The monthly test on a running guardian, with hands on the bench socket playing the person."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.core.clock import VirtualClock
from appliance.core.errors import StoreFailure
from appliance.guardian.selftest_history import RESULTS_COUNT_MAX, append, history_path, results
from appliance.safety.lease import LatchState
from appliance.safety.modes import Mode
from tests.integration.guardian.device_parts import Device

pytestmark = pytest.mark.serial


def _command(device: Device, *words: str) -> list[str]:
    return [sys.executable, "-m", "appliance", "selftest", *words, "--config", str(device.config)]


@pytest.fixture
def tested(device: Device) -> Iterator["subprocess.Popen[str]"]:
    """Return a test that waits for the press, on an appliance that trades."""
    device.start()
    assert device.wait(device.permits)
    words = _command(device, "estop", "--timeout", "8s")
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert device.wait(lambda: False, timeout_s=1.5) is False
    yield process
    process.kill()
    process.communicate()


def test_a_person_is_led_through_and_the_result_is_kept(device: Device, tested: "subprocess.Popen[str]") -> None:
    """Press, release, reset, start: measured, passed, kept; it fails if a step or a figure were missing."""
    device.ask("press estop")
    assert device.wait(lambda: device.told().latch_state is LatchState.LATCHED)
    sequence = device.told().latch_sequence
    device.report = replace(device.report, acknowledged_latch_sequence=sequence, mode=Mode.HALTED, verified_flat=True)
    assert device.wait(lambda: False, timeout_s=0.3) is False
    for line in ("release estop", "reset", "start"):
        device.ask(line)
    device.report = replace(device.report, mode=Mode.NORMAL)
    assert device.wait(lambda: tested.poll() is not None, timeout_s=8)
    assert tested.returncode == 0
    assert tested.stdout is not None
    assert "moments from the guardian's record" in tested.stdout.read()
    detail = results(history_path(device.state))[0]["detail"]
    assert detail["passed"] == 1
    assert 1_900 <= detail["press_to_latch_us"] < 1_000_000
    assert detail["press_to_withdrawn_us"] <= detail["press_to_latch_us"]
    assert detail["latch_to_confirmed_us"] > 0
    told = subprocess.run(_command(device, "history"), capture_output=True, text=True, check=True)
    assert "passed" in told.stdout


def test_a_stop_that_is_never_confirmed_does_not_pass(device: Device, tested: "subprocess.Popen[str]") -> None:
    """Only the venue's word ends the test; it fails if the latch alone were enough."""
    device.ask("press estop")
    assert device.wait(lambda: tested.poll() is not None, timeout_s=15)
    assert tested.returncode == 1
    assert "confirmation did not come" in results(history_path(device.state))[0]["detail"]["reason"]


def test_a_box_that_does_not_run_is_not_tested(device: Device) -> None:
    """Without a guardian it is bad use, told in a sentence; it fails if a result were kept."""
    done = subprocess.run(_command(device, "estop"), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "start the appliance first" in done.stderr
    assert results(history_path(device.state)) == []


def test_the_history_is_bounded_and_its_damage_found(tmp_path: Path) -> None:
    """The oldest fall off, the chain goes on, an edit is named; it fails if a result could be bettered in silence."""
    path = history_path(tmp_path)
    for number in range(RESULTS_COUNT_MAX + 3):
        append(path, {"passed": 0, "reason": f"number {number}"}, VirtualClock(1, 2))
    found = results(path)
    assert len(found) == RESULTS_COUNT_MAX
    assert found[0]["detail"]["reason"] == "number 3"
    path.write_bytes(path.read_bytes().replace(b"number 7", b"number 8"))
    with pytest.raises(StoreFailure, match="line 5 was edited"):
        results(path)


def test_the_result_is_one_line_of_json(device: Device) -> None:
    """A program can read it; it fails if guidance were mixed with it."""
    device.start()
    assert device.wait(device.permits)
    process = subprocess.Popen(
        _command(device, "estop", "--timeout", "1s", "--json"), stdout=subprocess.PIPE, text=True
    )
    assert device.wait(lambda: process.poll() is not None, timeout_s=10)
    said, _ = process.communicate()
    assert json.loads(said) == {"passed": 0, "reason": "a press did not come in time"}
