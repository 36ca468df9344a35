"""The last resort as a process, and what its key opens at a real venue."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.core.secret import Secret
from appliance.guardian.command_last_resort import nonce_path
from appliance.guardian.last_resort_call import call_path
from appliance.venues.kraken.keys import VenueKey
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


@pytest.fixture
def box(make_box: MakeBox) -> Box:
    """Return an appliance whose venue runs, with something held and something resting."""
    return left_behind(make_box())


def left_behind(box: Box) -> Box:
    """Start an appliance's venue and leave something held and something resting on it."""
    box.start("venue")
    box.until(box.venue_answers)
    assert box.order("bought", "buy") == ""
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


def test_flatten_leaves_nothing_held(make_box: MakeBox) -> None:
    """The strictest policy sells what is held and verifies it; it fails if it stopped at the orders."""
    box = left_behind(make_box(policy="flatten"))
    code, outcome, _ = box.last_resort()
    assert code == 0
    assert outcome["sold_count"] >= 1
    assert not any(box.books()["holdings"].values())
    assert box.books()["audit_ok"]


def test_what_is_too_small_to_sell_is_dust(make_box: MakeBox) -> None:
    """A remainder below the venue's smallest order does not keep it from being done; it fails if it sold for ever."""
    box = left_behind(make_box(policy="flatten"))
    assert box.order("most", "sell", volume="0.00995") == ""
    code, outcome, _ = box.last_resort()
    assert code == 0, outcome
    assert 0 < box.books()["holdings"][BITCOIN] < 10_000


def test_without_a_venue_it_says_that_nothing_is_proven(make_box: MakeBox) -> None:
    """No answer is no proof: exit code 1 within its own deadline; it fails if it waited for ever or claimed success."""
    box = make_box()
    box.state.mkdir()
    key = box.state / "last-resort.key"
    key.write_text("name:" + "k" * 64)
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


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (VenueKey("unknown", Secret("a2V5")), "EAPI:Invalid key"),
        (VenueKey("", Secret("a2V5")), "EAPI:Invalid key"),
        (None, "EAPI:Invalid signature"),
    ],
    ids=["unknown", "empty", "wrong-private"],
)
def test_a_wrong_key_opens_nothing(box: Box, key: VenueKey | None, error: str) -> None:
    """The venue refuses who cannot sign; it fails if any text opened the account."""
    assert box.ask("CancelAll", {}, key or VenueKey(box.key().name, Secret("a2V5"))) == error
    assert box.open_ids() == {"left-behind"}


ADD = {"pair": BITCOIN, "ordertype": "market", "volume": "0.01"}


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("AddOrder", ADD | {"type": "buy"}),
        ("AddOrder", ADD | {"type": "sell"}),
        ("AddOrder", ADD | {"type": "buy", "ordertype": "limit", "price": "1000"}),
        ("EditOrder", {"txid": "O"}),
        ("AmendOrder", {"txid": "O", "order_qty": "1"}),
    ],
)
def test_the_key_permits_only_what_lessens(box: Box, method: str, fields: dict[str, str]) -> None:
    """Where nothing is to be sold, the key places nothing at all; it fails if it could trade."""
    before = box.books()
    assert box.ask(method, fields, box.key()) == "EGeneral:Permission denied"
    assert box.books() == before | {name: box.books()[name] for name in ("open_orders",)}
    assert box.open_ids() == {"left-behind"}


def test_a_damaged_request_counter_does_not_stop_it(box: Box) -> None:
    """It clears although the card gives garbage where its counter was; it fails when it needs the card."""
    path = nonce_path(box.state)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"\xff\xff")
    code, outcome, _ = box.last_resort()
    assert code == 0, outcome
    assert box.open_ids() == set()
    assert path.read_bytes() == b"\xff\xff"


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
    """It listens soon after its start and stays small, and its death is recorded; it fails if the guardian believed
    that it was still there.
    """
    box = make_box()
    started_ns = time.monotonic_ns()
    box.start("last-resort")
    box.until(call_path(box.runtime).exists)
    parked_ms = (time.monotonic_ns() - started_ns) / 1e6
    box.start("guardian")
    box.until(lambda: box.events("guardian-started"))
    time.sleep(1.0)
    pid = box.processes["last-resort"].pid
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    tell(f"parked after {parked_ms:.0f} ms; {status['VmRSS'].strip()}")
    assert int(status["VmRSS"].split()[0]) < 48 * 1024
    box.kill("last-resort")
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
