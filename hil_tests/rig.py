"""A rig is a box under test and the hands and eyes around it: it presses, cuts power, and reads lamp and permission."""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from appliance.core.config import DEMO_PATH, read
from appliance.engine.command_run import own_places
from appliance.engine.together import with_settings
from appliance.guardian.command_bench_press import press
from appliance.safety.lamps import Lamp
from appliance.safety.lease import LeaseReader, lease_path
from appliance.safety.page import boot_identity
from appliance.venues.simulator.ledger import ask_books

LOOK_S = 0.002
# A lamp whose guardian has not shown life for so long is driven by nobody.
DARK_NS = 200_000_000
BOX = ("guardian", "trader", "reporter")


class Rig(Protocol):
    """Carry out what a card asks for."""

    name: str

    def power_on(self) -> None:
        """Give the box power."""
        ...

    def power_off(self) -> None:
        """Cut the box's power without warning."""
        ...

    def press(self, button: str) -> None:
        """Do to a button what its name says: estop, release, reset, start."""
        ...

    def lamp(self) -> Lamp:
        """Return what the lamp shows now."""
        ...

    def permitted(self) -> bool:
        """Tell whether the box may add exposure now."""
        ...

    def open_orders(self) -> int:
        """Return how many orders the venue has open."""
        ...


class SimulatedRig:
    """Run the box's real processes on this machine with simulated pins; the venue stays up when the box loses power."""

    name = "simulated"

    def __init__(self) -> None:
        """Prepare an empty box."""
        self._folder = tempfile.TemporaryDirectory(prefix="hil-")
        folder = Path(self._folder.name)
        self._runtime = folder / "run"
        self._config = folder / "appliance.toml"
        values = own_places(folder, 0)
        self._books_url = values["rest_url"].strip('"')
        self._config.write_text(with_settings(read(DEMO_PATH).decode(), values))
        self._runtime.mkdir()
        self._log = (folder / "log").open("wb")
        self._venue = self._start("venue")
        self._box: list[subprocess.Popen[bytes]] = []
        self._lease = LeaseReader(lease_path(self._runtime), boot_identity())

    def close(self) -> None:
        """Take the rig down and leave nothing."""
        self.power_off()
        self._venue.terminate()
        self._venue.wait()
        self._log.close()
        self._folder.cleanup()

    def power_on(self) -> None:
        """Start the box's processes."""
        self._box = [self._start(name) for name in BOX]

    def power_off(self) -> None:
        """Kill every process of the box at once, and lose what is kept in memory only."""
        for process in self._box:
            process.kill()
        for process in self._box:
            process.wait()
        self._box = []
        for owner in BOX:
            shutil.rmtree(self._runtime / owner, ignore_errors=True)
        time.sleep(2 * DARK_NS / 1e9)

    def press(self, button: str) -> None:
        """Press through the bench socket, which stands where the wires would be."""
        press(self._runtime, button)

    def lamp(self) -> Lamp:
        """Read the lamp off the guardian's page; dark without a living guardian."""
        if time.monotonic_ns() - self._lease.beat_ns() > DARK_NS:
            self._lease.refresh()
        known = self._lease.information()
        alive = time.monotonic_ns() - self._lease.beat_ns() <= DARK_NS
        return Lamp(known.lamp) if known is not None and alive else Lamp.DARK

    def permitted(self) -> bool:
        """Read the lease as the gate reads it."""
        return self._lease.permits(time.monotonic_ns())

    def open_orders(self) -> int:
        """Ask the venue's own books."""
        return len(ask_books(self._books_url).open_orders)

    def _start(self, name: str) -> "subprocess.Popen[bytes]":
        words = [sys.executable, "-m", "appliance", name, "--config", str(self._config)]
        return subprocess.Popen(words, stdout=self._log, stderr=self._log, stdin=subprocess.DEVNULL)


def within(limit_s: float, true: Callable[[], bool], after: Callable[[], None] | None = None) -> float | None:
    """Do something, then return after how many seconds something else became true, or None when it did not in time."""
    started_s = time.monotonic()
    if after is not None:
        after()
    while time.monotonic() - started_s < limit_s:
        if true():
            return time.monotonic() - started_s
        time.sleep(LOOK_S)
    return None


def stays(duration_s: float, true: Callable[[], bool]) -> bool:
    """Tell whether something stays true for so long."""
    until_s = time.monotonic() + duration_s
    while time.monotonic() < until_s:
        if not true():
            return False
        time.sleep(LOOK_S)
    return True
