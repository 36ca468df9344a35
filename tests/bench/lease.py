"""The guardian's figures on this machine: reading the lease, edge to withdrawn, cold start and memory.

The real process is measured on simulated pins: a hand presses through the bench socket, whose thread moves the mock
pin, which calls the same listener a real edge does. The time is from just before the line was sent to the moment a
spinning reader saw permission gone, so it holds the socket and two scheduling delays that a wire does not have.
"""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from appliance.core.clock import SystemClock
from appliance.guardian.bench import bench_path
from appliance.guardian.edges import Edges
from appliance.hardware.pins import Contact, PinAssignment, open_pins
from appliance.hardware.pins_simulated import SimulatedHands
from appliance.safety.heartbeat import Heartbeat, HeartbeatWriter, heartbeat_path
from appliance.safety.lease import LatchState, LeaseReader, LeaseWriter, lease_path
from appliance.safety.modes import Mode
from appliance.safety.page import boot_identity
from tests.bench.figures import Figure, figure, show

READS_COUNT = 200_000
ROUNDS = 5
EDGES_COUNT = 2_000
PRESSES_COUNT = 20
# A machine that is busy with other things is slow, and no bench is to give up for that.
WAIT_NS_MAX = 60_000_000_000
CONFIG = """
[safety]
reset_hold_ms = 1000
lamp_test = false
acknowledge_ms_max = 10000
[pins]
factory = "simulated"
[paths]
state = "{folder}/state"
runtime = "{folder}/run"
"""
ASSIGNMENT = PinAssignment(estop=17, reset=5, case=None, relay=None, red=24, green=22, blue=27, yellow=None)
REPORT = Heartbeat(0, os.getpid(), Mode.NORMAL, 0, 0, 0, 0, 0, verified_flat=False, stopping=False)


def read_ns(folder: Path) -> float:
    """Return the median time of one permission check, the loop's own cost taken off."""
    writer = LeaseWriter(lease_path(folder), boot_identity(), os.getpid())
    reader = LeaseReader(lease_path(folder), boot_identity())
    now_ns = time.monotonic_ns()
    writer.renew(now_ns + 1_000_000_000, writer.ticket())
    return statistics.median(_call_ns(reader.permits, now_ns) - _call_ns(int, now_ns) for _ in range(ROUNDS))


def _call_ns(call: Callable[[int], object], argument: int) -> float:
    started_ns = time.perf_counter_ns()
    for _ in range(READS_COUNT):
        call(argument)
    return (time.perf_counter_ns() - started_ns) / READS_COUNT


def edge_us(folder: Path) -> list[float]:
    """Return times from a pin's change to the lease withdrawn, inside one process without a loop."""
    lease = LeaseWriter(lease_path(folder), boot_identity(), os.getpid())
    reader = LeaseReader(lease_path(folder), boot_identity())
    pins = open_pins("simulated", ASSIGNMENT, SystemClock())
    hands = SimulatedHands(pins.factory, ASSIGNMENT)
    edges = Edges(lease, SystemClock())
    pins.listen(edges.push)
    taken: list[float] = []
    for _ in range(EDGES_COUNT):
        lease.renew(time.monotonic_ns() + 1_000_000_000, lease.ticket())
        started_ns = time.perf_counter_ns()
        hands.turn(Contact.ESTOP, asserted=False)
        taken.append((time.perf_counter_ns() - started_ns) / 1000)
        if reader.permits(time.monotonic_ns()):
            raise SystemExit("an edge did not withdraw the lease")
        hands.turn(Contact.ESTOP, asserted=True)
        edges.drain()
    return sorted(taken)


class Process:
    """Run the real guardian, with a thread that beats for the trader."""

    def __init__(self, folder: Path) -> None:
        """Start it; `begin` waits for it."""
        self.runtime = folder / "run"
        config = folder / "appliance.toml"
        config.write_text(CONFIG.format(folder=folder), encoding="utf-8")
        self._heartbeat = HeartbeatWriter(heartbeat_path(self.runtime), boot_identity())
        self._ended = threading.Event()
        self._beater = threading.Thread(target=self._beat, daemon=True)
        self._beater.start()
        self.reader = LeaseReader(lease_path(self.runtime), boot_identity())
        self._started_ns = time.monotonic_ns()
        self._process = subprocess.Popen([sys.executable, "-m", "appliance", "guardian", "--config", str(config)])

    def begin(self) -> float:
        """Wait for the first permission and return the milliseconds to it."""
        self._until(self._permits)
        return (time.monotonic_ns() - self._started_ns) / 1e6

    def press_us(self) -> float:
        """Return the time from sending a press to the lease withdrawn, then bring permission back."""
        sent_ns = time.monotonic_ns()
        answer = self._ask("press estop", wait=False)
        while self.reader.permits(now_ns := time.monotonic_ns()):
            if now_ns - sent_ns > WAIT_NS_MAX:
                raise SystemExit("a press did not withdraw permission")
        taken_us = (time.monotonic_ns() - sent_ns) / 1000
        answer.close()
        self._until(lambda: self._latch() is LatchState.LATCHED)
        for line in ("release estop", "reset"):
            self._ask(line, wait=True)
        # A start before the latch is ready is no start.
        self._until(lambda: self._latch() is LatchState.READY)
        self._ask("start", wait=True)
        self._until(self._permits)
        return taken_us

    def memory_mib(self) -> float:
        """Return its resident memory."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def end(self) -> None:
        """End it in order."""
        self._process.terminate()
        self._process.wait(10)
        self._ended.set()
        self._beater.join()

    def _beat(self) -> None:
        while not self._ended.wait(0.05):
            self._heartbeat.beat(replace(REPORT, beat_ns=time.monotonic_ns()))

    def _permits(self) -> bool:
        return self.reader.permits(time.monotonic_ns())

    def _latch(self) -> LatchState | None:
        known = self.reader.information()
        return None if known is None else known.latch_state

    def _until(self, wanted: Callable[[], bool]) -> None:
        deadline_ns = time.monotonic_ns() + WAIT_NS_MAX
        while not wanted():
            if time.monotonic_ns() > deadline_ns:
                raise SystemExit(f"the guardian did not get there in a minute; its latch is {self._latch()}")
            time.sleep(0.001)
            self.reader.refresh()

    def _ask(self, line: str, *, wait: bool) -> socket.socket:
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        channel.connect(os.fspath(bench_path(self.runtime)))
        channel.sendall(line.encode())
        if wait:
            channel.recv(100)
            channel.close()
        return channel


def measure() -> list[Figure]:
    """Return the figures."""
    folder = Path(tempfile.mkdtemp(prefix="lease-"))
    try:
        edges = edge_us(folder / "edges")
        reading_ns = read_ns(folder / "reads")
        process = Process(folder)
        try:
            start_ms = process.begin()
            presses = sorted(process.press_us() for _ in range(PRESSES_COUNT))
            memory_mib = process.memory_mib()
        finally:
            process.end()
    finally:
        shutil.rmtree(folder)
    return [
        figure("lease: one permission check", reading_ns, "ns", 1000),
        figure("edge to withdrawn in process, median", statistics.median(edges), "us", 1000),
        figure("edge to withdrawn in process, p99", edges[len(edges) * 99 // 100], "us", 1000),
        figure("press over the bench socket to withdrawn, median", statistics.median(presses), "us"),
        figure("press over the bench socket to withdrawn, worst", presses[-1], "us"),
        figure("guardian: start to first permission", start_ms, "ms", 1000),
        figure("guardian: resident memory", memory_mib, "MiB", 30),
    ]


if __name__ == "__main__":
    show(measure())
