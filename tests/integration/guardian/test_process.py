"""The guardian as a process: killed, stopped, restarted, pressed and lied to."""

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.core.errors import HardwareError
from appliance.guardian.bench import open_bench
from appliance.hardware.pins import PinAssignment
from appliance.safety.audit_chain import Head
from appliance.safety.lamps import Lamp
from appliance.safety.lease import LatchCause
from appliance.store.audit_files import verify
from tests.integration.guardian.device_parts import Device

pytestmark = pytest.mark.serial

EXPIRY_S = 0.25


def _running(device: Device) -> None:
    device.start()
    assert device.wait(device.permits)


def test_a_living_guardian_permits_and_an_orderly_end_withdraws(device: Device) -> None:
    """SIGTERM withdraws, ends with 0 and is recorded; it fails if permission merely ran out or the exit failed."""
    _running(device)
    device.running().send_signal(signal.SIGTERM)
    assert device.running().wait(10) == 0
    assert not device.permits()
    assert "guardian-stopped" in device.events()
    assert isinstance(verify(device.state / "guardian"), Head)


def test_a_press_withdraws_and_stays_latched_over_kill_and_restart(device: Device) -> None:
    """The latch outlives SIGKILL right after the press, and the release; it fails if it was not on the disk."""
    _running(device)
    assert device.ask("press estop").startswith("ok")
    assert not device.permits()
    assert device.wait(lambda: device.told().latch_cause is LatchCause.BUTTON)
    assert device.wait(lambda: '"latched"' in device.events())
    device.end(signal.SIGKILL)
    device.start()
    assert not device.wait(device.permits, timeout_s=0.5)
    device.ask("release estop")
    assert not device.wait(device.permits, timeout_s=0.5)
    device.end(signal.SIGKILL)
    device.start()
    assert not device.wait(device.permits, timeout_s=0.5)


def test_release_reset_and_start_bring_permission_back(device: Device) -> None:
    """The gesture works through the whole process, and nothing before its end does; it fails a step early or late."""
    device.report = replace(device.report, acknowledged_latch_sequence=1)
    _running(device)
    device.ask("press estop")
    device.ask("reset")
    device.ask("start")
    assert not device.wait(device.permits, timeout_s=0.2)
    device.ask("release estop")
    assert not device.wait(device.permits, timeout_s=0.2)
    assert device.ask("reset") == "ok\n"
    assert not device.wait(device.permits, timeout_s=0.2)
    assert device.ask("start") == "ok\n"
    assert device.wait(device.permits)
    assert device.told().start_sequence == 1


def test_the_command_presses_buttons(device: Device) -> None:
    """`bench-press` reaches the same button and refuses what it cannot; it fails if it reported success regardless."""
    command = [sys.executable, "-m", "appliance", "bench-press"]
    absent = subprocess.run([*command, "estop", "--config", device.config], capture_output=True, text=True, check=False)
    assert absent.returncode == 2
    assert "no bench answers" in absent.stderr
    _running(device)
    subprocess.run([*command, "tamper", "--config", device.config], check=True, stdout=subprocess.DEVNULL)
    assert device.wait(lambda: device.told().latch_cause is LatchCause.CASE_OPENED)
    assert not device.permits()


def test_the_bench_refuses_other_lines_and_is_the_owner_s_alone(device: Device) -> None:
    """Anything but the five lines is refused, and the socket is closed to others; it fails if it were open to all."""
    _running(device)
    assert device.ask("press everything").startswith("refused")
    assert device.ask("\xff\xfe").startswith("refused")
    assert (device.runtime / "guardian" / "bench").stat().st_mode & 0o777 == 0o600
    assert device.permits()


def test_the_bench_cannot_exist_on_real_pins(tmp_path: Path) -> None:
    """Pins that are not simulated have no hands; it fails if the bench only trusted the configuration."""

    class RealPins:
        factory = object()

    assignment = PinAssignment(17, 5, None, None, 24, 22, 27, None)
    with pytest.raises(HardwareError, match="simulated"), open_bench(RealPins(), assignment, tmp_path, 1000):  # type: ignore[arg-type]
        pytest.fail("the bench opened")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_dead_or_frozen_guardian_lets_permission_run_out(device: Device, number: signal.Signals) -> None:
    """Silence ends permission within its expiry; it fails if the trader went on with the last word it read."""
    _running(device)
    device.running().send_signal(number)
    silent_s = time.monotonic()
    while device.permits():
        time.sleep(0.001)
    assert time.monotonic() - silent_s <= EXPIRY_S + 0.02
    assert not device.wait(device.permits, timeout_s=0.3)


