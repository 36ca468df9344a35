"""The stop under a real systemd: a guardian without a network, and a last resort of its own that has one.

Every test leaves the box running for the next one.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.units.container import Container, lacking, until

pytestmark = [pytest.mark.serial, pytest.mark.timeout(240)]

STARTED_S_MAX = 90.0
CONFIG = "/etc/bot4-edge/appliance.toml"
CLIENT_KEY = "/tmp/client.key"  # noqa: S108 - the venue's own, PrivateTmp=
PROGRAM = "/opt/bot4-edge/bin"
# Run in a service's own sandbox, before its program: what kinds of socket it can make, and what networks it sees.
TRY = """
import socket, sys
made = []
for kind in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET):
    try:
        socket.socket(kind, socket.SOCK_RAW if kind == socket.AF_PACKET else socket.SOCK_STREAM).close()
        made.append(kind.name)
    except OSError:
        pass
lines = open("/proc/self/net/dev").read().splitlines()[2:]
up = [line.split(":")[0].strip() for line in lines if int(line.split(":")[1].split()[0])]
open(sys.argv[1], "w").write(" ".join([*made, "carries:", *up]))
"""
# An order of a client with a key of its own, far below the market: what a trader leaves behind.
ORDER = """
import json, time
from pathlib import Path
from appliance.core.config import load
from appliance.venues.kraken.blocking import exchange
from appliance.venues.kraken.endpoint import endpoint
from appliance.venues.kraken.http import post
from appliance.venues.kraken.keys import read_key
from appliance.wire.kraken.signing import signed
key = read_key(Path({key!r}))
place = endpoint(load(Path({config!r})).venue.rest_url, plain_loopback=True)
fields = {{"pair": "BTC/USD", "type": "buy", "ordertype": "limit", "volume": "0.01", "price": "1000.0",
          "cl_ord_id": {name!r}}}
