"""The guardian's loop on simulated pins in virtual time."""

import os
import threading
from collections.abc import Callable

import pytest

from appliance.core.errors import StoreFailure
from appliance.guardian.edges import EDGES_COUNT_MAX
from appliance.guardian.enforcement import Outcome, Unanswered
from appliance.hardware.pins import Contact
from appliance.safety.button import State
from appliance.safety.lamps import Lamp
from appliance.safety.lease import LatchCause, LatchState
from appliance.safety.modes import Mode
from tests.unit.guardian.bench_parts import Bench

MS = 1_000_000
Start = Callable[..., Bench]


def test_permission_goes_with_the_edge_before_any_turn(bench: Bench) -> None:
    """The edge itself withdraws the lease; it fails if only the loop did."""
    bench.press()
    assert not bench.permits()
    assert bench.button.state is State.CLEAR


def test_a_press_latches_within_the_glitch_time_of_the_loop(bench: Bench) -> None:
    """The loop asks to be woken when the press has lasted; it fails if it slept a whole period more."""
    bench.run(7)
    bench.press()
    pressed_ns = bench.clock.monotonic_ns()
    bench.run(50, until=lambda: bench.button.latched)
    assert bench.button.latched
    assert bench.clock.monotonic_ns() - pressed_ns <= 2 * MS + 1
    assert bench.lamp() is Lamp.EMERGENCY
    assert bench.told().latch_cause is LatchCause.BUTTON


def test_a_glitch_costs_permission_for_a_moment_and_nothing_else(bench: Bench) -> None:
    """A glitch is counted and permission comes back by itself; it fails if it latched or stayed withdrawn."""
    bench.press(duration_ns=1 * MS)
    assert not bench.permits()
    bench.run(60)
    assert bench.permits()
    assert bench.told().glitch_count == 1
    assert "button-glitch" in bench.events()


def test_a_press_between_two_turns_latches(bench: Bench) -> None:
    """A press that began and ended while the loop slept still counts; it fails if only levels were read."""
    bench.press(duration_ns=3 * MS)
    bench.run(30)
    assert bench.button.latched
    assert not bench.permits()


def test_only_the_whole_gesture_brings_permission_back(bench: Bench) -> None:
    """Release, hold, tap: each step alone permits nothing; it fails if permission came back a step earlier."""
    bench.press()
    bench.run(100)
    bench.hands.turn(Contact.ESTOP, asserted=True)
    bench.run(500)
    assert not bench.permits()
    bench.hold_reset(3100)
    assert bench.lamp() is Lamp.READY
    assert not bench.permits()
    assert bench.latch.load(0).latched
    bench.hold_reset(150)
    assert bench.permits()
    assert bench.told().start_sequence == 1
    assert bench.told().latch_state is LatchState.CLEAR
    assert not bench.latch.load(0).latched
    assert [name for name in bench.events() if name != "trader"] == [
        "guardian-started",
        "latched",
        "latch-unanswered",
        "last-resort-started",
        "reset-ready",
        "start-granted",
    ]


@pytest.mark.parametrize("released", [False, True])
def test_a_latch_survives_the_guardian(start: Start, *, released: bool) -> None:
    """A restart comes back halted, button released or not; it fails if the latch were only memory."""
    first = start()
    first.run(100)
    first.press()
    first.run(100)
    second = start(closed=released)
    second.run(500)
    assert second.button.latched
    assert not second.permits()
    assert second.told().latch_sequence == 1


def test_ready_does_not_survive_the_guardian(start: Start) -> None:
    """A restart between reset and start needs the whole gesture again; it fails if READY were kept."""
    first = start()
    first.run(100)
    first.press(duration_ns=5 * MS)
    first.run(100)
    first.hold_reset(3100)
    assert first.button.state is State.READY
    second = start()
    second.hold_reset(150)
    assert not second.permits()


def test_a_start_survives_the_guardian(start: Start) -> None:
    """After a granted start a restart is clear again; it fails if the record were not cleared."""
    first = start()
    first.run(100)
    first.press(duration_ns=5 * MS)
    first.run(100)
    first.hold_reset(3100)
    first.hold_reset(150)
    second = start()
    second.run(100)
    assert second.permits()