def test_a_damaged_record_is_halted_from_boot(device: Device) -> None:
    """A clear record that was edited halts; it fails if it were believed or repaired."""
    _running(device)
    device.end(signal.SIGTERM)
    path = device.state / "guardian" / "latch"
    path.write_bytes(path.read_bytes().replace(b'"start_sequence":0', b'"start_sequence":1'))
    device.start()
    assert not device.wait(device.permits, timeout_s=0.5)
    assert device.told().latch_cause is LatchCause.RECORD_DAMAGED


def test_a_removed_record_is_halted_from_boot(device: Device) -> None:
    """Deleting the record is no way out of a halt; it fails if a missing record were a first start."""
    _running(device)
    device.end(signal.SIGTERM)
    (device.state / "guardian" / "latch").unlink()
    device.start()
    assert not device.wait(device.permits, timeout_s=0.5)
    assert device.told().latch_cause is LatchCause.RECORD_MISSING


def test_an_edited_audit_log_is_halted_from_boot(device: Device) -> None:
    """A changed line halts, and the evidence is kept; it fails if the log were not verified at start."""
    _running(device)
    device.end(signal.SIGTERM)
    path = device.state / "guardian" / "audit.jsonl"
    path.write_bytes(path.read_bytes().replace(b"guardian-started", b"guardian-begun!!"))
    device.start()
    assert not device.wait(device.permits, timeout_s=0.5)
    assert device.told().latch_cause is LatchCause.AUDIT_DAMAGED
    assert (device.state / "guardian" / "damaged" / "audit.jsonl").exists()


def test_a_second_guardian_is_refused_and_the_first_undisturbed(device: Device) -> None:
    """Two guardians never share pins; it fails if the second started or withdrew the first one's lease."""
    _running(device)
    second = subprocess.run(
        [sys.executable, "-m", "appliance", "guardian", "--config", str(device.config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert second.returncode == 2
    assert "already runs" in second.stderr
    assert device.wait(device.permits)


def test_a_trader_that_does_not_answer_a_latch_is_killed(device: Device) -> None:
    """A hung trader dies within the limit and the kill is recorded; it fails if it lived, or a stranger died."""
    beat = (
        "import os, sys, time; from pathlib import Path; from dataclasses import replace\n"
        "from appliance.safety.heartbeat import Heartbeat, HeartbeatWriter, heartbeat_path\n"
        "from appliance.safety.modes import Mode; from appliance.safety.page import boot_identity\n"
        "writer = HeartbeatWriter(heartbeat_path(Path(sys.argv[2])), boot_identity())\n"
        "while True:\n"
        "    writer.beat(Heartbeat(time.monotonic_ns(), os.getpid(), Mode.NORMAL, 0, 0, 0, 0, 0, False, False))\n"
        "    time.sleep(0.01)\n"
    )
    with subprocess.Popen([sys.executable, "-c", beat, "appliance-trader", str(device.runtime)]) as trader:
        device.start()
        limit_s = time.monotonic() + 5
        while not device.permits() and time.monotonic() < limit_s:
            time.sleep(0.01)
        assert device.permits()
        device.ask("press estop")
        pressed_s = time.monotonic()
        assert trader.wait(timeout=5) == -signal.SIGKILL
        assert 0.4 < time.monotonic() - pressed_s < 2
    time.sleep(0.1)
    assert "was killed" in device.events()


def test_a_heartbeat_that_names_another_process_kills_nobody(device: Device) -> None:
    """A page that lies about its process id harms no stranger; it fails if the id alone were trusted."""
    with subprocess.Popen(["/bin/sleep", "60"]) as stranger:
        device.report = replace(device.report, pid=stranger.pid)
        _running(device)
        device.ask("press estop")
        assert device.wait(lambda: "latch-unanswered" in device.events())
        assert "no process that is surely the trader" in device.events()
        assert stranger.poll() is None
        stranger.kill()


def test_the_lamp_goes_to_fault_when_the_trader_falls_silent(device: Device) -> None:
    """A lost trader shows and loses permission; it fails if the lamp kept its last word."""
    _running(device)
    time.sleep(2.3)
    assert not device.permits()
    assert device.told().lamp == Lamp.FAULT


def test_contacts_keep_their_place_over_a_restart(device: Device) -> None:
    """A button left pressed is open at boot; it fails if restarting the bench released it."""
    _running(device)
    device.ask("press estop")
    device.end(signal.SIGKILL)
    (device.state / "guardian" / "latch").unlink()
    for path in (device.state / "guardian").glob("audit*"):
        path.unlink()
    device.start()
    assert device.told().latch_cause is LatchCause.OPEN_AT_BOOT


def test_the_process_is_small(device: Device) -> None:
    """Its resident memory stays within what its unit allows; it fails if something heavy were imported."""
    _running(device)
    status = Path(f"/proc/{device.running().pid}/status").read_text(encoding="ascii")
    resident_kib = int(status.split("VmRSS:")[1].split()[0])
    assert resident_kib < 40 * 1024
