"""Pins without wires: gpiozero's own mock pins, and hands that press what is not there.

The hands remember the contacts in a file, because a stop button that was pressed stays pressed while the guardian
restarts.
"""

from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from gpiozero.pins.mock import MockFactory, MockPWMPin

from appliance.hardware.pins import WIRINGS, Contact, Factory, PinAssignment

_STATES_COUNT_MAX: Final = 1024
_AT_REST: Final = MappingProxyType({Contact.ESTOP: True, Contact.RESET: False, Contact.CASE: False})


class BoundedMockPin(MockPWMPin):  # type: ignore[misc]  # gpiozero publishes no types
    """Imitate a pin and forget its oldest changes, of which the original keeps every one for ever."""

    def _change_state(self, value: object) -> bool:
        changed = bool(super()._change_state(value))
        if len(self.states) > _STATES_COUNT_MAX:
            del self.states[: _STATES_COUNT_MAX // 2]
        return changed


def simulated_factory() -> Factory:
    """Make a factory of bounded mock pins."""
    factory: Factory = MockFactory(pin_class=BoundedMockPin)
    return factory


class SimulatedHands:
    """Press, release and open the simulated contacts."""

    def __init__(self, factory: Factory, assignment: PinAssignment, memory: Path | None = None) -> None:
        """Put every fitted contact where the memory says it was left."""
        pins = ((Contact.ESTOP, assignment.estop), (Contact.RESET, assignment.reset), (Contact.CASE, assignment.case))
        self._lines: dict[Contact, Any] = {contact: factory.pin(pin) for contact, pin in pins if pin is not None}
        self._memory = memory
        self._asserted = {**_AT_REST, **_recall(memory)}
        for contact in self._lines:
            self._drive(contact)

    def fitted(self, contact: Contact) -> bool:
        """Tell whether a contact is wired."""
        return contact in self._lines

    def turn(self, contact: Contact, *, asserted: bool) -> None:
        """Move a contact."""
        self._asserted[contact] = asserted
        self._drive(contact)
        if self._memory is not None:
            _remember(self._memory, self._asserted)

    def _drive(self, contact: Contact) -> None:
        line = self._lines[contact]
        if self._asserted[contact] == WIRINGS[contact].asserted_high:
            line.drive_high()
        else:
            line.drive_low()


def _recall(memory: Path | None) -> dict[Contact, bool]:
    """Read where the e-stop and the case were left; nobody holds a reset button through a restart."""
    if memory is None or not memory.exists():
        return {}
    left = memory.read_text(encoding="ascii")[:200].split()
    return {Contact.ESTOP: "estop-open" not in left, Contact.CASE: "case-open" in left}


def _remember(memory: Path, asserted: dict[Contact, bool]) -> None:
    words = ["estop-closed" if asserted[Contact.ESTOP] else "estop-open"]
    words.append("case-open" if asserted[Contact.CASE] else "case-shut")
    making = memory.with_name(memory.name + ".making")
    making.write_text(" ".join(words) + "\n", encoding="ascii")
    making.replace(memory)
