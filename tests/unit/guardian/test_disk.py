"""A disk that hangs, fails or is late, and power that goes in any state: what the guardian does meanwhile."""

from collections.abc import Callable

import pytest

from appliance.core.clock import VirtualClock
from appliance.core.errors import StoreFailure
from appliance.guardian.keeper import NOTES_COUNT_MAX, Keeper, Note
from appliance.guardian.latch import LatchRecord
from appliance.hardware.pins import Contact
from appliance.safety.button import State
from appliance.safety.lamps import Lamp
from appliance.safety.lease import LatchCause, LatchState
from tests.unit.guardian.bench_parts import Bench

MS = 1_000_000
Start = Callable[..., Bench]
CLEAR = LatchRecord(latched=False, cause=LatchCause.NONE, latch_sequence=0, start_sequence=0, wall_ns=0)


class ListDisk:
    """Keep everything in a list, or refuse it."""

    def __init__(self) -> None:
        """Begin empty and willing."""
        self.kept: list[LatchRecord | str] = []
        self.fails = False

    def save(self, record: LatchRecord) -> None:
        """Keep a record."""
        if self.fails:
            raise StoreFailure("worn out")
        self.kept.append(record)

    def append(self, note: Note) -> None:
        """Keep a note."""
        if self.fails:
            raise StoreFailure("worn out")
        self.kept.append(note.event)


def _keeper(disk: ListDisk) -> Keeper:
    keeper = Keeper(VirtualClock(1), 100 * MS, lambda: None)
    keeper.open(lambda: disk)
    return keeper


def _ready(bench: Bench) -> None:
    bench.press(duration_ns=5 * MS)
    bench.run(100)
    bench.hold_reset(3100)
    assert bench.button.state is State.READY


def _tap(bench: Bench) -> None:
    bench.hold_reset(150)


def test_a_press_stops_while_the_disk_hangs(bench: Bench) -> None:
    """Latch, lease and lamp need no disk; it fails if one of them waited for the record."""
    bench.disk_hangs = True
    bench.press()
    bench.run(30)
    assert not bench.permits()
    assert bench.button.latched
    assert bench.lamp() is Lamp.EMERGENCY
    assert not bench.latch.load(0).latched
    bench.disk_hangs = False
    bench.run(30)
    assert bench.latch.load(0).latched


def test_a_silent_trader_is_cleared_after_while_the_disk_hangs(bench: Bench) -> None:
    """The last resort is called although nothing can be recorded; it fails if it stood behind a write."""
    bench.disk_hangs = True
    bench.press()
    bench.run(1_100)
    assert [word for call in bench.calls for word in call.words] == ["cancel"]


def test_a_disk_that_hangs_for_too_long_is_a_latched_fault(bench: Bench) -> None:
    """Past the limit the box stops and says so, whatever the card does later; it fails without the limit."""
    bench.disk_hangs = True
    bench.press(duration_ns=1 * MS)
    bench.run(4_900)
    assert bench.permits()
    bench.run(200)
    assert not bench.permits()
    assert bench.lamp() is Lamp.FAULT
    bench.disk_hangs = False
    bench.run(100)
    assert bench.lamp() is Lamp.FAULT
    assert bench.latch.load(0).cause is LatchCause.STORE_FAILED


def test_a_start_waits_for_the_disk(bench: Bench) -> None:
    """Nothing is clear before the record is; it fails if memory, page or lease were ahead of the disk."""
    _ready(bench)
    bench.disk_hangs = True
    _tap(bench)
    bench.run(1_000)
    assert not bench.permits()
    assert bench.told().latch_state is LatchState.READY
    assert bench.lamp() is Lamp.READY
    bench.disk_hangs = False
    bench.run(60)
    assert bench.permits()
    assert bench.told().latch_state is LatchState.CLEAR


def test_a_press_meeting_a_start_that_is_being_written_wins(start: Start) -> None:
    """Whatever the disk kept in between, the press is on it last; it fails if the late start cleared the latch."""
    bench = start()
    bench.run(100)
    _ready(bench)
    bench.disk_hangs = True
    _tap(bench)
    cleared = bench.keeper._next()
    assert isinstance(cleared, LatchRecord)
    bench.press(duration_ns=5 * MS)
    bench.run(100)
    assert bench.told().latch_sequence == 2
    bench.disk.save(cleared)
    bench.disk_hangs = False
    bench.run(100)
    assert not bench.permits()
    assert bench.told().latch_state is LatchState.LATCHED
    assert bench.latch.load(0).latched
    again = start()
    again.run(300)
    assert not again.permits()


def test_a_start_that_the_disk_never_keeps_becomes_a_fault(bench: Bench) -> None:
    """A start cannot hang for ever between clear and latched; it fails if it came into force hours later."""
    _ready(bench)
    bench.disk_hangs = True
    _tap(bench)
    bench.run(5_200)
    assert bench.lamp() is Lamp.FAULT
    bench.disk_hangs = False
    bench.run(100)
    assert not bench.permits()
    assert bench.latch.load(0).latched


