"""The emulated machine: the image's own kernel, first disk and card, a power switch, and a line to the bench's agent.

QEMU has no Raspberry Pi 4 that boots in a bearable time, so the board is its own `virt` with the Pi 4's processor. What
the firmware does before Linux is therefore not shown here.
"""

import json
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from hil_tests.virtual.parts import extracted, fit, initrd_with_bench
from hil_tests.virtual.time_server import TimeServer

ANSWER_S_MAX = 120.0
AGENT_S_MAX = 600.0
CARD_BYTES = 4_000_000_000
COMMAND_LINE = (
    "console=ttyAMA0 root=PARTLABEL=system_a rootwait ro fsck.repair=yes isolcpus=3 irqaffinity=0-2 panic=10 quiet"
    # An emulated processor is ten to fifty times slower than the board's; only how long a start may take is stretched.
    " systemd.default_device_timeout_sec=900 systemd.default_timeout_start_sec=900"
)


class BenchError(Exception):
    """Report that the bench itself did not work."""


class Machine:
    """Own one emulated box and its card."""

    def __init__(self, image: Path, folder: Path, gpio_module: Path | None) -> None:
        """Prepare a fresh card of 4 GB from an image."""
        if shutil.which("qemu-system-aarch64") is None:
            raise BenchError("qemu-system-aarch64 is not installed: apt-get install qemu-system-arm")
        self.folder = folder
        self.card = folder / "card.img"
        subprocess.run(["cp", "--sparse=always", str(image), str(self.card)], check=True)
        with self.card.open("r+b") as file:
            file.truncate(CARD_BYTES)
        fit(self.card)
        self._kernel = extracted(self.card, "a/vmlinuz", folder)
        self._initrd = initrd_with_bench(extracted(self.card, "a/initrd.img", folder), folder, gpio_module)
        # Stop button closed, reset open, case shut; they stay as they are while the power is away.
        self.contacts = {17: "up", 5: "up", 6: "down"}
        self.time = TimeServer()
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._pending = b""

    def power_on(self) -> None:
        """Start it, and come back when the agent in it answers."""
        port = self.folder / "bench.sock"
        port.unlink(missing_ok=True)
        words = ["qemu-system-aarch64", "-M", "virt,gic-version=3", "-cpu", "cortex-a72", "-smp", "4", "-m", "1024"]
        words += ["-accel", "tcg,thread=multi", "-display", "none", "-no-reboot", "-kernel", str(self._kernel)]
        contacts = ",".join(f"{pin}:{pull}" for pin, pull in self.contacts.items())
        told = f"{COMMAND_LINE} bot4.contacts={contacts} bot4.time={self.time.port}"
        words += ["-initrd", str(self._initrd), "-append", told, "-serial", f"file:{self.folder}/console.log"]
        words += ["-drive", f"file={self.card},if=virtio,format=raw,cache=writethrough"]
        words += ["-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile="]
        words += ["-device", "virtio-serial-pci", "-chardev", f"socket,id=bench,path={port},server=on,wait=off"]
        words += ["-device", "virtserialport,chardev=bench,name=bot4.bench", "-monitor", "none"]
        self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL)
        self._line = self._connected(port)
        self._pending = b""
        self._answer(AGENT_S_MAX)

    def power_off(self) -> None:
        """Kill it where it stands."""
        if self._line is not None:
            self._line.close()
            self._line = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Switch it off for good."""
        self.power_off()
        self.time.close()

    def ask(self, *words: str) -> dict[str, Any]:
        """Ask the agent for something and return its answer."""
        if self._line is None:
            raise BenchError("the machine has no power")
        self._line.sendall(" ".join(words).encode() + b"\n")
        answer = self._answer(ANSWER_S_MAX)
        if "error" in answer:
            raise BenchError(f"{' '.join(words)}: {answer['error']}")
        return answer

    def _connected(self, port: Path) -> socket.socket:
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        for _ in range(100):
            try:
                line.connect(str(port))
            except OSError:
                time.sleep(0.1)
            else:
                return line
        raise BenchError("the machine did not start")

    def _answer(self, limit_s: float) -> dict[str, Any]:
        if self._line is None:
            raise BenchError("the machine has no power")
        end_s = time.monotonic() + limit_s
        while b"\n" not in self._pending:
            left_s = end_s - time.monotonic()
            if left_s <= 0:
                raise BenchError(f"no answer from inside for {limit_s:.0f} s; see {self.folder}/console.log")
            self._line.settimeout(left_s)
            try:
                data = self._line.recv(65_536)
            except TimeoutError:
                continue
            if not data:
                raise BenchError("the machine ended by itself")
            self._pending += data
        text, _, self._pending = self._pending.partition(b"\n")
        found: dict[str, Any] = json.loads(text)
        return found
