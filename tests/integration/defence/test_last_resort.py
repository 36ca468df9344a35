"""The last resort as a process, and what its key opens at a real venue."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.core.commands import AskAccount, AskOrder, SendCancelAll, SendOrder, SetDeadMan, VenueCommand
from appliance.core.values import OrderKind, Side
from appliance.wire.venue_link import Channel
from tests.integration.defence.box import Box, tell

pytestmark = [pytest.mark.serial, pytest.mark.timeout(120)]

MakeBox = Callable[..., Box]
BITCOIN = "BTC/USD"
# What runs the trader, and must not be able to keep the last resort from running.
FOREIGN = (
    "appliance.bootstrap",
    "appliance.engine",
    "appliance.kernels",
    "appliance.market",
    "appliance.reporting",
    "appliance.risk",
    "appliance.signals",
    "appliance.strategies",
    "appliance.trading",
    "appliance.world",
    "asyncio",
    "llvmlite",
    "numba",
    "numpy",
    "sqlite3",
    "ssl",
)
REPORT = """
import json, sys
from appliance.__main__ import main
code = main({words})
print(json.dumps(sorted(sys.modules)))
"""


def order(side: Side, kind: OrderKind, *, reduce_only: bool, client_id: str = "x") -> SendOrder:
    """Return an order of a size that the account can pay for."""
    ticks = 1 if kind is OrderKind.LIMIT else 0
    return SendOrder(client_id, BITCOIN, side, kind, ticks, 1_000_000, reduce_only, 5_000, 0)


@pytest.fixture
def box(make_box: MakeBox) -> Box:
    """Return an appliance whose venue runs, with something held and something resting."""
    box = make_box()
    box.start("venue")
    box.until(box.venue_answers)
    box.say(Channel.ORDERS, order(Side.BUY, OrderKind.MARKET, reduce_only=False, client_id="bought"))
    box.rest("left-behind")
    assert box.books()["holdings"][BITCOIN] > 0
    return box


def test_it_cancels_and_says_so(box: Box) -> None:
    """A person's call clears the account and exits with 0; it fails if anything were left or claimed unproven."""
    code, outcome, _ = box.last_resort()
    assert code == 0
    assert outcome["verified"]
    assert (outcome["canceled_count"], outcome["entries_count"], outcome["sold_count"]) == (1, 0, 0)
    assert box.open_ids() == set()
    assert box.books()["holdings"][BITCOIN] > 0
    again, outcome, _ = box.last_resort()
    assert (again, outcome["canceled_count"]) == (0, 0)


def test_flatten_leaves_nothing_held(box: Box) -> None:
    """The strictest policy sells what is held and verifies it; it fails if it stopped at the orders."""
    code, outcome, _ = box.last_resort("--policy", "flatten")
    assert code == 0
    assert outcome["sold_count"] >= 1
    assert not any(box.books()["holdings"].values())
    assert box.books()["audit_ok"]
    assert box.books()["last_resort_refused"] == 0


def test_without_a_venue_it_says_that_nothing_is_proven(make_box: MakeBox) -> None:
    """No answer is no proof: exit code 1 within its own deadline; it fails if it waited for ever or claimed success."""
    box = make_box()
    box.state.mkdir()
    key = box.state / "last-resort.key"
    key.write_text("k" * 64)
    key.chmod(0o600)
    started_s = time.monotonic()
    code, outcome, _ = box.last_resort()
    assert code == 1
    assert not outcome["verified"]
    assert "no venue answers" in outcome["reason"]
    assert outcome["entries_count"] == -1
    assert time.monotonic() - started_s < 20


def test_bad_use_is_told_from_failure(box: Box) -> None:
    """A wrong word is exit code 2; it fails if it were taken for a stop that could not be verified."""
    assert box.last_resort("--policy", "sell-everything")[0] == 2
    box.config.write_text("[safety]\nno_such_setting = 1\n")
    code, _, said = box.last_resort()
    assert code == 2
    assert "Traceback" not in said


@pytest.mark.parametrize("key", ["", "0" * 64])
def test_a_wrong_key_opens_nothing(box: Box, key: str) -> None:
    """The venue refuses and counts it; it fails if any text opened the channel."""
    assert box.say(Channel.LAST_RESORT, SendCancelAll(), key) == b"closed"
    assert box.open_ids() == {"left-behind"}
    assert box.books()["last_resort_refused"] == 1


