"""The units under a real systemd: started, watched, restarted, given up, and kept apart from each other.

Every test leaves the box running for the next one; those that end a service for good come last.
"""

import time
from functools import partial

import pytest

from tests.integration.units.container import Container, until

pytestmark = [pytest.mark.serial, pytest.mark.timeout(240)]

STARTED_S_MAX = 90.0
SECRET = "KEY:YS1rZXktdGhhdC10cmFkZXM="
ASK_CLOCK = """
import ctypes
library = ctypes.CDLL(None, use_errno=True)
print("the kernel", "answers" if library.adjtimex(ctypes.create_string_buffer(512)) >= 0 else ctypes.get_errno())
"""
LAMP = """
import time
from pathlib import Path
from appliance.safety.lamps import Lamp
from appliance.safety.lease import LeaseReader, lease_path
from appliance.safety.page import boot_identity
lease = LeaseReader(lease_path(Path("/run/bot4-edge")), boot_identity())
lease.refresh()
known = lease.information()
print(Lamp(known.lamp).name if known else "none")
"""


def _active(box: Container, unit: str) -> bool:
    return box.shown(f"bot4-{unit}.service", "ActiveState", "SubState") == ["active", "running"]


def _lamp(box: Container) -> str:
    # A page in shared memory is known by the kernel's boot id, which a container shows only to its services.
    return box.inside("bot4-guardian", LAMP) if box.main_pid("bot4-guardian") else "none"


def _signal(box: Container, unit: str, name: str) -> None:
    box.run("systemctl", "kill", f"--signal={name}", "--kill-whom=main", f"bot4-{unit}.service")


def test_a_box_with_its_card_turns_green_by_itself(box: Container) -> None:
    """Shows that settings, users, folders, units and processes fit together from boot to a green lamp; fails when a
    process cannot reach another, or tells systemd that it is ready when it is not.
    """
    for unit in ("guardian", "last-resort", "venue", "reporter", "trader"):
        assert until(STARTED_S_MAX, partial(_active, box, unit)), box.journal(f"bot4-{unit}")
    assert until(STARTED_S_MAX, lambda: _lamp(box) == "NORMAL"), box.journal()[-3000:]


def test_the_trader_may_ask_whether_the_clock_is_set(box: Container) -> None:
    """Shows that the trader's own confinement lets it ask the kernel for its clock, on which every opening waits; fails
    when the box could never leave PAUSED.
    """
    name = "bot4-clock-asked"
    lines = (box.root / "etc/systemd/system/bot4-trader.service").read_text().splitlines()
    confined = [one for one in lines if one.startswith(("Protect", "Restrict", "SystemCall", "Capability", "User="))]
    (box.root / "opt/project/ask_clock.py").write_text(ASK_CLOCK)
    service = ["[Service]", "Type=oneshot", "ExecStart=/opt/bot4-edge/bin/python /opt/project/ask_clock.py", *confined]
    (box.root / f"etc/systemd/system/{name}.service").write_text("\n".join(service))
    box.run("systemctl", "daemon-reload")
    box.run("systemctl", "start", name)
    assert until(5.0, lambda: "the kernel" in box.journal(name))
    assert "the kernel answers" in box.journal(name)


def test_keys_went_from_the_card_to_the_one_service_that_needs_each(box: Container) -> None:
    """Shows the whole way of a key, with systemd's own encryption; fails when it stays readable on the card or on the
    data partition, or when a service gets a key that is not its own.
    """
    card = (box.root / "boot/firmware/setup.toml").read_text()
    assert SECRET not in card
    assert "# moved into the box" in card
    assert SECRET.encode() not in (box.root / "var/lib/bot4-setup/credentials/venue.key").read_bytes()
    read = "import os, pathlib; p = pathlib.Path(os.environ.get('D', '{}')); print(p.read_text())"
    own = box.inside("bot4-trader", read.format("/run/credentials/bot4-trader.service/venue.key"))
    assert own == SECRET
    for unit in ("bot4-reporter", "bot4-guardian", "bot4-last-resort", "bot4-venue"):
        for path in ("/run/credentials/bot4-trader.service/venue.key", "/var/lib/bot4-setup/credentials/venue.key"):
            assert box.inside(unit, read.format(path)) == "", f"{unit} reads {path}"
    last = "/run/credentials/bot4-last-resort.service/paper-last-resort.key"
    assert ":" in box.inside("bot4-last-resort", read.format(last))
    for unit in ("bot4-reporter", "bot4-guardian", "bot4-trader"):
        assert box.inside(unit, read.format(last)) == "", f"{unit} reads {last}"


