"""The cards of a booted box, on a model of one: each passes on a box that does right, and fails without a protection.

What the box itself does is shown by the image; here it is the cards that are tried.
"""

import pytest

from appliance.safety.lamps import PATTERNS, Lamp
from hil_tests import inside, result
from hil_tests.inside import CARDS_OF_A_BOOTED_BOX
from hil_tests.report import outcome
from hil_tests.result import Result

CARDS = {card.number: card for card in CARDS_OF_A_BOOTED_BOX}
STEP_S = 0.05
SHORT, LONG = [600] * 20, [600] * 19 + [26_000]


class Moment:
    """Stand for the clock: it goes on whenever somebody looks or sleeps."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        """Return the time."""
        self.now_s += 0.001
        return self.now_s

    def sleep(self, duration_s: float) -> None:
        """Let time pass."""
        self.now_s += max(duration_s, STEP_S)


class Box:
    """Do what a box does, but for one protection that is taken away."""

    name = "model"
    stretch = 1.0
    abilities = frozenset({"contacts", "services", "clock", "network"})
    power_cuts = 2

    def __init__(self, without: str = "", trains: tuple[list[int], ...] = (SHORT,)) -> None:
        self.without = without
        self.trains = list(trains)
        self.wires_seen: dict[Lamp, set[tuple[int, int, int, int]]] = {}
        self.pressed = self.case_open = self.latched = self.ready = self.given_up = False
        self.time_there = self.network = self.power = True
        self.left_bytes: int | None = None
        self.hung = ""
        self.deaths = 0

    def power_on(self) -> None:
        """Start it; a contact that stops is seen at once."""
        self.power, self.given_up, self.deaths = True, self.without == "start", 0
        self.latched = self.latched or self.pressed

    def power_off(self) -> None:
        """Cut the power."""
        self.power = False

    def press(self, button: str) -> float | None:
        """Move a contact."""
        if button == "estop":
            self.pressed = True
            ignored = {
                "press": True,
                "press without network": not self.network,
                "press on a full disk": self.left_bytes == 0,
            }
            self.latched = not ignored.get(self.without, False)
        elif button == "release":
            self.pressed = False
        elif button == "open-case":
            self.case_open, self.latched = True, self.without != "case"
        elif button == "shut-case":
            self.case_open = False
        elif button == "reset":
            self.ready = self.latched and not self.pressed and self.without != "reset"
        elif self.ready:
            self.latched = self.ready = False
        return None if button == "estop" and self.permitted() else 0.01

    def lamp(self) -> Lamp:
        """Return what it shows."""
        if self.latched:
            return Lamp.READY if self.ready else Lamp.HALTED
        unwell = (
            (self.given_up, "calm"),
            (self.hung == "trader", "heartbeat"),
            (not self.time_there, "clock"),
            (self.left_bytes is not None, "room"),
        )
        held = any(wrong and self.without != protection for wrong, protection in unwell)
        lost = self.without == "venue in the box" and not self.network
        self.hung = self.hung if self.without == "watchdog" else ""
        return Lamp.PAUSED if held or lost or self.hung == "trader" else Lamp.NORMAL

    def permitted(self) -> bool:
        """Tell whether it may trade."""
        gone = self.latched or (self.given_up and self.without != "calm")
        return not gone and (self.hung != "guardian" or self.without == "lease")

    def open_orders(self) -> int:
        """Have nothing open."""
        return 0

    def glitch(self, count: int, length_us: int) -> list[int]:
        """Break the contact as long as this bench does, and latch what is a press."""
        assert (count, length_us) == (inside.GLITCHES, inside.GLITCH_US)
        took_us = self.trains.pop(0)
        self.latched = max(took_us) >= inside.GLITCH_US_MAX or self.without == "glitch filter"
        return took_us

    def relay_changes(self, duration_s: float) -> int:
        """Pulse while the guardian lives."""
        return 0 if self.hung == "guardian" and self.without != "pulse" else int(duration_s * 10)

    def service(self, what: str, unit: str) -> str:
        """Hang it, kill it, or tell its state."""
        if what == "hang":
            self.hung = unit
        elif what == "kill":
            self.deaths += 1
            self.given_up = self.deaths > 5 and self.without != "limit of deaths"
            return "killed"
        return "failed" if self.given_up else "active"

    def set_time(self, *, there: bool) -> None:
        """Have a time server or none."""
        self.time_there = there

    def set_network(self, *, there: bool) -> None:
        """Have a network or none."""
        self.network = there

    def fill(self, *, left_bytes: int | None) -> None:
        """Have so much room."""
        self.left_bytes = left_bytes


@pytest.fixture(autouse=True)
def moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no card wait in real time."""
    clock = Moment()
    monkeypatch.setattr(inside, "time", clock)
    monkeypatch.setattr(result, "time", clock)


