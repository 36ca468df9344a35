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

import msgspec

from appliance.core.config import DEMO_PATH
from appliance.core.errors import ApplianceError
from appliance.engine.command_run import own_places
from appliance.engine.together import with_settings
from appliance.guardian.bench import bench_path
from appliance.safety.heartbeat import Heartbeat, HeartbeatReader, heartbeat_path
from appliance.safety.lamps import Lamp
from appliance.safety.lease import LeaseReader, lease_path
from appliance.safety.modes import Mode
from appliance.safety.page import boot_identity
from appliance.store.audit_files import FILES_COUNT_MAX, audit_file, audit_folder, read_lines
from appliance.venues.kraken.blocking import exchange
from appliance.venues.kraken.endpoint import endpoint
from appliance.venues.kraken.http import post
from appliance.venues.kraken.keys import LAST_RESORT_KEY, VenueKey, read_key
from appliance.venues.simulator.ledger import ask_books
from appliance.wire.kraken.numbers import moment_ns, written_time
from appliance.wire.kraken.signing import signed

WAIT_S = 40.0
# Several at once, on a machine with other work.
START_S = 100.0
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
        faults: str = "",
    ) -> None:
        """Write the configuration; nothing runs yet."""
        self.state, self.runtime = folder / "state", folder / "run"
        self.config, self.arrivals = folder / "appliance.toml", folder / "arrivals.jsonl"
        self.said = folder / "said.log"
        own = own_places(folder, 0) | {"seed": str(seed), "minimum_hold_s": str(minimum_hold_s)}
        self.faults = faults
        self.deadline_ms, self.client_key, self.nonce = deadline_ms, folder / "client.key", 0
        self.traded_ns = 0
        self.place = endpoint(own["rest_url"].strip('"'), plain_loopback=True)
        text = with_settings(DEMO_PATH.read_text(encoding="utf-8"), own)
        safety = SAFETY.format(policy=policy, acknowledge_ms=acknowledge_ms, heartbeat_ms=heartbeat_ms)
        text = text.replace("[safety]\n", safety).replace("[orders]\n", ORDERS.format(deadline_ms=deadline_ms))
        self.config.write_text(text, encoding="utf-8")
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.lease = LeaseReader(lease_path(self.runtime), boot_identity())
        self.pulse = HeartbeatReader(heartbeat_path(self.runtime), boot_identity())

    def reach_venue_through(self, port: int) -> None:
        """Let the appliance, and it alone, reach the venue through another port of this machine."""
        text = self.config.read_text(encoding="utf-8")
        self.config.write_text(text.replace(f"127.0.0.1:{self.place.port}", f"127.0.0.1:{port}"), encoding="utf-8")

    def start(self, *names: str) -> None:
        """Start processes; none is started again by itself."""
        for name in names:
            words = [sys.executable, "-m", *self.words(name)]
            with self.said.open("ab") as said:
                self.processes[name] = subprocess.Popen(words, stdout=said, stderr=said)

    def words(self, name: str) -> tuple[str, ...]:
        """Return module and words that a process is started with."""
        log: tuple[str, ...] = ("--arrivals", str(self.arrivals), "--client-key", str(self.client_key))
        log = (*log, "--faults", self.faults) if self.faults else log
        own = {"venue": (*log, "--port", str(self.place.port)), "last-resort": ("--parked",)}
        return ("appliance", name, "--config", str(self.config), *own.get(name, ()))

    def start_trading(self) -> None:
        """Start everything and wait until it trades."""
        self.start("venue", "last-resort", "guardian", "trader")
        self.until(lambda: self.mode() is Mode.NORMAL and self.permits(), limit_s=START_S)
        # Where a trader takes long to start, the guardian has had the account cleared: no part of any test.
        self.until(lambda: len(self.events("last-resort-started")) == len(self.events("last-resort-ended")))
        self.traded_ns = time.monotonic_ns()

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal and return the moment it was sent."""
        self.processes[name].send_signal(number)
        return time.monotonic_ns()

    def end(self) -> None:
        """End everything, also what is stopped."""
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()

    def until(self, wanted: Callable[[], object], step_s: float = 0.005, limit_s: float = WAIT_S) -> int:
        """Wait until something is true and return when that was."""
        deadline_s = time.monotonic() + limit_s
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

    def press(self, line: str, meanwhile: Callable[[], None] = lambda: None) -> str:
        """Let a hand press a button, look on meanwhile, and return its answer."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.settimeout(10)
            channel.connect(os.fspath(bench_path(self.runtime)))
            channel.sendall(line.encode())
            meanwhile()
            return channel.recv(100).decode()

    def books(self) -> dict[str, Any]:
        """Return the venue's own books."""
        found: dict[str, Any] = msgspec.to_builtins(ask_books(self.place))
        return found

    def open_ids(self) -> set[str]:
        """Return the client ids on the venue's book."""
        return {order["client_id"] for order in self.books()["open_orders"]}

    def audit(self) -> list[dict[str, Any]]:
        """Return the guardian's record, the oldest file first."""
        paths = [audit_file(audit_folder(self.state), number) for number in reversed(range(FILES_COUNT_MAX))]
        return [json.loads(line) for path in paths for line in read_lines(path) if line.endswith(b"\n")]

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the recorded events of one name, since it traded if it did."""
        return [entry for entry in self.audit() if entry["event"] == name and entry["monotonic_ns"] >= self.traded_ns]

    def arrived(self, method: str) -> list[dict[str, Any]]:
        """Return what reached the venue, by its own log."""
        lines = self.arrivals.read_text().splitlines() if self.arrivals.exists() else []
        return [line for line in map(json.loads, lines) if line["method"] == method]

    def orders_sent(self) -> list[dict[str, Any]]:
        """Return every order that reached the venue, with its side and the moment it left, on this machine's clock.

        The deadline is so long after the leaving, in the venue's time, which the trader knows to a fraction of the
        time a message takes on loopback.
        """
        wall_ns = time.time_ns() - time.monotonic_ns()
        orders = self.arrived("add_order") + self.arrived("AddOrder")
        for order in orders:
            due_ns = moment_ns(order["deadline"])
            assert isinstance(due_ns, int)
            order["sent_ns"] = due_ns - self.deadline_ms * 1_000_000 - wall_ns
            order["side"] = order.get("side") or order["type"]
        return orders

    def rest(self, client_id: str, price_ticks: int = 10_000) -> None:
        """Place an order to buy far below the market, as a trader's that was left behind."""
        self.order(client_id, "buy", price_ticks)
        self.until(lambda: client_id in self.open_ids())

    def order(self, client_id: str, side: str, price_ticks: int = 0, volume: str = "0.01") -> str:
        """Place an order with a key of the bench's own, at the market without a price; return the venue's error."""
        due_ns = time.time_ns() + self.deadline_ms * 1_000_000
        fields = {
            "pair": "BTC/USD",
            "type": side,
            "ordertype": "limit" if price_ticks else "market",
            "volume": volume,
            "cl_ord_id": client_id,
            "deadline": written_time(due_ns),
        }
        return self.ask("AddOrder", fields | ({"price": f"{price_ticks / 10:.1f}"} if price_ticks else {}))

    def ask(self, name: str, fields: dict[str, str], key: VenueKey | None = None) -> str:
        """Ask the venue over REST, with the bench's key unless told another, and return its error."""
        shown = key or read_key(self.client_key)
        self.nonce = max(self.nonce + 1, time.time_ns() // 1_000)
        request = signed(f"/0/private/{name}", fields, self.nonce, shown.name, shown.private)
        body = exchange(self.place, post(self.place, request.path, request.body, request.headers), 5.0)
        return ", ".join(json.loads(body)["error"])

    def key(self) -> VenueKey:
        """Return the last resort's key."""
        return read_key(self.state / LAST_RESORT_KEY)

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
        except ApplianceError:
            return False
        return True


def ms(from_ns: int, to_ns: int) -> float:
    """Return a duration in milliseconds."""
    return (to_ns - from_ns) / 1e6


def tell(line: str) -> None:
    """Show a measured figure to whoever runs the tests with -s."""
    sys.stdout.write(line + "\n")
