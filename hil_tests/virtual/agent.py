"""The bench's hands and eyes inside the emulated machine: a line in, a line of JSON out, over a virtual serial port.

It runs on the machine's own Python and reads what any process may read. Contacts are moved through the simulated chip,
which stands where the wires would be. It takes in as little of the appliance as it can: an emulated processor needs
most of a minute for what a trader imports.
"""

import json
import os
import time
import urllib.request
from pathlib import Path
from typing import Any

from appliance.safety.lamps import Lamp
from appliance.safety.lease import LeaseReader, lease_path
from appliance.safety.page import boot_identity

RUNTIME = Path("/run/bot4-edge")
PORT = Path("/dev/virtio-ports/bot4.bench")
DARK_NS = 400_000_000
GONE_NS_MAX = 2_000_000_000
HOLD_S = 3.3
TAP_S = 0.2
HAND_PRIORITY = 90
WIRES = {"red": 24, "green": 22, "blue": 27, "yellow": 23, "relay": 25}
ESTOP, RESET, CASE = 17, 5, 6
VENUE = "http://127.0.0.1:8471"
BOOKS_BYTES_MAX = 1_000_000


def line(pin: int) -> Path | None:
    """Return the folder of one simulated line."""
    return next(iter(Path("/sys/devices/platform").glob(f"gpio-sim.*/gpiochip*/sim_gpio{pin}")), None)


def move(pin: int, *, high: bool) -> int:
    """Move a wire and return when."""
    found = line(pin)
    if found is None:
        raise LookupError("no simulated chip")
    at_ns = time.monotonic_ns()
    (found / "pull").write_text("pull-up" if high else "pull-down")
    return at_ns


def levels() -> dict[str, int]:
    """Return what the wires of lamp and relay carry."""
    return {name: int((found / "value").read_text()) for name, pin in WIRES.items() if (found := line(pin)) is not None}


class Page:
    """Read the lease's page, as the trader does."""

    def __init__(self) -> None:
        self._lease: LeaseReader | None = None

    def lease(self) -> LeaseReader | None:
        """Return the page of the guardian that is running, if there is one."""
        if self._lease is None and lease_path(RUNTIME).exists():
            self._lease = LeaseReader(lease_path(RUNTIME), boot_identity())
        if self._lease is not None and time.monotonic_ns() - self._lease.beat_ns() > DARK_NS:
            self._lease.refresh()
        return self._lease

    def lamp(self) -> str:
        """Return what the guardian says the lamp shows."""
        lease = self.lease()
        known = lease.information() if lease is not None else None
        alive = lease is not None and time.monotonic_ns() - lease.beat_ns() <= DARK_NS
        return Lamp(known.lamp).name if known is not None and alive else Lamp.DARK.name

    def permitted(self) -> bool:
        """Tell whether exposure may be added."""
        lease = self.lease()
        return lease is not None and lease.permits(time.monotonic_ns())


def pressed(page: Page, button: str) -> dict[str, Any]:
    """Do to a button what its name says; for the stop button, measure until permission is gone."""
    if button == "estop":
        began_ns = move(ESTOP, high=False)
        while page.permitted() and time.monotonic_ns() - began_ns < GONE_NS_MAX:
            pass
        took_ns = time.monotonic_ns() - began_ns
        return {"answer": "ok", "gone_ns": None if page.permitted() else took_ns}
    if button in {"open-case", "shut-case"}:
        move(CASE, high=button == "open-case")
    elif button == "release":
        move(ESTOP, high=True)
    else:
        move(RESET, high=False)
        time.sleep(HOLD_S if button == "reset" else TAP_S)
        move(RESET, high=True)
    return {"answer": "ok"}


def glitched(count: int, length_us: int) -> dict[str, Any]:
    """Break the stop contact shortly, some times, and return how long the breaks really were."""
    found = line(ESTOP)
    if found is None:
        raise LookupError("no simulated chip")
    took_us = []
    # Nothing of the box may hold up the hand that moves the wire. Measured around both moves: no break was longer.
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(HAND_PRIORITY))
    wire = os.open(found / "pull", os.O_WRONLY)
    try:
        for _ in range(count):
            began_ns = time.monotonic_ns()
            os.pwrite(wire, b"pull-down", 0)
            while time.monotonic_ns() - began_ns < length_us * 1000:
                pass
            os.pwrite(wire, b"pull-up", 0)
            took_us.append((time.monotonic_ns() - began_ns) // 1000)
            time.sleep(0.05)
    finally:
        os.close(wire)
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return {"took_us": took_us}


def changes(name: str, duration_s: float) -> int:
    """Count how often a wire changed within some seconds."""
    found = line(WIRES[name])
    if found is None:
        raise LookupError("no simulated chip")
    end_s, count, last = time.monotonic() + duration_s, 0, ""
    while time.monotonic() < end_s:
        value = (found / "value").read_text()
        count, last = count + (last not in {"", value}), value
        time.sleep(0.005)
    return count


def answered(page: Page, word: str, rest: list[str]) -> dict[str, Any]:
    """Carry out one request."""
    if word == "look":
        return {"lamp": page.lamp(), "permitted": page.permitted(), "levels": levels()}
    if word == "press":
        return pressed(page, rest[0])
    if word == "glitch":
        return glitched(int(rest[0]), int(rest[1]))
    if word == "orders":
        with urllib.request.urlopen(VENUE + rest[0], timeout=30) as books:  # noqa: S310 - the box's own venue
            return {"open_orders": len(json.loads(books.read(BOOKS_BYTES_MAX))["open_orders"])}
    if word == "changes":
        return {"changes": changes(rest[0], float(rest[1]))}
    if word == "read":
        return {"text": Path(rest[0]).read_text(encoding="utf-8", errors="replace")[:100_000]}
    if word == "run":
        done = os.popen(" ".join(rest))  # noqa: S605 - the bench's own words, in a machine that is the bench's
        return {"text": done.read()[:100_000]}
    return {"error": f"unknown request {word}"}


def main() -> None:
    """Answer until the power goes."""
    while not PORT.exists():
        time.sleep(0.1)
    page = Page()
    with PORT.open("r+b", buffering=0) as port:
        port.write(b'{"ready": true}\n')
        pending = b""
        while True:
            data = port.read(4096)
            if not data:
                # Nobody at the other end.
                time.sleep(0.05)
                continue
            pending += data
            while b"\n" in pending:
                request, _, pending = pending.partition(b"\n")
                word, *rest = request.decode().split()
                try:
                    answer = answered(page, word, rest)
                except Exception as problem:  # noqa: BLE001 - whatever it is, the bench must hear of it
                    answer = {"error": f"{type(problem).__name__}: {problem}"}
                port.write(json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    main()