@pytest.mark.parametrize(
    "command",
    [
        order(Side.BUY, OrderKind.MARKET, reduce_only=False),
        order(Side.BUY, OrderKind.LIMIT, reduce_only=False),
        order(Side.SELL, OrderKind.MARKET, reduce_only=False),
        order(Side.SELL, OrderKind.LIMIT, reduce_only=True),
        AskOrder("left-behind"),
        SetDeadMan(0),
    ],
    ids=["buy", "bid", "sell", "offer", "ask-order", "disarm"],
)
def test_the_key_permits_only_what_lessens(box: Box, command: VenueCommand) -> None:
    """All else is refused, counted and ends the connection; it fails if the key could trade or disarm the timer."""
    before = box.books()
    assert box.say(Channel.LAST_RESORT, command, box.key()).endswith(b"closed")
    after = box.books()
    assert after["last_resort_refused"] == 1
    assert (after["holdings"], after["orders_accepted"]) == (before["holdings"], before["orders_accepted"])


def test_a_reduce_only_order_to_buy_is_refused_by_the_exchange(box: Box) -> None:
    """Calling an order reducing does not make it so; it fails if the word were believed."""
    before = box.books()["holdings"]
    box.say(Channel.LAST_RESORT, order(Side.BUY, OrderKind.MARKET, reduce_only=True), box.key())
    assert box.books()["holdings"] == before


def test_no_trader_hears_the_answer_to_the_last_resorts_question(box: Box) -> None:
    """An account report goes to who asked for it; it fails if a trader could take it for its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", LISTEN, str(box.runtime / "venue.sock")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "listening\n"
    assert b"AccountReported" in box.say(Channel.LAST_RESORT, AskAccount(1, 0), box.key())
    box.say(Channel.LAST_RESORT, SendCancelAll(), box.key())
    heard, _ = process.communicate(timeout=10)
    assert "OrderEnded" in heard
    assert "AccountReported" not in heard


LISTEN = """
import socket, sys
from appliance.wire.link import encode
from appliance.wire.venue_link import PROTOCOL_VERSION, Channel, Hello
link = socket.socket(socket.AF_UNIX)
link.connect(sys.argv[1])
link.sendall(encode(Hello(PROTOCOL_VERSION, Channel.ORDERS)))
heard = link.recv(65536)
print("listening", flush=True)
while b"OrderEnded" not in heard:
    heard += link.recv(65536)
link.settimeout(0.5)
try:
    heard += link.recv(65536)
except TimeoutError:
    pass
print(heard)
"""


def test_it_loads_nothing_that_runs_the_trader(box: Box) -> None:
    """A whole run imports no engine, journal, event loop or array library; it fails when one sneaks in."""
    words = ["last-resort", "--config", str(box.config)]
    done = subprocess.run(
        [sys.executable, "-c", REPORT.format(words=words)], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert "appliance.guardian.last_resort_link" in loaded
    assert [name for name in loaded if any(name == one or name.startswith(one + ".") for one in FOREIGN)] == []


def test_the_parked_one_is_ready_and_small(make_box: MakeBox) -> None:
    """The guardian keeps one ready and replaces one that died; it fails if the first need found none."""
    box = make_box()
    box.start("venue")
    box.until(box.venue_answers)
    started_ns = time.monotonic_ns()
    box.start("guardian")
    box.until(box.parked_pids)
    parked_ms = (time.monotonic_ns() - started_ns) / 1e6
    [pid] = box.parked_pids()
    time.sleep(1.0)
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    tell(f"parked after {parked_ms:.0f} ms; {status['VmRSS'].strip()}")
    subprocess.run(["kill", "-9", str(pid)], check=True)
    box.until(lambda: box.parked_pids() not in ([], [pid]))
    box.until(lambda: box.events("last-resort-not-ready"))


def test_its_start_is_quick(box: Box) -> None:
    """Shows how long a cold call takes from the shell to the first clear report; it fails on a stall."""
    took = []
    for _ in range(5):
        started_ns = time.monotonic_ns()
        _, outcome, _ = box.last_resort()
        took.append((time.monotonic_ns() - started_ns) // 1_000_000 - outcome["took_ms"])
    tell(f"start and end of a process around its work: {sorted(took)} ms")
    assert min(took) < 5_000