def _found(number: str, box: Box) -> Result:
    if number == "HIL-08":
        box.pressed = box.latched = True
    run = CARDS[number].run
    assert run is not None
    found: Result = run(box)
    return found


RUN = [f"HIL-{number:02d}" for number in range(8, 18)]


@pytest.mark.parametrize("number", RUN)
def test_a_box_that_does_right_passes_and_is_green_afterwards(number: str) -> None:
    """Shows that each card can be passed and leaves the box where the next begins; fails when one asks for what no box
    does, or leaves it stopped.
    """
    box = Box()
    assert outcome(_found(number, box)) == "passed"
    assert box.lamp() is Lamp.NORMAL
    assert (box.network, box.time_there, box.left_bytes, box.pressed, box.case_open) == (True, True, None, False, False)


@pytest.mark.parametrize(
    ("number", "without"),
    [
        ("HIL-08", "reset"),
        ("HIL-09", "glitch filter"),
        ("HIL-10", "case"),
        ("HIL-11", "lease"),
        ("HIL-11", "pulse"),
        ("HIL-12", "heartbeat"),
        ("HIL-12", "watchdog"),
        ("HIL-13", "limit of deaths"),
        ("HIL-13", "calm"),
        ("HIL-13", "start"),
        ("HIL-14", "clock"),
        ("HIL-15", "venue in the box"),
        ("HIL-15", "press without network"),
        ("HIL-16", "room"),
        ("HIL-16", "press on a full disk"),
        ("HIL-16", "press"),
        ("HIL-17", "start"),
    ],
)
def test_a_box_without_a_protection_fails_the_card_that_asks_for_it(number: str, without: str) -> None:
    """Shows that no card passes whatever the box does; fails for the card that does not see what is missing."""
    assert outcome(_found(number, Box(without))) == "FAILED"


def test_breaks_that_came_out_too_long_are_played_again_and_never_pass() -> None:
    """Shows that only a train of short breaks is judged, and without one the card is not run; fails when slowness of
    the bench passes or fails the box.
    """
    assert outcome(_found("HIL-09", Box(trains=(LONG, LONG, SHORT)))) == "passed"
    slow = _found("HIL-09", Box(trains=(LONG,) * inside.GLITCH_TRAINS_MAX))
    assert outcome(slow) == "NOT RUN"
    assert "26000 us" in slow.not_run


def test_wires_that_say_something_else_fail_and_states_never_seen_are_told() -> None:
    """Shows that every lamp seen is held to its pattern; fails when a wire lit for nothing passes, or a lamp that was
    never seen counts as compared.
    """
    box = Box()
    for lamp in (Lamp.BOOT, Lamp.NORMAL, Lamp.EMERGENCY, Lamp.HALTED, Lamp.READY):
        red, green, blue, yellow = map(int, PATTERNS[lamp].at(0, yellow_fitted=True))
        box.wires_seen[lamp] = {(red, green, blue, yellow)}
    assert outcome(_found("HIL-18", box)) == "passed"
    box.wires_seen[Lamp.HALTED].add((0, 1, 0, 0))
    assert outcome(_found("HIL-18", box)) == "FAILED"
    del box.wires_seen[Lamp.HALTED]
    assert outcome(_found("HIL-18", box)) == "NOT RUN"


@pytest.mark.parametrize("stopped", [True, False])
def test_after_a_failure_the_box_is_brought_back_to_green(*, stopped: bool) -> None:
    """Shows that a card's beginning is reached from a stop with everything moved; fails when the next card would begin
    stopped, without time, without room or with the case open.
    """
    box = Box()
    box.pressed = box.latched = stopped
    box.case_open, box.time_there, box.left_bytes = True, False, 0
    begin = CARDS["HIL-16"].begin
    assert begin is not None
    assert begin(box)
    assert box.lamp() is Lamp.NORMAL
    assert begin(Box("start")) is False
