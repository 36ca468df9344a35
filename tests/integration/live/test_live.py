"""Live mode as a whole: guardian, last resort, trader and reporter as processes, on an encrypted venue."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.__main__ import main
from appliance.core.errors import WireError
from appliance.safety.lamps import Lamp
from appliance.safety.modes import Mode
from appliance.venues.kraken.endpoint import Endpoint
from appliance.venues.simulator.ledger import ask_books
from tests.integration.live.live_box import ACCOUNT, CONSENT, DEVICE, LiveBox

pytestmark = [pytest.mark.serial, pytest.mark.timeout(600)]
# Several at once, on a machine with other work.
START_S = 200.0


@pytest.fixture
def make_live(tmp_path: Path) -> Iterator[Callable[..., LiveBox]]:
    """Return what makes a live appliance, and end every one made."""
    boxes: list[LiveBox] = []

    def make(**options: Any) -> LiveBox:  # noqa: ANN401 - the options are LiveBox's own
        boxes.append(LiveBox(tmp_path, **options))
        return boxes[-1]

    yield make
    for box in boxes:
        box.end()


def _trades(box: LiveBox) -> bool:
    return box.mode() is Mode.NORMAL and bool(box.arrived("add_order")) and box.books()["trades"] > 0


def test_it_trades_is_stopped_by_the_button_and_is_proven_flat(make_live: Callable[..., LiveBox]) -> None:
    """Shows sealed settings trading over TLS, the button ending it and no order to buy left in the venue's own books;
    fails when live mode does not come up, sends after the stop, or speaks to the venue without encryption.
    """
    box = make_live()
    box.start_all()
    box.until(lambda: _trades(box), limit_s=START_S)
    told = json.loads((box.runtime / "panel.json").read_text())
    assert told["url"].startswith("http")
    plain = Endpoint(secure=False, host=box.place.host, port=box.place.port, path="")
    with pytest.raises(WireError):
        ask_books(plain)
    pressed_ns = int(box.press("press estop").split()[1])
    box.until(lambda: box.mode() is Mode.HALTED and box.lamp() is Lamp.HALTED)
    books = box.books()
    assert [order for order in books["open_orders"] if order["side"] == "buy"] == []
    assert books["audit_ok"]
    time.sleep(2)
    assert [order for order in box.orders_sent() if order["side"] == "buy" and order["sent_ns"] > pressed_ns] == []
    assert box.last_resort()[1]["entries_count"] == 0
    assert "LIVE: orders go to wss://" in box.said.read_text()


def test_nothing_is_opened_until_the_clock_is_set(make_live: Callable[..., LiveBox]) -> None:
    """Shows the appliance paused, with its lamp, on a clock that nobody vouches for, and trading once somebody does;
    fails when an order leaves before.
    """
    box = make_live(clock_set=False)
    box.start_all()
    box.until(lambda: box.mode() is Mode.PAUSED and box.lamp() is Lamp.PAUSED, limit_s=START_S)
    time.sleep(5)
    assert box.arrived("add_order") == []
    box.clock.touch()
    box.until(lambda: _trades(box), limit_s=START_S)


def test_a_key_that_can_withdraw_is_a_fault(make_live: Callable[..., LiveBox]) -> None:
    """Shows fault, lamp and reason for a key that may take money out, and no order; fails when it is traded with."""
    box = make_live(faults="key_withdraws@0")
    box.start_all()
    box.until(lambda: box.mode() is Mode.FAULT and box.lamp() is Lamp.FAULT, limit_s=START_S)
    assert box.arrived("add_order") == []
    assert "it may take money out (withdraw-funds)" in box.said.read_text()


def _refused(box: LiveBox, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Give a trader the command line and return its exit code and what it said."""
    code = main(["trader", "--device", DEVICE, "--config", str(box.config)])
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (ACCOUNT, "", 'say orders.account = "dedicated" for a sub-account of its own'),
        (CONSENT, "", "live trading needs your consent"),
        (CONSENT, CONSENT.replace("bot4-demo", "bot4-other"), "live trading needs your consent"),
        ("clock_unsynced_allowed = false", "clock_unsynced_allowed = true", "live trading needs a set clock"),
        ("wss://", "ws://", "live trading is always encrypted"),
        ("127.0.0.1", "api.kraken.com.example", "live trading knows one venue"),
    ],
)
def test_what_live_mode_lacks_is_named(
    make_live: Callable[..., LiveBox], capsys: pytest.CaptureFixture[str], old: str, new: str, says: str
) -> None:
    """Shows exit code 2 and what to do for each missing condition, before anything is sealed or reached; fails when a
    trader starts without it.
    """
    box = make_live()
    box.install(box.text().replace(old, new), sealed=False)
    status, said = _refused(box, capsys)
    assert (status, says in said) == (2, True), said


def test_a_seal_is_needed_and_must_fit(make_live: Callable[..., LiveBox], capsys: pytest.CaptureFixture[str]) -> None:
    """Shows that a live file without its seal, without its owner's key, or changed to paper after it was sealed does
    not start; fails when taking something away makes the box less strict.
    """
    box = make_live()
    sealed = box.seal.read_bytes()
    box.seal.unlink()
    assert "make it with: appliance seal" in _refused(box, capsys)[1]
    box.seal.write_bytes(sealed)
    live = box.text()
    box.config.write_text(live.replace("deadline_ms = 500", "deadline_ms = 501"))
    assert "is refused: the configuration was changed after it was sealed" in _refused(box, capsys)[1]
    box.config.write_text(live.replace('mode = "live"', 'mode = "paper"').replace(f"{CONSENT}\n", ""))
    assert "is refused: the configuration has" in _refused(box, capsys)[1]
    box.config.write_text(live)
    box.config.with_name("seal.pub").unlink()
    status, said = _refused(box, capsys)
    assert (status, "asks for live trading without a seal" in said) == (2, True), said
