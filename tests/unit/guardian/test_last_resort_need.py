"""When the guardian's loop calls the last resort, in virtual time."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from appliance.guardian.last_resort_call import Ended
from appliance.guardian.last_resort_need import may_be_open
from appliance.hardware.pins import Contact
from appliance.safety.lamps import Lamp
from appliance.safety.modes import Mode
from tests.unit.guardian.bench_parts import REPORT, Bench

Start = Callable[..., Bench]
VERIFIED = Ended(json.dumps({"verified": True, "policy": "cancel"}).encode())


def _told(bench: Bench) -> list[str]:
    return [word for call in bench.calls for word in call.words]


def test_an_unanswered_latch_calls_it_and_its_proof_shows_halted(bench: Bench) -> None:
    """Called at the limit, believed when verified; it fails if the lamp claimed the stop earlier or never."""
    bench.press()
    bench.run(950)
    assert _told(bench) == []
    bench.run(150)
    assert _told(bench) == ["cancel"]
    assert bench.lamp() is Lamp.EMERGENCY
    bench.calls[0].result = VERIFIED
    bench.run(40)
    assert bench.lamp() is Lamp.HALTED
    bench.run(30_000)
    assert _told(bench) == ["cancel"]


def test_a_run_that_did_not_verify_never_shows_halted(bench: Bench) -> None:
    """Only proof turns the lamp; it fails if having run were enough."""
    bench.press()
    bench.run(1100)
    bench.calls[0].result = Ended(VERIFIED.last_line.replace(b"true", b"false"))
    bench.run(500)
    assert bench.lamp() is Lamp.EMERGENCY


def test_an_old_proof_says_nothing_of_a_new_latch(bench: Bench) -> None:
    """Each latch needs its own; it fails if the last stop's proof were still shown."""
    bench.press()
    bench.run(1100)
    bench.calls[0].result = VERIFIED
    bench.run(100)
    assert bench.lamp() is Lamp.HALTED
    bench.hands.turn(Contact.ESTOP, asserted=True)
    bench.run(500)
    bench.hold_reset(3100)
    bench.hold_reset(150)
    assert bench.permits()
    bench.press()
    bench.run(100)
    assert bench.lamp() is Lamp.EMERGENCY


def test_a_trader_that_answers_and_verifies_is_left_alone(bench: Bench) -> None:
    """The cascade is the trader's own work; it fails if the last resort ran beside it without need."""
    bench.press()
    bench.run(100)
    bench.trader(Mode.HALTED, acknowledged=1, flat=True)
    bench.run(60_000)
    assert bench.lamp() is Lamp.HALTED
    assert _told(bench) == []


def test_a_trader_that_answers_and_never_verifies_is_helped(bench: Bench) -> None:
    """Answering is not stopping; it fails if an alive trader without a venue kept the stop open for ever."""
    bench.press()
    bench.run(100)
    bench.trader(Mode.EMERGENCY, acknowledged=1)
    bench.run(9_000)
    assert _told(bench) == []
    bench.run(1_500)
    assert _told(bench) == ["cancel"]


def test_a_silent_trader_is_cleared_after_when_it_does_not_come_back(bench: Bench) -> None:
    """No press, only a death: 2 s until silence counts, 5 s to return; it fails if nobody looked after its orders."""
    bench.report = None
    bench.run(6_800)
    assert _told(bench) == []
    assert "trader-silent" in bench.events()
    bench.run(600)
    assert _told(bench) == ["cancel"]


def test_a_trader_that_comes_back_in_time_is_left_alone(bench: Bench) -> None:
    """A restart settles its own orders; it fails if every crash were answered from outside as well."""
    bench.report = None
    bench.run(5_000)
    bench.trader(Mode.BOOT)
    bench.run(20_000)
    assert _told(bench) == []


def test_a_guardian_that_finds_no_trader_clears_once(start: Start) -> None:
    """A guardian that restarted knows nothing of an earlier trader; it fails if what that one left were forgotten."""
    bench = start(trader=False)
    bench.run(14_900)
    assert _told(bench) == []
    bench.run(200)
    assert _told(bench) == ["cancel"]
    bench.calls[0].result = VERIFIED
    bench.run(60_000)
    assert _told(bench) == ["cancel"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"mode": Mode.FAULT}, True),
        ({"mode": Mode.HALTED}, True),
        ({"mode": Mode.HALTED, "verified_flat": True}, False),
        ({"mode": Mode.HALTED, "verified_flat": True, "open_entries_count": 1}, True),
        ({"stopping": True}, False),
        ({"stopping": True, "open_entries_count": 1}, True),
    ],
)
def test_what_a_silent_trader_may_have_left(change: dict[str, object], expected: bool) -> None:
    """Only a verified halt or an orderly end without orders is nothing; it fails if doubt were taken for rest."""
    assert may_be_open(replace(REPORT, **change)) is expected  # type: ignore[arg-type]


def test_stopping_the_guardian_hangs_up(bench: Bench) -> None:
    """What is parked waits for the next guardian, unharmed; it fails if it were killed or its call stayed open."""
    bench.guardian.stop()
    assert bench.calls[-1].closed
    assert not bench.calls[-1].killed
