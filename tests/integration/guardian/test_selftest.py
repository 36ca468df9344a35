"""The monthly test on a running guardian, with hands on the bench socket playing the person."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
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

WAIT_S = 60.0
# The shortest press that counts, less the hundredth that two readings of a clock may differ by.
GLITCH_US = 1_900


def _command(device: Device, *words: str) -> list[str]:
    return [sys.executable, "-m", "appliance", "selftest", *words, "--config", str(device.config)]


class Led:
    """Hold a running test, hear what it says, and beat for the trader meanwhile."""

    def __init__(self, device: Device, *words: str) -> None:
        """Start it on an appliance that trades."""
        self._device = device
        self.process = subprocess.Popen(_command(device, "estop", *words), stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self._stdout = self.process.stdout.fileno()
        os.set_blocking(self._stdout, False)
        self.said = ""

    def heard(self, text: str) -> bool:
        """Wait until it has said something."""
        return self._device.wait(lambda: text in self._listen(), timeout_s=WAIT_S)

    def ended(self) -> int:
        """Wait for its end and return its exit code."""
        assert self._device.wait(lambda: self.process.poll() is not None, timeout_s=WAIT_S)
        self._listen()
        return self.process.returncode

    def _listen(self) -> str:
        with suppress(BlockingIOError):
            self.said += os.read(self._stdout, 65_536).decode()
        return self.said


@pytest.fixture
def lead(device: Device) -> Iterator[Callable[..., Led]]:
    """Return what starts a test on an appliance that trades, and end it."""
    started: list[Led] = []

    def start(*words: str) -> Led:
        device.start()
        assert device.wait(device.permits, timeout_s=WAIT_S)
        started.append(Led(device, *words))
        return started[-1]

    yield start
    for led in started:
        led.process.kill()
        led.process.communicate()


def test_a_person_is_led_through_and_the_result_is_kept(device: Device, lead: Callable[..., Led]) -> None:
    """Press, release, reset, start: measured, passed, kept; it fails if a step or a figure were missing."""
    led = lead("--timeout", "60s")
    assert led.heard("Press the stop button")
    device.ask("press estop")
    assert device.wait(lambda: device.told().latch_state is LatchState.LATCHED, timeout_s=WAIT_S)
    sequence = device.told().latch_sequence
    device.report = replace(device.report, acknowledged_latch_sequence=sequence, mode=Mode.HALTED, verified_flat=True)
    assert led.heard("Stopped and confirmed")
    device.ask("release estop")
    device.ask("reset")
    assert led.heard("Ready")
    device.ask("start")
    device.report = replace(device.report, mode=Mode.NORMAL)
    assert led.ended() == 0
    assert "moments from the guardian's record" in led.said
    detail = results(history_path(device.state))[0]["detail"]
    assert detail["passed"] == 1
    assert detail["press_to_latch_us"] >= GLITCH_US
    assert detail["press_to_withdrawn_us"] <= detail["press_to_latch_us"]
    assert detail["latch_to_confirmed_us"] > 0
    told = subprocess.run(_command(device, "history"), capture_output=True, text=True, check=True)
    assert "passed" in told.stdout


def test_a_stop_that_is_never_confirmed_does_not_pass(device: Device, lead: Callable[..., Led]) -> None:
    """Only the venue's word ends the test; it fails if the latch alone were enough."""
    led = lead("--timeout", "8s")
    assert led.heard("Press the stop button")
    device.ask("press estop")
    assert led.ended() == 1
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


def test_the_result_is_one_line_of_json(device: Device, lead: Callable[..., Led]) -> None:
    """A program can read it; it fails if guidance were mixed with it."""
    led = lead("--timeout", "1s", "--json")
    assert led.ended() == 1
    assert json.loads(led.said) == {"passed": 0, "reason": "a press did not come in time"}
