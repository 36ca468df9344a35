"""The guardian's process on a card that hangs or cannot be used."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.safety.lamps import Lamp
from appliance.safety.lease import LatchCause
from tests.integration.guardian.device_parts import Device

pytestmark = pytest.mark.serial

IMAGE_BYTES = 16 * 1024 * 1024
THAW_S_MAX = 40
WITHDRAW_MS_MAX = 100


class Card:
    """Hold a file system of its own that can be frozen: every write to it then waits in the kernel."""

    def __init__(self, device: Device) -> None:
        """Remember whose state is on it."""
        self.device = device
        self._late: subprocess.Popen[bytes] | None = None

    def freeze(self) -> None:
        """Let every write hang, and see to it that it ends even if this process is killed."""
        late = f"sleep {THAW_S_MAX}; fsfreeze -u {self.device.state}"
        self._late = subprocess.Popen(["sh", "-c", late], start_new_session=True, stderr=subprocess.DEVNULL)
        subprocess.run(["fsfreeze", "-f", self.device.state], check=True, timeout=10)

    def thaw(self) -> None:
        """Let the writes go on, once."""
        if self._late is not None:
            subprocess.run(["fsfreeze", "-u", self.device.state], check=False, timeout=10, stderr=subprocess.DEVNULL)
            os.killpg(self._late.pid, signal.SIGKILL)
            self._late.wait()
            self._late = None


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Card]:
    """Return an appliance whose state is on a card of its own."""
    if os.geteuid() != 0 or not all(shutil.which(name) for name in ("mkfs.ext4", "mount", "fsfreeze")):
        pytest.skip("freezing a file system needs root, mkfs.ext4, mount and fsfreeze")
    device = Device(tmp_path, "disk_ms_max = 1000\n")
    image = tmp_path / "card.img"
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True, timeout=20)
    device.state.mkdir()
    mounted = subprocess.run(["mount", "-o", "loop,noatime", image, device.state], check=False, timeout=20)
    if mounted.returncode:
        pytest.skip("this machine does not let a file be mounted")
    card = Card(device)
    yield card
    card.thaw()
    if device.process is not None:
        _cut(device)
    # What the guardian was writing when it died may take a moment to end.
    assert _soon(lambda: subprocess.run(["umount", device.state], check=False, timeout=10).returncode == 0)


def _soon(wanted: Callable[[], bool]) -> bool:
    for _ in range(50):
        if wanted():
            return True
        time.sleep(0.1)
    return False


def _cut(device: Device) -> None:
    """Kill the guardian, as a power cut does."""
    process = device.running()
    process.kill()
    process.wait(10)
    assert process.stderr is not None
    process.stderr.close()
    device.process = None


def test_a_press_stops_at_once_on_a_card_that_hangs(card: Card) -> None:
    """Lease, lamp and heartbeat need no card; after its limit the fault is shown, and the latch is kept in the end."""
    device = card.device
    device.start()
    assert device.wait(device.permits)
    card.freeze()
    pressed_s = time.monotonic()
    device.ask("press estop")
    assert not device.permits()
    assert (time.monotonic() - pressed_s) * 1000 < WITHDRAW_MS_MAX
    assert device.wait(lambda: device.told().lamp == Lamp.EMERGENCY, timeout_s=0.5)
    assert device.wait(lambda: device.told().lamp == Lamp.FAULT, timeout_s=3)
    assert time.monotonic_ns() - device.lease.beat_ns() < 200_000_000
    card.thaw()
    device.ask("release estop")
    assert _soon(lambda: b'"latched":true' in (device.state / "guardian" / "latch").read_bytes())
    _cut(device)
    device.start()
    assert not device.wait(device.permits, timeout_s=0.5)


def test_a_card_that_hangs_at_start_is_a_fault_on_the_lamp(card: Card) -> None:
    """A start that cannot read what it was is latched and says so; it fails if it waited dark for the card."""
    device = card.device
    card.freeze()
    device.start()
    assert device.told().lamp == Lamp.FAULT
    assert device.told().latch_cause is LatchCause.STORE_FAILED
    assert not device.wait(device.permits, timeout_s=0.5)
    card.thaw()
    assert not device.wait(device.permits, timeout_s=0.5)


def test_a_disk_that_fails_at_start_is_a_fault_on_the_lamp(device: Device) -> None:
    """A useless state folder is shown, not fled from; it fails if the process ended and left the lamp dark."""
    device.state.write_text("this is no folder", encoding="ascii")
    process = device.start()
    assert device.wait(lambda: device.told().lamp == Lamp.FAULT)
    assert device.told().latch_cause is LatchCause.STORE_FAILED
    device.ask("reset")
    device.ask("start")
    assert not device.wait(device.permits, timeout_s=0.5)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "cannot be made" in said


def test_every_latched_state_survives_a_kill(device: Device) -> None:
    """SIGKILL while pressed, released, ready and started: only the last comes back running; it fails elsewhere."""
    steps: list[tuple[str, bool]] = [("press estop", False), ("release estop", False), ("reset", False)]
    for number, (line, permitted) in enumerate(steps):
        device.start()
        for earlier, _ in steps[:number]:
            device.ask(earlier)
        device.ask(line)
        assert device.wait(lambda: '"latched"' in device.events())
        _cut(device)
        device.start()
        assert device.wait(device.permits, timeout_s=0.3) is permitted
        assert device.ask("start") == "ok\n"
        assert not device.wait(device.permits, timeout_s=0.2)
        _cut(device)
    device.start()
    for line in ("release estop", "reset", "start"):
        device.ask(line)
    assert device.wait(device.permits)
    _cut(device)
    device.start()
    assert device.wait(device.permits)


def test_a_case_switch_that_only_reports_stops_nothing(tmp_path: Path) -> None:
    """The setting reaches the process: told and recorded, not stopped; it fails if opening the case withdrew."""
    device = Device(tmp_path, 'tamper_policy = "report"\n')
    device.start()
    try:
        assert device.wait(device.permits)
        assert device.ask("tamper").startswith("ok")
        assert device.permits()
        assert device.wait(lambda: "case-opened" in device.events())
        assert device.wait(device.permits)
    finally:
        _cut(device)
