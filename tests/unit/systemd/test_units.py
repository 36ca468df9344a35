"""The units, judged by systemd itself."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).resolve().parents[3] / "systemd/system"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
# Settings are brought into force by root, who mounts the card writable for a moment; both end before anything listens.
# The others need none of this.
EXPOSURE_MAX = {"bot4-setup.service": 3.5, "bot4-status.service": 4.0}
EXPOSURE_MAX_USUAL = 2.0


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """Return the units with a program that exists on this machine in place of ours."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: apt-get install systemd")
    for path in UNITS.iterdir():
        text = path.read_text()
        (tmp_path / path.name).write_text(re.sub(r"/opt/bot4-edge/bin/\S+", "/bin/true", text))
    return tmp_path


def _analyze(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False, timeout=60)


def test_systemd_finds_nothing_wrong_with_any_unit(units: Path) -> None:
    """Show that every unit is understood as written; fails on an unknown setting, a bad value or a missing unit."""
    done = _analyze("verify", "--man=no", *sorted(str(path) for path in units.iterdir()))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_wrong_setting_would_be_found(units: Path) -> None:
    """Show that the check above can fail; fails when systemd overlooks a setting that does not exist."""
    trader = units / "bot4-trader.service"
    trader.write_text(trader.read_text().replace("NoNewPrivileges=yes", "NoNewPrivilege=yes"))
    assert "NoNewPrivilege" in _analyze("verify", "--man=no", str(trader)).stderr


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_exposed_no_more_than_it_must_be(name: str, units: Path) -> None:
    """Show the sandbox is as tight as promised; fails when a protection is taken out of a unit."""
    done = _analyze("security", "--offline=true", str(units / name))
    found = re.search(r"Overall exposure level.*: ([\d.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    assert float(found[1]) <= EXPOSURE_MAX.get(name, EXPOSURE_MAX_USUAL)


def test_the_guardian_cannot_be_held_up_by_the_others() -> None:
    """Show that the guardian has its own core and real-time priority, and the others stay off it; fails on overlap."""

    def setting(name: str, key: str) -> str:
        found = re.search(rf"(?m)^{key}=(.*)$", (UNITS / name).read_text())
        assert found is not None, f"{name} does not set {key}"
        return found[1]

    assert setting("bot4-guardian.service", "CPUSchedulingPolicy") in {"fifo", "rr"}
    own = set(setting("bot4-guardian.service", "CPUAffinity").split())
    for name in ("bot4-last-resort.service", "bot4-trader.service", "bot4-reporter.service"):
        assert own.isdisjoint(setting(name, "CPUAffinity").split())


def test_the_machines_watchdog_stays_within_the_chips_fifteen_seconds() -> None:
    """Show that the SoC's watchdog is on and within what it can hold; fails when it is off or asks for more."""
    text = (UNITS.parent / "system.conf.d/bot4-watchdog.conf").read_text()
    wished_s = {int(value) for value in re.findall(r"(?m)^(?:Runtime|Reboot)WatchdogSec=(\d+)s$", text)}
    assert wished_s == {14}


def test_the_trader_is_allowed_the_question_whether_the_clock_is_set() -> None:
    """Shows that nothing in the trader's unit forbids to read the kernel's clock state, without which it opens nothing;
    fails when the question is refused with the right to set the clock.
    """
    lines = (UNITS / "bot4-trader.service").read_text().splitlines()
    assert "ProtectClock=yes" not in lines
    last = [line.removeprefix("SystemCallFilter=") for line in lines if line.startswith("SystemCallFilter=")][-1]
    assert {"adjtimex", "clock_adjtime"} <= set(last.split())
    assert "CapabilityBoundingSet=" in lines, "setting the clock takes a capability, which it must not have"


# Whose each key is: the one that trades, the one that only lessens, and the paper account's two, which its venue knows.
KEYS = {
    "bot4-trader": {"venue.key", "paper-venue.key"},
    "bot4-venue": {"paper-venue.key", "paper-last-resort.key"},
    "bot4-last-resort": {"last-resort.key", "paper-last-resort.key"},
    "bot4-clear": {"last-resort.key", "paper-last-resort.key"},
    "bot4-reporter": {"broker.key", "panel.token"},
}


def test_every_service_is_handed_its_own_keys_and_no_other() -> None:
    """Shows that what trades, what only lessens and what talks to the outside hold different keys; fails when a unit is
    handed one more, by whatever setting.
    """
    for path in UNITS.glob("*.service"):
        handed = re.findall(r"(?m)^(?:Load|Set|Import)Credential\w*=([^:\n]*)", path.read_text())
        assert set(handed) == KEYS.get(path.stem, set()), path.name