def test_open_at_boot_is_halted_from_boot(start: Start) -> None:
    """A contact open at power-on latches with its cause; it fails if boot only looked at the record."""
    bench = start(closed=False)
    bench.run(100)
    assert not bench.permits()
    assert bench.latch.load(0).cause is LatchCause.OPEN_AT_BOOT


def test_opening_the_case_withdraws_at_once_and_latches(bench: Bench) -> None:
    """Tampering stops like the button; it fails if it were only audited."""
    bench.hands.turn(Contact.CASE, asserted=True)
    assert not bench.permits()
    bench.run(40)
    assert bench.told().latch_cause is LatchCause.CASE_OPENED
    assert bench.told().case_open
    assert "case-opened" in bench.events()


def test_more_edges_than_the_queue_holds_are_a_stop(bench: Bench) -> None:
    """An edge storm latches; it fails if lost edges went unnoticed."""
    for number in range(EDGES_COUNT_MAX + 1):
        bench.hands.turn(Contact.RESET, asserted=number % 2 == 0)
    bench.run(40)
    assert bench.told().latch_cause is LatchCause.EDGE_STORM


def test_no_trader_means_blue_and_no_permission(start: Start) -> None:
    """A guardian alone permits nothing; it fails if the trader's silence were not looked at."""
    bench = start(trader=False)
    bench.run(500)
    assert not bench.permits()
    assert bench.lamp() is Lamp.BOOT


def test_a_lost_trader_means_fault_and_no_permission_until_it_beats_again(bench: Bench) -> None:
    """A silent trader loses permission past the limit and gets it back by beating; it fails if silence were trusted."""
    bench.report = None
    bench.run(1900)
    assert bench.permits()
    bench.run(200)
    assert not bench.permits()
    assert bench.lamp() is Lamp.FAULT
    bench.trader(Mode.NORMAL)
    bench.run(200)
    assert bench.permits()
    assert bench.lamp() is Lamp.NORMAL


def test_a_trader_in_fault_is_given_nothing(bench: Bench) -> None:
    """FAULT takes permission away; it fails if any beating trader were permitted."""
    bench.trader(Mode.FAULT)
    bench.run(60)
    assert not bench.permits()
    assert bench.lamp() is Lamp.FAULT


@pytest.mark.parametrize(
    ("mode", "shown"),
    [
        (Mode.BOOT, Lamp.BOOT),
        (Mode.RECONCILING, Lamp.BOOT),
        (Mode.NORMAL, Lamp.NORMAL),
        (Mode.REDUCED, Lamp.REDUCED),
        (Mode.PAUSED, Lamp.PAUSED),
    ],
)
def test_the_lamp_follows_the_trader(bench: Bench, mode: Mode, shown: Lamp) -> None:
    """A change of mode is on the lamp within one period and in the record; it fails if either lagged."""
    bench.trader(mode)
    bench.run(21)
    assert bench.lamp() is shown
    assert bench.told().lamp == shown


def test_halted_is_shown_only_for_this_stop_verified(bench: Bench) -> None:
    """The double flash needs acknowledgement of this latch and no entries; it fails if an old word were enough."""
    bench.press()
    bench.trader(Mode.HALTED, acknowledged=0, flat=True)
    bench.run(100)
    assert bench.lamp() is Lamp.EMERGENCY
    bench.trader(Mode.HALTED, acknowledged=1, flat=False)
    bench.run(100)
    assert bench.lamp() is Lamp.EMERGENCY
    bench.trader(Mode.HALTED, acknowledged=1, flat=True)
    bench.run(100)
    assert bench.lamp() is Lamp.HALTED


def test_an_acknowledged_latch_leaves_the_trader_alone(start: Start) -> None:
    """No step is taken when the trader answers in time; it fails if the wait were not settled."""
    asked: list[Unanswered] = []
    bench = start(steps=(_recorded(asked),))
    bench.run(100)
    bench.press()
    bench.run(900)
    bench.trader(Mode.EMERGENCY, acknowledged=1)
    bench.run(3000)
    assert asked == []