def test_records_go_before_notes_and_only_the_newest_counts() -> None:
    """A press does not queue behind old lines; it fails if records were written in turn."""
    disk = ListDisk()
    keeper = _keeper(disk)
    latched = CLEAR.set(LatchCause.BUTTON, 1)
    keeper.note("first", {})
    keeper.keep(CLEAR)
    keeper.keep(latched)
    assert not keeper.kept(latched)
    while keeper.step():
        pass
    assert disk.kept == [latched, "first"]
    assert keeper.kept(latched)
    assert not keeper.kept(CLEAR)


def test_more_notes_than_fit_are_trouble() -> None:
    """The queue is bounded and its overflow is a fault; it fails if notes were dropped without a word."""
    keeper = _keeper(ListDisk())
    for _ in range(NOTES_COUNT_MAX):
        keeper.note("one", {})
    assert keeper.trouble(1) == ""
    keeper.note("one too many", {})
    assert "wait for the disk" in keeper.trouble(1)
    assert keeper.lost_count == 1


def test_a_failed_write_is_trouble_for_good_and_proves_nothing() -> None:
    """A record that was refused is not kept, and later success forgives nothing; it fails if either were so."""
    disk = ListDisk()
    keeper = _keeper(disk)
    disk.fails = True
    keeper.keep(CLEAR)
    keeper.step()
    disk.fails = False
    assert not keeper.kept(CLEAR)
    assert keeper.trouble(1) == "worn out"


def test_a_disk_that_cannot_be_opened_is_trouble() -> None:
    """An error on the writing thread reaches the loop; it fails if the thread died of it in silence."""
    keeper = Keeper(VirtualClock(1), 100 * MS, lambda: None)

    def broken() -> ListDisk:
        raise ValueError("no such card")

    keeper.open(broken)
    assert not keeper.await_disk()
    assert keeper.trouble(1) == "no such card"


def test_the_thread_writes_and_ends_when_flushed() -> None:
    """An orderly end waits for what was handed in; it fails if the last lines were lost."""
    disk = ListDisk()
    keeper = Keeper(VirtualClock(1), 1_000 * MS, lambda: None)
    keeper.start(lambda: disk)
    assert keeper.await_disk()
    for number in range(50):
        keeper.note(str(number), {})
    assert keeper.flush(5)
    assert disk.kept == [str(number) for number in range(50)]


def _reset_down(bench: Bench, duration_ms: int) -> None:
    bench.hands.turn(Contact.RESET, asserted=True)
    bench.run(duration_ms)


def _bring(bench: Bench, state: State) -> None:
    """Bring the box into one state of its button."""
    if state in {State.SUSPECT, State.PRESSED}:
        bench.press()
        bench.run(1 if state is State.SUSPECT else 50)
    if state in {State.CLEAR, State.SUSPECT, State.PRESSED}:
        return
    bench.press(duration_ns=5 * MS)
    bench.run(50)
    if state is State.LATCHED:
        return
    _reset_down(bench, 500 if state is State.HOLDING else 3_100)
    if state in {State.HOLDING, State.HELD}:
        return
    bench.hands.turn(Contact.RESET, asserted=False)
    bench.run(40)
    if state is State.TAPPING:
        _reset_down(bench, 40)


@pytest.mark.parametrize("state", State)
def test_power_may_go_in_every_state(start: Start, state: State) -> None:
    """Only a box that was clear comes back clear, wherever the contact stands; it fails if any other state did."""
    first = start()
    first.run(100)
    _bring(first, state)
    assert first.button.state is state
    second = start(closed=state not in {State.SUSPECT, State.PRESSED})
    second.run(500)
    assert second.permits() is (state is State.CLEAR)
    second.hold_reset(150)
    assert second.permits() is (state is State.CLEAR)


@pytest.mark.parametrize("state", [found for found in State if found is not State.CLEAR])
def test_a_press_in_every_state_leaves_the_box_latched(bench: Bench, state: State) -> None:
    """Pressing again, during reset or during start, always stops; it fails if a gesture went on over it."""
    _bring(bench, state)
    bench.hands.turn(Contact.ESTOP, asserted=True)
    bench.press(duration_ns=5 * MS)
    bench.run(100)
    bench.hands.turn(Contact.RESET, asserted=False)
    bench.run(200)
    assert bench.button.latched
    assert bench.button.state is State.LATCHED
    assert bench.latch.load(0).latched
    _tap(bench)
    assert not bench.permits()


def test_a_case_switch_may_only_report(start: Start) -> None:
    """By that policy the case is recorded and shown, and trading goes on; it fails if it stopped or was not told."""
    bench = start(case_stops=False)
    bench.run(100)
    bench.hands.turn(Contact.CASE, asserted=True)
    assert bench.permits()
    bench.run(60)
    assert bench.permits()
    assert bench.told().case_open
    assert "case-opened" in bench.events()
    assert not bench.button.latched


def test_a_latch_says_when_the_button_opened_and_when_the_lease_was_gone(bench: Bench) -> None:
    """The record carries the moments of the stop; it fails if a later look at the clock stood there."""
    pressed_ns = bench.clock.monotonic_ns()
    bench.press()
    bench.run(40)
    line = next(line for line in bench.audit_lines() if line["event"] == "latched")
    assert line["detail"]["withdrawn_ns"] == pressed_ns
    assert line["detail"]["opened_ns"] == pressed_ns
    assert line["monotonic_ns"] - pressed_ns <= 2 * MS + 1