WRITES = """
import os
for path in {paths!r}:
    try:
        os.close(os.open(path, os.O_WRONLY))
        print(path)
    except OSError:
        pass
    try:
        os.rename(path, path + ".gone")
        print("moved", path)
    except OSError:
        pass
"""


def test_nobody_but_the_guardian_can_write_permission_or_latch(box: Container) -> None:
    """Shows that no bug in trader, venue or reporter can clear a halt; fails when one of them can write the lease's
    page or what the guardian keeps on the disk, or move it away.
    """
    kept = box.run("find", "/var/lib/bot4-edge/guardian", "/run/bot4-edge/guardian", "-type", "f").split()
    assert any("lease" in path for path in kept)
    assert len(kept) > 1
    program = WRITES.format(paths=kept)
    for unit in ("bot4-last-resort", "bot4-trader", "bot4-reporter", "bot4-venue"):
        assert box.inside(unit, program) == "", unit
    lease = [path for path in kept if "lease" in path]
    assert (
        box.inside("bot4-guardian", f"import os; os.close(os.open({lease[0]!r}, os.O_WRONLY)); print('can')") == "can"
    )


def test_the_reporter_sees_no_secret_and_no_journal(box: Container) -> None:
    """Shows that the process that talks to the network can read neither key nor latch; fails for a path it can open."""
    tried = (
        "/var/lib/bot4-setup/credentials",
        "/var/lib/bot4-edge/guardian",
        "/var/lib/systemd/credential.secret",
        "/boot/firmware/setup.toml",
        "/run/credentials/bot4-trader.service",
        "/run/credentials/bot4-guardian.service",
    )
    for path in tried:
        program = f"import os; print(os.listdir({path!r}) if os.path.isdir({path!r}) else open({path!r}).read())"
        assert box.inside("bot4-reporter", program) == "", path


def test_a_guardian_that_hangs_is_replaced_by_the_watchdog(box: Container) -> None:
    """Shows that three seconds of silence end a hung guardian and a new one takes over; fails without WatchdogSec."""
    before = box.main_pid("bot4-guardian")
    _signal(box, "guardian", "SIGSTOP")
    assert until(20, lambda: box.main_pid("bot4-guardian") not in (0, before) and _active(box, "guardian"))
    assert "watchdog" in box.journal("bot4-guardian").lower()


def test_a_trader_that_is_killed_comes_back_by_itself(box: Container) -> None:
    """Shows that SIGKILL costs a restart and no more; fails when the lamp does not turn green again."""
    assert until(STARTED_S_MAX, lambda: _lamp(box) == "NORMAL"), box.journal()[-3000:]
    before = box.main_pid("bot4-trader")
    _signal(box, "trader", "SIGKILL")
    assert until(STARTED_S_MAX, lambda: box.main_pid("bot4-trader") not in (0, before) and _active(box, "trader"))
    assert until(STARTED_S_MAX, lambda: _lamp(box) == "NORMAL"), box.journal()[-3000:]


def test_a_trader_that_dies_again_and_again_is_given_up_and_cleared_at_the_venue(box: Container) -> None:
    """Shows that a crash loop ends with a cancel that is verified at the venue; fails without OnFailure, or when the
    loop goes on.
    """
    box.drop_in("bot4-trader", "dies", "[Service]\nExecStart=\nExecStart=/bin/false\nRestartSec=100ms\n")
    box.run("systemctl", "daemon-reload")
    _signal(box, "trader", "SIGKILL")
    assert until(30, lambda: box.shown("bot4-trader.service", "ActiveState") == ["failed"]), box.journal()[-3000:]
    assert until(30, lambda: '"verified":true' in box.journal("bot4-clear")), box.journal("bot4-clear")
    assert _lamp(box) != "NORMAL"
    time.sleep(2)
    assert not _active(box, "trader")


def test_a_mistake_on_the_card_stops_the_box_and_is_told_there(box: Container) -> None:
    """Shows what an owner finds after a mistake; fails when the box starts all the same, or says nothing."""
    assert "are in use" in (box.root / "boot/firmware/STATUS.txt").read_text()
    box.run("systemctl", "stop", "bot4-guardian", "bot4-trader", "bot4-reporter", "bot4-venue", "bot4-setup")
    box.run("rm", "-r", "/run/bot4-setup/appliance")
    box.card("appliance.toml", "[risk]\nposition_percent_max = 9000\n")
    box.run("systemctl", "start", "bot4-setup", check=False)
    told = (box.root / "boot/firmware/STATUS.txt").read_text()
    assert "STOPPED" in told
    assert "appliance.toml:2: risk.position_percent_max" in told
    assert until(10, lambda: _active(box, "setup-lamp")), box.journal("bot4-setup-lamp")
    box.run("systemctl", "start", "bot4-guardian", check=False)
    assert not _active(box, "guardian")
