"""The guardian under full load: from a level written to a pipe to the lease withdrawn.

The pipe stands for the wire. A thread of the guardian's process waits in the kernel for it, as the pin library's
thread waits for an edge, moves the simulated pin and with it runs the real listener beside the real loop. Three
moments, all CLOCK_MONOTONIC: just before the write (here), at the edge (there), when the lease was withdrawn (there).
A reader spinning on the page says when it saw that; under load that holds the reader's own turn on a core. Presses
are shorter than the glitch time, so that permission comes back by itself. The load is two processes of interpreter,
arrays and garbage collection, one a core.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from appliance.core.clock import SystemClock
from appliance.core.config import load
from appliance.guardian.edges import Edges
from appliance.guardian.keeper import Keeper
from appliance.guardian.main import Joined, _guardian, _last_resort, _loop, _open_disk, pin_assignment
from appliance.hardware.pins import Contact, open_pins
from appliance.hardware.pins_simulated import SimulatedHands
from appliance.hardware.watchdog import Notifier
from appliance.safety.heartbeat import Heartbeat, HeartbeatWriter, heartbeat_path
from appliance.safety.lease import LeaseReader, LeaseWriter, lease_path
from appliance.safety.modes import Mode
from appliance.safety.page import boot_identity
from tests.bench.figures import Figure, figure

PRESSES_COUNT = 200
PRIORITY = 50
CONFIG = """
[safety]
glitch_us = 20000
lamp_test = false
[pins]
factory = "simulated"
[paths]
state = "{folder}/state"
runtime = "{folder}/run"
"""
LOAD = """
import gc
import numpy
matrix = numpy.ones((300, 300))
while True:
    matrix @ matrix
    kept = [{"number": number} for number in range(20_000)]
    sum(one["number"] for one in kept)
    gc.collect()
"""
REPORT = Heartbeat(0, os.getpid(), Mode.NORMAL, 0, 0, 0, 0, 0, verified_flat=False, stopping=False)


def guard(config_path: Path, *, fifo: bool) -> None:
    """Be the guardian, with the pipe on standard input for a wire."""
    if fifo:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    config, clock = load(config_path), SystemClock()
    lease = LeaseWriter(lease_path(config.paths.runtime), boot_identity(), os.getpid())
    edges = Edges(lease, clock)
    pins = open_pins("simulated", pin_assignment(config), clock)
    hands = SimulatedHands(pins.factory, pin_assignment(config))
    pins.listen(edges.push)
    keeper = Keeper(clock, 5_000_000_000, edges.wake)
    disk = _open_disk(keeper, config, clock)
    joined = Joined(clock, pins, lease, edges, _last_resort(config), keeper)
    guardian = _guardian(config, joined, disk, clock.monotonic_ns())
    threading.Thread(target=_wire, args=(hands, edges), daemon=True).start()
    _loop(guardian, edges, clock, Notifier({}))


def _wire(hands: SimulatedHands, edges: Edges) -> None:
    while level := os.read(0, 1):
        edge_ns = time.monotonic_ns()
        hands.turn(Contact.ESTOP, asserted=level == b"1")
        if level == b"0":
            os.write(1, f"{edge_ns} {edges.withdrawn_ns}\n".encode())


@contextmanager
def loaded() -> Iterator[None]:
    """Keep every core busy."""
    busy = [subprocess.Popen([sys.executable, "-c", LOAD]) for _ in range(os.cpu_count() or 1)]
    time.sleep(1)
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def press_us(folder: Path, *, fifo: bool) -> tuple[list[float], list[float], list[float]]:
    """Return sorted times: write to withdrawn, edge to withdrawn, write to seen by the reader."""
    folder.mkdir(parents=True)
    config = folder / "appliance.toml"
    config.write_text(CONFIG.format(folder=folder), encoding="utf-8")
    beat, ended = HeartbeatWriter(heartbeat_path(folder / "run"), boot_identity()), threading.Event()

    def beating() -> None:
        while not ended.wait(0.05):
            beat.beat(replace(REPORT, beat_ns=time.monotonic_ns()))

    beater = threading.Thread(target=beating)
    beater.start()
    words = [sys.executable, "-m", "tests.bench.wire", str(config), "fifo" if fifo else "ordinary"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    try:
        taken = _press_all(process, LeaseReader(lease_path(folder / "run"), boot_identity()))
    finally:
        process.kill()
        process.wait()
        ended.set()
        beater.join()
    written, edged, seen = (sorted(column) for column in zip(*taken, strict=True))
    return written, edged, seen


def _press_all(process: "subprocess.Popen[bytes]", reader: LeaseReader) -> list[tuple[float, float, float]]:
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        raise SystemExit("the wire has no ends")
    taken = []
    for _ in range(PRESSES_COUNT):
        _permitted(reader)
        sent_ns = time.monotonic_ns()
        stdin.write(b"0")
        while reader.permits(time.monotonic_ns()):
            pass
        seen_ns = time.monotonic_ns()
        edge_ns, withdrawn_ns = map(int, stdout.readline().split())
        stdin.write(b"1")
        taken.append(((withdrawn_ns - sent_ns) / 1e3, (withdrawn_ns - edge_ns) / 1e3, (seen_ns - sent_ns) / 1e3))
    return taken


def _permitted(reader: LeaseReader) -> None:
    until_s = time.monotonic() + 30
    while not reader.permits(time.monotonic_ns()):
        if time.monotonic() > until_s:
            raise SystemExit("a press under load latched, or the guardian did not start")
        time.sleep(0.005)
        reader.refresh()


def may_be_fifo() -> bool:
    """Tell whether this machine lets a process of ours have a real-time class."""
    allowed = subprocess.run(
        [sys.executable, "-c", "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))"],
        check=False,
        stderr=subprocess.DEVNULL,
    )
    return allowed.returncode == 0


def figures_under_load(folder: Path) -> list[Figure]:
    """Return the figures, with the real-time class where it is allowed."""
    found: list[Figure] = []
    with loaded():
        for name, fifo in (("ordinary", False), *((("fifo", True),) if may_be_fifo() else ())):
            written, edged, seen = press_us(folder / name, fifo=fifo)
            for what, times in (("wire to withdrawn", written), ("edge to withdrawn", edged), ("wire to seen", seen)):
                label = f"loaded, {name}: {what}"
                found.append(figure(f"{label}, median", times[len(times) // 2], "us"))
                found.append(figure(f"{label}, p99", times[len(times) * 99 // 100], "us"))
                found.append(figure(f"{label}, worst", times[-1], "us"))
    return found


if __name__ == "__main__":
    guard(Path(sys.argv[1]), fifo=sys.argv[2] == "fifo")
