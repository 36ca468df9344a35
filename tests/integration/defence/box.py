"""An appliance whose processes are started one by one, so that any of them can be kept from coming back."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from appliance.core.commands import SendOrder, VenueCommand
from appliance.core.config import DEMO_PATH
from appliance.core.errors import WireError
from appliance.core.values import OrderKind, Side
from appliance.engine.together import with_settings
from appliance.guardian.bench import bench_path
from appliance.safety.heartbeat import Heartbeat, HeartbeatReader, heartbeat_path
from appliance.safety.lamps import Lamp
from appliance.safety.lease import LeaseReader, lease_path
from appliance.safety.modes import Mode
from appliance.safety.page import boot_identity
from appliance.venues.simulator.ledger import ask_ledger
from appliance.wire.link import encode
from appliance.wire.venue_link import PROTOCOL_VERSION, Channel, Hello, Submit

WAIT_S = 40.0
SAFETY = """[safety]
lamp_test = false
reset_hold_ms = 1000
acknowledge_ms_max = {acknowledge_ms}
heartbeat_ms_max = {heartbeat_ms}
stop_policy = "{policy}"
"""
ORDERS = """[orders]
deadline_ms = {deadline_ms}
dead_man_s = 10
"""


class Box:
    """Hold one appliance in one folder."""

    def __init__(
        self,
        folder: Path,
        *,
        policy: str = "cancel",
        acknowledge_ms: int = 500,
        heartbeat_ms: int = 1_000,
        deadline_ms: int = 500,
        seed: int = 20240808,
        minimum_hold_s: int = 2,
    ) -> None:
        """Write the configuration; nothing runs yet."""
        self.state, self.runtime = folder / "state", folder / "run"
        self.config, self.arrivals = folder / "appliance.toml", folder / "arrivals.jsonl"
        own = {"state": f'"{self.state}"', "runtime": f'"{self.runtime}"', "panel_port": "0", "seed": str(seed)}
        own["minimum_hold_s"] = str(minimum_hold_s)
        text = with_settings(DEMO_PATH.read_text(encoding="utf-8"), own)
        safety = SAFETY.format(policy=policy, acknowledge_ms=acknowledge_ms, heartbeat_ms=heartbeat_ms)
        text = text.replace("[safety]\n", safety).replace("[orders]\n", ORDERS.format(deadline_ms=deadline_ms))
        self.config.write_text(text, encoding="utf-8")
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.lease = LeaseReader(lease_path(self.runtime), boot_identity())
        self.pulse = HeartbeatReader(heartbeat_path(self.runtime), boot_identity())

    def start(self, *names: str) -> None:
        """Start processes; none is started again by itself."""
        for name in names:
            more = ("--arrivals", str(self.arrivals)) if name == "venue" else ()
            words = [sys.executable, "-m", "appliance", name, "--config", str(self.config), *more]
            self.processes[name] = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start_trading(self) -> None:
        """Start everything and wait until it trades."""
        self.start("venue", "guardian", "trader")
        self.until(lambda: self.mode() is Mode.NORMAL and self.permits())

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal and return the moment it was sent."""
        self.processes[name].send_signal(number)
        return time.monotonic_ns()

    def end(self) -> None:
        """End everything, also what is stopped or parked."""
        parked = self.parked_pids()
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()
        for pid in parked:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def parked_pids(self) -> list[int]:
        """Return the last-resort processes of this folder."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                    if b"last-resort" in words and str(self.config).encode() in words:
                        found.append(int(entry.name))
        return found

    def until(self, wanted: Callable[[], object], step_s: float = 0.005) -> int:
        """Wait until something is true and return when that was."""
        deadline_s = time.monotonic() + WAIT_S
        while not wanted():
            assert time.monotonic() < deadline_s, (self.mode(), self.lamp(), self.audit()[-6:])
            time.sleep(step_s)
        return time.monotonic_ns()

    def beat(self) -> Heartbeat | None:
        """Return the trader's last report."""
        report = self.pulse.read(time.monotonic_ns())
        if report is None or time.monotonic_ns() - report.beat_ns > 500_000_000:
            self.pulse.refresh()
            report = self.pulse.read(time.monotonic_ns())
        return report

    def mode(self) -> Mode | None:
        """Return what the trader last said it does."""
        report = self.beat()
        return None if report is None else report.mode

    def permits(self) -> bool:
        """Tell what the trader's gate would see now."""
        if self.lease.information() is None:
            self.lease.refresh()
        return self.lease.permits(time.monotonic_ns())

    def lamp(self) -> Lamp | None:
        """Return what the lamp says."""
        self.lease.refresh()
        told = self.lease.information()
        return None if told is None else Lamp(told.lamp)

    def latch_sequence(self) -> int:
        """Return the number of the last latching."""
        self.lease.refresh()
        told = self.lease.information()
        return 0 if told is None else told.latch_sequence

    def acknowledged(self) -> int:
        """Return the latching that the trader has answered last."""
        report = self.beat()
        return -1 if report is None else report.acknowledged_latch_sequence

    def press(self, line: str) -> str:
        """Let a hand press a button and return its answer."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.settimeout(10)
            channel.connect(os.fspath(bench_path(self.runtime)))
            channel.sendall(line.encode())
            return channel.recv(100).decode()

    def books(self) -> dict[str, Any]:
        """Return the venue's own books."""
        return ask_ledger(self.runtime / "venue.sock")

    def open_ids(self) -> set[str]:
        """Return the client ids on the venue's book."""
        return {order["client_id"] for order in self.books()["open_orders"]}

    def audit(self) -> list[dict[str, Any]]:
        """Return the guardian's record."""
        path = self.state / "guardian" / "audit.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the recorded events of one name."""
        return [entry for entry in self.audit() if entry["event"] == name]

    def arrived(self, command: str) -> list[dict[str, Any]]:
        """Return what reached the venue, by its own log."""
        lines = self.arrivals.read_text().splitlines() if self.arrivals.exists() else []
        return [line for line in map(json.loads, lines) if line["command"] == command]

    def rest(self, client_id: str, price_ticks: int = 1) -> None:
        """Place an order to buy far below the market, as a trader's that was left behind."""
        order = SendOrder(
            client_id,
            "BTC/USD",
            Side.BUY,
            OrderKind.LIMIT,
            price_ticks,
            1_000_000,
            reduce_only=False,
            deadline_ms=5_000,
            trace=0,
        )
        self.say(Channel.ORDERS, order)
        self.until(lambda: client_id in self.open_ids())

    def say(self, channel: Channel, command: VenueCommand, key: str = "") -> bytes:
        """Send one command over a connection of its own and return what came before the venue closed or fell silent."""
        heard = b""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(0.3)
            link.connect(str(self.runtime / "venue.sock"))
            link.sendall(encode(Hello(PROTOCOL_VERSION, channel, key)) + encode(Submit(time.monotonic_ns(), command)))
            with suppress(TimeoutError, ConnectionResetError):
                while data := link.recv(65_536):
                    heard += data
                return heard + b"closed"
        return heard

    def key(self) -> str:
        """Return the secret that opens the last-resort channel."""
        return (self.state / "last-resort.key").read_text().strip()

    def last_resort(self, *words: str) -> tuple[int, dict[str, Any], str]:
        """Run it as a person would and return status, outcome and what it said."""
        command = [sys.executable, "-m", "appliance", "last-resort", "--config", str(self.config), "--json", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        outcome: dict[str, Any] = json.loads(done.stdout) if done.stdout.strip() else {}
        return done.returncode, outcome, done.stderr

    def venue_answers(self) -> bool:
        """Tell whether the venue is there."""
        try:
            self.books()
        except WireError:
            return False
        return True


def ms(from_ns: int, to_ns: int) -> float:
    """Return a duration in milliseconds."""
    return (to_ns - from_ns) / 1e6


def tell(line: str) -> None:
    """Show a measured figure to whoever runs the tests with -s."""
    sys.stdout.write(line + "\n")
