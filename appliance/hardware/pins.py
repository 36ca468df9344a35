"""Every wire of the appliance behind one contract, whichever library moves it.

    contact  default pin  pull  asserted means          level when asserted   a cut wire reads
    ESTOP    BCM17        down  closed: run             high                  open: stop
    RESET    BCM5         up    down: being pressed     low                   never pressed
    CASE     BCM6         up    open: tampered          high                  open: tampered

The pulls are the pins' own power-on defaults, so nothing changes its meaning while the machine boots. The library is
named in the configuration and checked after loading. gpiozero on its own falls back from one library to the next,
down to one that imitates pins, and an environment variable can choose for it: a stop button that is not connected to
anything must be impossible, so a factory is always made here and handed over, and failure is an error.

gpiozero's pin objects are used without its devices, because a device drops the kernel's timestamp of an edge, and the
length of a glitch can only be told from those.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, unique
from types import MappingProxyType
from typing import Any, Final, Protocol

from appliance.core.clock import NANOSECONDS_PER_SECOND, Clock
from appliance.core.errors import HardwareError
from appliance.safety.lamps import Channels

_FULL_PERCENT: Final = 100
# Faster than an eye follows, also out of its corner, and slow enough for pulses made by a program.
_DIMMING_HERTZ: Final = 200


@unique
class Contact(Enum):
    """Name the inputs."""

    ESTOP = "estop"
    RESET = "reset"
    CASE = "case"


@dataclass(frozen=True, slots=True)
class Wiring:
    """Say how a contact is wired."""

    pull: str
    asserted_high: bool


WIRINGS: Final = MappingProxyType(
    {
        Contact.ESTOP: Wiring("down", asserted_high=True),
        Contact.RESET: Wiring("up", asserted_high=False),
        Contact.CASE: Wiring("up", asserted_high=True),
    }
)


@dataclass(frozen=True, slots=True)
class PinAssignment:
    """Hold which BCM pin does what; None is not fitted."""

    estop: int
    reset: int
    case: int | None
    relay: int | None
    red: int
    green: int
    blue: int
    yellow: int | None

    def used(self) -> tuple[int, ...]:
        """Return every pin in use."""
        named = (self.estop, self.reset, self.case, self.relay, self.red, self.green, self.blue, self.yellow)
        return tuple(pin for pin in named if pin is not None)


class Line(Protocol):
    """Describe the part of gpiozero's pin that is used here."""

    pull: str
    edges: str
    bounce: float | None
    when_changed: Callable[[float, int], None] | None
    state: float
    frequency: float | None

    def input_with_pull(self, pull: str) -> None:
        """Make the pin an input."""
        ...

    def output_with_state(self, state: int) -> None:
        """Make the pin an output."""
        ...


class Factory(Protocol):
    """Describe the part of gpiozero's factory that is used here."""

    def pin(self, name: int) -> Any:  # noqa: ANN401 - gpiozero publishes no types; every use is held to Line
        """Return a pin by its BCM number."""
        ...

    def close(self) -> None:
        """Give every pin back."""
        ...


Listener = Callable[[Contact, bool, int], None]