def test_an_unanswered_latch_is_met_by_every_step_in_order(start: Start) -> None:
    """A step that throws is recorded and the next still runs, once each; it fails if one held up the others."""
    asked: list[Unanswered] = []

    def throwing(_: Unanswered) -> Outcome:
        raise ValueError("broken step")

    bench = start(steps=(throwing, _recorded(asked)))
    bench.run(100)
    bench.press()
    bench.run(900)
    assert asked == []
    bench.run(3000)
    assert [found.latch_sequence for found in asked] == [1]
    assert bench.events().count("latch-unanswered") == 2


def _recorded(asked: list[Unanswered]) -> Callable[[Unanswered], Outcome]:
    def step(unanswered: Unanswered) -> Outcome:
        asked.append(unanswered)
        return Outcome("record", done=True, explanation="recorded")

    return step


def test_a_disk_that_fails_stops_the_appliance(bench: Bench) -> None:
    """An audit that cannot be kept latches, shows a fault, and no gesture helps; it fails if the error were ignored."""
    os.close(bench.audit._descriptor)
    bench.audit._descriptor = os.open("/dev/full", os.O_WRONLY)
    bench.trader(Mode.PAUSED)
    bench.run(300)
    assert not bench.permits()
    assert bench.lamp() is Lamp.FAULT
    assert bench.latch.load(0).cause is LatchCause.STORE_FAILED
    bench.hold_reset(3100)
    bench.hold_reset(150)
    assert not bench.permits()
    with pytest.raises(StoreFailure):
        bench.audit.append("later", {})


def test_a_start_that_the_disk_did_not_keep_does_not_count(bench: Bench) -> None:
    """Permission waits for the cleared record; it fails if memory were cleared first."""
    bench.press(duration_ns=5 * MS)
    bench.run(100)
    bench.hold_reset(3100)
    folder = bench.state / "guardian"
    (folder / "latch.making").mkdir()
    bench.hold_reset(150)
    bench.run(100)
    assert not bench.permits()
    assert bench.button.latched
    assert bench.latch.load(0).latched


def test_the_lamp_test_shows_first_and_ends(start: Start) -> None:
    """Every lamp lights once at start; it fails if the test were skipped or endless."""
    bench = start(lamp_test=True)
    bench.run(700)
    assert bench.lamp() is Lamp.TEST
    bench.run(300)
    assert bench.lamp() is Lamp.NORMAL


def test_stopping_withdraws_and_darkens(bench: Bench) -> None:
    """An orderly end leaves no permission and no light; it fails if the lease merely ran out."""
    bench.guardian.stop()
    bench.write()
    assert not bench.permits()
    assert bench.events()[-1] == "guardian-stopped"


def test_an_edge_during_a_turn_is_never_undone_by_it(bench: Bench) -> None:
    """Presses from another thread, against turns running flat out, always end withdrawn; it fails without tickets."""
    bench.button.elapse(0)
    for _ in range(300):
        before = bench.edges.drain()
        assert before == []
        ticket = bench.lease.ticket()
        presser = threading.Thread(target=bench.edges.push, args=(Contact.ESTOP, False, 0))
        presser.start()
        bench.edges.drain()
        bench.lease.renew(bench.clock.monotonic_ns() + MS, ticket)
        presser.join()
        assert not bench.permits()
        bench.edges.drain()


def test_a_button_that_is_clear_beside_a_latched_record_permits_nothing(bench: Bench) -> None:
    """The record on the disk has its own say; it fails if the button's state alone granted permission."""
    bench.press(duration_ns=5 * MS)
    bench.run(100)
    bench.button.state = State.CLEAR
    bench.run(100)
    assert not bench.permits()


def test_a_chattering_contact_does_not_wear_out_the_disk(bench: Bench) -> None:
    """Hundreds of glitches a second are all counted and seldom written; it fails if each were a synced line."""
    for _ in range(200):
        bench.press(duration_ns=1 * MS)
        bench.run(4)
    assert bench.told().glitch_count == 200
    assert len(bench.events()) < 12


def test_a_trader_that_flaps_does_not_wear_out_the_disk(bench: Bench) -> None:
    """Modes that change in every turn are written at most five times a second, the last one in the end."""
    for number in range(100):
        bench.trader(Mode.PAUSED if number % 2 else Mode.REDUCED)
        bench.run(20)
    bench.run(400)
    assert 8 <= bench.events().count("trader") <= 14
