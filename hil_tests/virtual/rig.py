"""The virtual rig: the image's own system in an emulated machine, its wires moved through Linux's simulated pins."""

import shlex
import subprocess
import tempfile
from pathlib import Path

from appliance.safety.lamps import Lamp
from hil_tests.virtual.machine import BenchError, Machine
from hil_tests.virtual.parts import kernel_version, read

OPERATOR_PATH = "/operator/books"
# An emulated processor under load; only how long a card waits is stretched, never what it asks for.
STRETCH = 10.0
_LEVELS = {"estop": (17, "down"), "release": (17, "up"), "open-case": (6, "up"), "shut-case": (6, "down")}
_FILLER = "/var/lib/bot4-setup/filler"
_WRITTEN_BYTES = 16_000_000
_SIGNALS = {"hang": "SIGSTOP", "wake": "SIGCONT", "kill": "SIGKILL"}
_GPIO_BUILD = Path(__file__).resolve().parent / "gpio/build.sh"


class VirtualRig:
    """Carry out what the cards ask for in an emulated machine."""

    name = "virtual"
    stretch = STRETCH
    abilities = frozenset({"contacts", "services", "clock", "network"})

    def __init__(self, image: Path, power_cuts: int) -> None:
        """Make a card from an image, as an owner does."""
        self._folder = tempfile.TemporaryDirectory(prefix="hil-")
        folder = Path(self._folder.name)
        module = folder / "gpio-sim.ko"
        subprocess.run([str(_GPIO_BUILD), kernel_version(image, folder), str(module)], check=True)
        self._machine = Machine(image, folder, module)
        self.power_cuts = power_cuts
        self.wires_seen: dict[Lamp, set[tuple[int, int, int, int]]] = {}
        self._looks: list[tuple[Lamp, tuple[int, int, int, int]]] = []
        self.last_status = ""

    def close(self) -> None:
        """Take the rig down and leave nothing."""
        self._machine.close()
        self._folder.cleanup()

    def power_on(self) -> None:
        """Switch the machine on, with the contacts as they are."""
        self._machine.power_on()

    def power_off(self) -> None:
        """Kill the machine where it stands."""
        self._machine.power_off()
        self.last_status = read(self._machine.card, "STATUS.txt")

    def press(self, button: str) -> float | None:
        """Move the contact; the machine itself measures until permission is gone."""
        pin, pull = _LEVELS.get(button, (0, ""))
        if pin:
            self._machine.contacts[pin] = pull
        gone_ns = self._machine.ask("press", button).get("gone_ns")
        return gone_ns / 1e9 if gone_ns is not None else None

    def lamp(self) -> Lamp:
        """Return what the guardian says, and keep what the wires carried at the same time."""
        found = self._machine.ask("look")
        lamp = Lamp[found["lamp"]]
        red, green, blue, yellow = (found["levels"].get(name, 0) for name in ("red", "green", "blue", "yellow"))
        self._looks = [*self._looks[-2:], (lamp, (red, green, blue, yellow))]
        # The guardian moves the wires a moment before it says so: what counts was seen between two looks of one word.
        if [one for one, _ in self._looks] == [lamp] * 3:
            self.wires_seen.setdefault(lamp, set()).add(self._looks[1][1])
        return lamp

    def permitted(self) -> bool:
        """Read the lease as the gate reads it."""
        return bool(self._machine.ask("look")["permitted"])

    def open_orders(self) -> int:
        """Ask the books of the venue in the box."""
        return int(self._machine.ask("orders", OPERATOR_PATH)["open_orders"])

    def glitch(self, count: int, length_us: int) -> list[int]:
        """Break the stop contact shortly, some times."""
        return list(self._machine.ask("glitch", str(count), str(length_us))["took_us"])

    def relay_changes(self, duration_s: float) -> int:
        """Count how often the relay's wire changed."""
        return int(self._machine.ask("changes", "relay", str(duration_s))["changes"])

    def service(self, what: str, unit: str) -> str:
        """Signal a service's main process, or tell its state."""
        name = f"bot4-{unit}.service"
        if what == "state":
            return self._run(f"systemctl is-active {name}")
        signal = _SIGNALS[what]
        # Without a main process there is none to signal, and systemd says so.
        done = self._run(f"systemctl kill -s {signal} --kill-whom=main {name} 2>&1 && echo ok")
        return "killed" if done == "ok" and what == "kill" else done

    def set_time(self, *, there: bool) -> None:
        """Let the time server speak, or not."""
        self._machine.time.muted = not there

    def set_network(self, *, there: bool) -> None:
        """Take every wired link up or down, as pulling the plug does."""
        up = "up" if there else "down"
        self._run(f"for one in /sys/class/net/e*; do ip link set $(basename $one) {up}; done")

    def fill(self, *, left_bytes: int | None) -> None:
        """Take all room but so much, also what is kept for the system itself, or give it back."""
        if left_bytes is None:
            self._run(f"rm -f {_FILLER}; sync")
            return
        # First almost all in one piece, which costs no writing, then whatever is left.
        folder = _FILLER.rpartition("/")[0]
        room = f"fallocate -l $(($(stat -f -c '%f*%S' {folder}) - {left_bytes or _WRITTEN_BYTES})) {_FILLER}"
        rest = f"dd if=/dev/zero of={_FILLER} bs=1M oflag=append conv=notrunc"
        self._run(f"{room} 2>&1; sync" if left_bytes else f"{room} 2>&1; {rest} 2>&1; sync")

    def _run(self, command: str) -> str:
        return str(self._machine.ask("run", "sh", "-c", shlex.quote(command))["text"]).strip()


def newest_image(folder: Path) -> Path:
    """Return the image that was made last."""
    found = sorted(folder.glob("*.img"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise BenchError(f"there is no image in {folder}: make one with `make image`")
    return found[-1]