class Pins:
    """Read the contacts, drive the lamps and the relay."""

    def __init__(
        self, factory: Factory, assignment: PinAssignment, clock: Clock, brightness_percent: int = _FULL_PERCENT
    ) -> None:
        """Take every assigned pin; lamps that are not fully bright are driven by pulses."""
        if len(set(assignment.used())) != len(assignment.used()):
            raise HardwareError("one pin is assigned to two wires: give each wire in [pins] a pin of its own")
        self._factory = factory
        self._clock = clock
        contacts = (
            (Contact.ESTOP, assignment.estop),
            (Contact.RESET, assignment.reset),
            (Contact.CASE, assignment.case),
        )
        self._inputs = {
            contact: self._input(pin, WIRINGS[contact].pull) for contact, pin in contacts if pin is not None
        }
        colours = (assignment.red, assignment.green, assignment.blue, assignment.yellow)
        self._lamps = tuple(self._output(pin) if pin is not None else None for pin in colours)
        self._lit = 1.0
        if brightness_percent < _FULL_PERCENT:
            self._lit = brightness_percent / _FULL_PERCENT
            self._dim()
        self._relay = self._output(assignment.relay) if assignment.relay is not None else None
        self._shown: Channels | None = None
        self._closed = False
        self._handlers: list[Callable[[float, int], None]] = []

    @property
    def factory(self) -> Factory:
        """Return the pin library that moves the wires."""
        return self._factory

    @property
    def relay_fitted(self) -> bool:
        """Tell whether a watchdog relay is wired."""
        return self._relay is not None

    def fitted(self, contact: Contact) -> bool:
        """Tell whether a contact is wired."""
        return contact in self._inputs

    def asserted(self, contact: Contact) -> bool:
        """Read a contact in the sense of the header's table."""
        return bool(self._inputs[contact].state) == WIRINGS[contact].asserted_high

    def listen(self, listener: Listener) -> None:
        """Call the listener with contact, asserted and time at every edge, on the pin library's thread."""
        for contact, line in self._inputs.items():
            handler = self._handler(contact, listener)
            self._handlers.append(handler)  # gpiozero itself holds handlers only weakly
            line.edges = "both"
            line.when_changed = handler

    def show(self, channels: Channels) -> None:
        """Drive the lamps."""
        if channels == self._shown:
            return
        self._shown = channels
        for line, level in zip(self._lamps, channels, strict=True):
            if line is not None:
                line.state = self._lit if level else 0

    def pulse(self, *, high: bool) -> None:
        """Drive the watchdog relay's pulse, if one is wired."""
        if self._relay is not None:
            self._relay.state = high

    def close(self) -> None:
        """Darken the lamps, drop the relay and give the pins back, once."""
        if self._closed:
            return
        self._closed = True
        self.show((False, False, False, False))
        self.pulse(high=False)
        for line in self._inputs.values():
            line.when_changed = None
        self._factory.close()

    def _input(self, pin: int, pull: str) -> Line:
        line: Line = self._factory.pin(pin)
        line.input_with_pull(pull)
        line.bounce = None
        return line

    def _output(self, pin: int) -> Line:
        line: Line = self._factory.pin(pin)
        line.output_with_state(0)
        return line

    def _dim(self) -> None:
        for line in self._lamps:
            if line is not None:
                try:
                    line.frequency = _DIMMING_HERTZ
                except Exception as error:
                    # Each pin library has errors of its own for this.
                    raise HardwareError(
                        f"these pins cannot dim a lamp ({type(error).__name__}): "
                        "set pins.lamp_brightness_percent to 100"
                    ) from error

    def _handler(self, contact: Contact, listener: Listener) -> Callable[[float, int], None]:
        asserted_high = WIRINGS[contact].asserted_high
        clock = self._clock

        def handle(ticks_s: float, level: int) -> None:
            listener(contact, bool(level) == asserted_high, _edge_time_ns(ticks_s, clock.monotonic_ns()))

        return handle


def open_pins(name: str, assignment: PinAssignment, clock: Clock, brightness_percent: int = _FULL_PERCENT) -> Pins:
    """Open the pins through exactly the library that was named."""
    if name == "lgpio":
        return Pins(_lgpio_factory(), assignment, clock, brightness_percent)
    if name == "simulated":
        # Loaded only where it is asked for, so that real pins never have a way to be imitated.
        from appliance.hardware.pins_simulated import simulated_factory  # noqa: PLC0415

        return Pins(simulated_factory(), assignment, clock, brightness_percent)
    raise HardwareError(f'pin library "{name}" is unknown: pins.factory is "lgpio" or "simulated"')


def _lgpio_factory() -> Factory:
    try:
        from gpiozero.pins.lgpio import LGPIOFactory  # noqa: PLC0415 - exists only where lgpio is installed

        factory: Factory = LGPIOFactory()
    except ImportError as error:
        raise HardwareError(
            f'pins.factory is "lgpio", but the library cannot be loaded ({error}): install python3-lgpio, '
            'or choose "simulated" for a bench without pins'
        ) from error
    except Exception as error:
        # lgpio and gpiozero raise errors of many kinds here, and none of them may lead to another library.
        raise HardwareError(
            f"the pins cannot be opened ({type(error).__name__}: {error}): "
            "run on a Raspberry Pi, as a user of group gpio"
        ) from error
    if type(factory) is not LGPIOFactory:
        raise HardwareError(
            f"lgpio was asked for and {type(factory).__name__} came: refusing pins that may not be real"
        )
    return factory


def _edge_time_ns(ticks_s: float, now_ns: int) -> int:
    """Return the kernel's time of an edge, or the present where that is no time of this clock."""
    at_ns = int(ticks_s * NANOSECONDS_PER_SECOND)
    return at_ns if now_ns - NANOSECONDS_PER_SECOND < at_ns <= now_ns else now_ns
