"""The pins: the named library or none, meanings that fail safe, and timestamps that can be trusted."""

from pathlib import Path

import pytest

from appliance.core.clock import VirtualClock
from appliance.core.errors import HardwareError
from appliance.hardware.pins import Contact, PinAssignment, Pins, _edge_time_ns, open_pins
from appliance.hardware.pins_simulated import BoundedMockPin, SimulatedHands

PINS = PinAssignment(estop=17, reset=5, case=6, relay=25, red=24, green=22, blue=27, yellow=23)
CLOCK = VirtualClock(5_000_000_000)


@pytest.fixture
def pins() -> Pins:
    """Return simulated pins without anything wired to them."""
    return open_pins("simulated", PINS, CLOCK)


def test_unwired_inputs_read_as_stop_not_pressed_and_tampered(pins: Pins) -> None:
    """With every wire cut, pulls decide for safety; it fails if a pull were the other way."""
    assert not pins.asserted(Contact.ESTOP)
    assert not pins.asserted(Contact.RESET)
    assert pins.asserted(Contact.CASE)


@pytest.mark.parametrize("contact", Contact)
def test_edges_arrive_in_the_sense_of_the_contact(pins: Pins, contact: Contact) -> None:
    """Each edge tells which contact and which way; it fails if a level were passed on unturned."""
    hands = SimulatedHands(pins.factory, PINS)
    seen: list[tuple[Contact, bool]] = []
    pins.listen(lambda found, asserted, _at_ns: seen.append((found, asserted)))
    before = pins.asserted(contact)
    hands.turn(contact, asserted=not before)
    hands.turn(contact, asserted=before)
    assert seen == [(contact, not before), (contact, before)]


def test_lamps_and_relay_drive_their_own_pins(pins: Pins) -> None:
    """Each channel moves one pin; it fails if two were swapped."""
    pins.show((True, False, True, False))
    pins.pulse(high=True)
    levels = {pin: bool(pins.factory.pin(pin).state) for pin in (24, 22, 27, 23, 25)}
    assert levels == {24: True, 22: False, 27: True, 23: False, 25: True}


def test_a_missing_library_is_an_error_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real pins are never replaced by imitated ones; it fails if anything but an error came back here."""
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    with pytest.raises(HardwareError):
        open_pins("lgpio", PINS, CLOCK)
    with pytest.raises(HardwareError, match="unknown"):
        open_pins("mock", PINS, CLOCK)


def test_a_pin_used_twice_is_refused() -> None:
    """Two wires on one pin are refused; it fails if the second took the first one's pin."""
    twice = PinAssignment(estop=17, reset=17, case=None, relay=None, red=24, green=22, blue=27, yellow=None)
    with pytest.raises(HardwareError, match="two wires"):
        open_pins("simulated", twice, CLOCK)


@pytest.mark.parametrize(
    ("ticks_s", "expected_ns"),
    [(4.999, 4_999_000_000), (5.0, 5_000_000_000), (5.001, 5_000_000_000), (0.1, 5_000_000_000)],
    ids=["just before", "now", "ahead", "another clock"],
)
def test_an_edge_is_dated_by_the_kernel_where_that_makes_sense(ticks_s: float, expected_ns: int) -> None:
    """A time of another clock is not taken for one of ours; it fails if a glitch could be given a false length."""
    assert _edge_time_ns(ticks_s, 5_000_000_000) == expected_ns


def test_simulated_pins_forget_their_oldest_changes(pins: Pins) -> None:
    """A lamp may blink for years; it fails if every change were kept."""
    line = pins.factory.pin(24)
    assert isinstance(line, BoundedMockPin)
    for number in range(5000):
        line.state = number % 2
    assert len(line.states) <= 1024


def test_simulated_contacts_stay_where_they_were_left(pins: Pins, tmp_path: Path) -> None:
    """A pressed button stays pressed while the guardian restarts; it fails if a restart released it."""
    SimulatedHands(pins.factory, PINS, tmp_path / "contacts").turn(Contact.ESTOP, asserted=False)
    again = open_pins("simulated", PINS, CLOCK)
    SimulatedHands(again.factory, PINS, tmp_path / "contacts")
    assert not again.asserted(Contact.ESTOP)