ask = signed("/0/private/AddOrder", fields, time.time_ns() // 1_000, key.name, key.private)
print(json.loads(exchange(place, post(place, ask.path, ask.body, ask.headers), 5.0))["error"])
"""
BOOKS = """
import os
os.environ["NUMBA_CACHE_DIR"] = "/tmp/kernels"
from pathlib import Path
from appliance.core.config import load
from appliance.venues.simulator.ledger import ask_books
books = ask_books(load(Path({config!r})).venue.rest_url)
print(" ".join(order["client_id"] for order in books.open_orders), "|")
"""
PRESS = "from appliance.__main__ import main; main(['bench-press', {line!r}, '--config', {config!r}])"
LAMP = """
from pathlib import Path
from appliance.safety.lamps import Lamp
from appliance.safety.lease import LeaseReader, lease_path
from appliance.safety.page import boot_identity
lease = LeaseReader(lease_path(Path("/run/bot4-edge")), boot_identity())
lease.refresh()
known = lease.information()
print(Lamp(known.lamp).name if known else "none")
"""


class Stopping:
    """Hold a box and the hands that press its button."""

    def __init__(self, box: Container) -> None:
        """Take a running box."""
        self.box = box

    def lamp(self) -> str:
        """Return what the lamp says."""
        return self.box.inside("bot4-guardian", LAMP) if self.box.main_pid("bot4-guardian") else "none"

    def press(self, line: str) -> None:
        """Let a hand press a button."""
        self.box.inside("bot4-guardian", PRESS.format(line=line, config=CONFIG))

    def trade(self) -> None:
        """Wait until the box trades; start it first if it was stopped."""
        if self.lamp() in {"EMERGENCY", "HALTED", "FAULT"}:
            assert until(STARTED_S_MAX, lambda: self.lamp() == "HALTED"), self.events("")[-8:]
            for line in ("release", "reset", "start"):
                self.press(line)
        assert until(STARTED_S_MAX, lambda: self.lamp() == "NORMAL"), self.box.journal()[-3000:]

    def rest(self, name: str) -> None:
        """Leave an order to buy at the venue."""
        program = ORDER.format(key=CLIENT_KEY, config=CONFIG, name=name)
        assert self.box.inside("bot4-venue", program) == "[]"
        assert name in self.open_ids()

    def open_ids(self) -> str:
        """Return the client ids on the venue's book, and a bar to show that it answered."""
        found = self.box.inside("bot4-venue", BOOKS.format(config=CONFIG))
        assert found.endswith("|"), found
        return found

    def signal(self, unit: str, name: str) -> None:
        """Send a signal to a service's main process."""
        self.box.run("systemctl", "kill", f"--signal={name}", "--kill-whom=main", f"bot4-{unit}.service")

    def latched_anew(self) -> bool:
        """Tell whether the last thing that was pressed latched."""
        return [entry["event"] for entry in self.events("") if entry["event"] in {"latched", "start-granted"}][-1:] == [
            "latched"
        ]

    def cleared_apart(self) -> bool:
        """Tell whether the last resort verified the last latch."""
        latch = self.events("latched")[-1]["detail"]["latch_sequence"]
        ended = [entry["detail"] for entry in self.events("last-resort-ended")]
        return any(one["verified"] == 1 and one["latch_sequence"] == latch for one in ended)

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return what the guardian recorded of one name, or everything."""
        path = self.box.root / "var/lib/bot4-edge/guardian/audit.jsonl"
        found = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
        return [entry for entry in found if not name or entry["event"] == name]


@pytest.fixture(scope="module")
def stopping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stopping]:
    """Return a box that trades, whose venue takes a client's orders too."""
    if reason := lacking():
        pytest.skip(reason)
    folder: Path = tmp_path_factory.mktemp("box")
    box = Container(folder)
    venue = f"{PROGRAM}/appliance venue --config {CONFIG} --client-key {CLIENT_KEY}"
    box.drop_in("bot4-venue", "client", f"[Service]\nExecStart=\nExecStart={venue}\n")
    (box.root / "opt/try.py").write_text(TRY)
    for unit, kept in (("guardian", "/run/bot4-edge/guardian"), ("last-resort", "/var/lib/bot4-edge/last-resort")):
        box.drop_in(f"bot4-{unit}", "try", f"[Service]\nExecStartPre={PROGRAM}/python /opt/try.py {kept}/tried\n")
    try:
        box.start()
        yield Stopping(box)
    finally:
        box.stop()


def test_the_guardian_has_no_network_and_the_last_resort_has(stopping: Stopping) -> None:
    """Shows what each can reach in its own sandbox: the guardian makes no socket but local ones, in a network where
    nothing ever moves. Fails when it could make a connection, or when the look itself finds none anywhere.
    """
    stopping.trade()
    guardian = stopping.box.run("cat", "/run/bot4-edge/guardian/tried")
    last_resort = stopping.box.run("cat", "/var/lib/bot4-edge/last-resort/tried")
    assert guardian == "AF_UNIX carries:"
    assert last_resort.startswith("AF_UNIX AF_INET AF_INET6 carries:")
    own, others = (
        stopping.box.run("readlink", f"/proc/{stopping.box.main_pid(unit)}/ns/net")
        for unit in ("bot4-guardian", "bot4-last-resort")
    )
    assert own != others


def test_a_press_with_a_hung_trader_is_cleared_by_the_parked_unit(stopping: Stopping) -> None:
    """Shows press, kill and cancel over three users and two networks: the guardian ends the trader, calls the last
    resort, and that one's own key clears the venue. Fails when one of them cannot reach the next.
    """
    stopping.trade()
    stopping.rest("left-behind")
    before = stopping.box.main_pid("bot4-trader")
    stopping.signal("trader", "SIGSTOP")
    stopping.press("estop")
    assert until(30, stopping.cleared_apart), stopping.events("")[-8:]
    assert "left-behind" not in stopping.open_ids()
    # A slow machine may find the hang before the press: then the first of two runs canceled.
    assert sum(ended["detail"]["canceled_count"] for ended in stopping.events("last-resort-ended")) >= 1
    assert '"verified":true' in stopping.box.journal("bot4-last-resort")
    assert stopping.box.main_pid("bot4-trader") != before
    assert until(STARTED_S_MAX, lambda: stopping.lamp() == "HALTED"), stopping.lamp()


def test_a_guardian_that_is_killed_comes_back_into_the_same_stop(stopping: Stopping) -> None:
    """Shows the latch over a crash, restarted by systemd in the same moment; fails when a new guardian begins clear, or
    none comes.
    """
    if stopping.lamp() == "NORMAL":
        stopping.press("estop")
    assert until(STARTED_S_MAX, lambda: stopping.lamp() == "HALTED"), stopping.lamp()
    before = stopping.box.main_pid("bot4-guardian")
    starts = len(stopping.events("guardian-started"))
    stopping.signal("guardian", "SIGKILL")
    assert until(20, lambda: stopping.box.main_pid("bot4-guardian") not in {0, before})
    # The lamp of the dead one can be read until the next has begun; its own word comes first.
    assert until(20, lambda: len(stopping.events("guardian-started")) > starts)
    assert stopping.events("guardian-started")[-1]["detail"]["latched"] == 1
    assert until(20, lambda: stopping.lamp() in {"EMERGENCY", "HALTED"}), stopping.lamp()
    assert stopping.latched_anew()


def test_a_press_while_the_parked_unit_is_away_is_served_by_the_next(stopping: Stopping) -> None:
    """Shows the gap: killed, pressed before it is back, cleared by the one that systemd starts. Fails when the call is
    lost with the process, or nothing brings another.
    """
    # A gap wider than the unit's, so that the press surely falls into it.
    stopping.box.drop_in("bot4-last-resort", "gap", "[Service]\nRestartSec=15\n")
    stopping.box.run("systemctl", "daemon-reload")
    stopping.trade()
    stopping.rest("left-behind-too")
    before = stopping.box.main_pid("bot4-last-resort")
    stopping.signal("last-resort", "SIGKILL")
    stopping.signal("trader", "SIGSTOP")
    stopping.press("estop")
    assert until(5, stopping.latched_anew), stopping.events("")[-8:]
    assert stopping.box.main_pid("bot4-last-resort") == 0, "the press did not fall into the gap"
    assert until(60, stopping.cleared_apart), stopping.events("")[-8:]
    assert "left-behind-too" not in stopping.open_ids()
    assert stopping.box.main_pid("bot4-last-resort") not in {0, before}
