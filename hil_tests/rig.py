"""A rig is a box under test and the hands and eyes around it: it presses, cuts power, and reads lamp and permission."""

import shutil
import subprocess
import sys
import tempfile
import time
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

# A lamp whose guardian has not shown life for so long is driven by nobody.
DARK_NS = 200_000_000
BOX = ("guardian", "trader", "reporter")

# What a rig may be able to do, and what is said of a card when it cannot.
ABILITIES = {
    "contacts": "this rig has no wires to move; it takes a booted image or a board",
    "services": "this rig has no system that restarts services; it takes a booted image or a board",
    "clock": "this rig cannot take the time away from the box",
    "network": "this rig has no network of the box's own",
    "broker": "no rig has a broker wired to the box yet",
    "sensor": "this rig's machine has no thermometer; it takes a board",
    "watchdog": "this rig's machine has no watchdog of the chip's; it takes a board",
    "day": "takes a day; run it on its own",
}


class Rig(Protocol):
    """Carry out what every card asks for.

    `stretch` says how much longer than on a board a start or a check may take here, 1 where the rig is as quick;
    `abilities` names what it can do besides (see ABILITIES).
    """

    name: str
    stretch: float
    abilities: frozenset[str]

    def power_on(self) -> None:
        """Give the box power."""
        ...

    def power_off(self) -> None:
        """Cut the box's power without warning."""
        ...

    def press(self, button: str) -> float | None:
        """Do to a button what its name says: estop, release, reset, start, open-case, shut-case.

        Return after how many seconds permission was gone, where the rig measures that itself.
        """
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
    stretch = 1.0
    abilities: frozenset[str] = frozenset()

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

    def press(self, button: str) -> float | None:
        """Press through the bench socket, which stands where the wires would be."""
        press(self._runtime, button)
        return None

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
