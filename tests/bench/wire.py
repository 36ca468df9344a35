"""The guardian under full load: from a level written to a pipe to the lease withdrawn.

The pipe stands for the wire. A thread of the guardian's process waits in the kernel for it, as the pin library's
thread waits for an edge, moves the simulated pin and with it runs the real listener beside the real loop. Three
moments, all CLOCK_MONOTONIC: just before the write (here), at the edge (there), when the lease was withdrawn (there).
A reader spinning on the page says when it saw that; under load that holds the reader's own turn on a core. Presses
are shorter than the glitch time, so that permission comes back by itself. The load is what a trader at its worst does,
once for every core: a model's inference, a busy interpreter and full garbage collections, without a pause.

    python -m tests.bench.wire [--presses 200] [--json FILE]
"""

import argparse
import json
import os
import select
import subprocess
import sys
import tempfile
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
from tests.bench.figures import Figure, figure, show

PRESSES_COUNT = 200
WITHDRAWN_US_MAX = 1_000
PRIORITY = 50
GLITCH_US = 10_000_000
CONFIG = """
[safety]
lamp_test = false
[pins]
factory = "simulated"
[paths]
state = "{folder}/state"
runtime = "{folder}/run"
"""
LOAD = """
import gc
from appliance.signals.models.installed import models_folder, trusted_key
from appliance.signals.models.registry import load
from tests.bench.models import model
infer = model(load(models_folder(), trusted_key()), "lstm")
infer()
print("busy", flush=True)
while True:
    infer()
    kept = [{"number": number} for number in range(20_000)]
    sum(one["number"] for one in kept)
    gc.collect()
"""
LOAD_S_MAX = 120
REPORT = Heartbeat(0, os.getpid(), Mode.NORMAL, 0, 0, 0, 0, 0, verified_flat=False, stopping=False)


def guard(config_path: Path, *, fifo: bool) -> None:
    """Be the guardian, with the pipe on standard input for a wire."""
    if fifo:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    config, clock = load(config_path), SystemClock()
    # Longer than any owner may set it, and than this machine holds a bench up: no press here is to become a latch.
    config = replace(config, safety=replace(config.safety, glitch_us=GLITCH_US))
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
    words = [sys.executable, "-c", LOAD]
    busy = [subprocess.Popen(words, stdout=subprocess.PIPE) for _ in range(os.cpu_count() or 1)]
    try:
        for process in busy:
            if process.stdout is None or not select.select([process.stdout], [], [], LOAD_S_MAX)[0]:
                raise SystemExit("the load did not start")
            if process.stdout.readline() != b"busy\n":
                raise SystemExit("the load ended: are the kernels compiled and the models installed?")
        yield
    finally:
        for process in busy:
            process.kill()
            process.communicate()


def press_us(folder: Path, presses_count: int, *, fifo: bool) -> tuple[list[float], list[float], list[float]]:
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
    words = [sys.executable, "-m", "tests.bench.wire", "--guard", str(config), *(("--fifo",) if fifo else ())]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    try:
        taken = _press_all(process, LeaseReader(lease_path(folder / "run"), boot_identity()), presses_count)
    finally:
        process.kill()
        process.wait()
        ended.set()
        beater.join()
    written, edged, seen = (sorted(column) for column in zip(*taken, strict=True))
    return written, edged, seen


def _press_all(
    process: "subprocess.Popen[bytes]", reader: LeaseReader, presses_count: int
) -> list[tuple[float, float, float]]:
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        raise SystemExit("the wire has no ends")
    taken = []
    for _ in range(presses_count):
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


def figures_under_load(folder: Path, presses_count: int) -> list[Figure]:
    """Return the figures, with the real-time class where it is allowed."""
    found: list[Figure] = []
    with loaded():
        for name, fifo in (("ordinary", False), *((("fifo", True),) if may_be_fifo() else ())):
            written, edged, seen = press_us(folder / name, presses_count, fifo=fifo)
            for what, times in (("wire to withdrawn", written), ("edge to withdrawn", edged), ("wire to seen", seen)):
                label = f"loaded, {name}: {what}"
                # What is promised: to the lease withdrawn, in the real-time class.
                promised = WITHDRAWN_US_MAX if fifo and times is not seen else None
                found.append(figure(f"{label}, median", times[len(times) // 2], "us"))
                found.append(figure(f"{label}, p99", times[len(times) * 99 // 100], "us", promised))
                found.append(figure(f"{label}, worst", times[-1], "us"))
    return found


def measure(presses_count: int = PRESSES_COUNT) -> list[Figure]:
    """Return the figures."""
    with tempfile.TemporaryDirectory(prefix="wire-") as folder:
        return figures_under_load(Path(folder), presses_count)


def main() -> int:
    """Measure and print; or be the guardian that is measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presses", type=int, default=PRESSES_COUNT)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--guard", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--fifo", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.guard is not None:
        guard(arguments.guard, fifo=arguments.fifo)
        return 0
    figures = measure(arguments.presses)
    show(figures)
    if arguments.json is not None:
        document = {"presses": arguments.presses, "load": os.getloadavg(), "figures": figures}
        arguments.json.write_text(json.dumps(document, indent=1) + "\n", encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
