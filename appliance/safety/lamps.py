"""The lamp as a function of state: one place decides what it shows, and every state has a rhythm of its own.

A person who sees no colours, or who looks at a tower of three lamps without blue, can still tell the states apart by
rhythm. A lamp that is dark for longer than any gap below means no power or no guardian: treat it as stopped.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum, unique
from types import MappingProxyType
from typing import Final

from appliance.safety.button import State
from appliance.safety.modes import Mode

Channels = tuple[bool, bool, bool, bool]


@unique
class Colour(Enum):
    """Name what a person sees."""

    DARK = "dark"
    RED = "red"
    GREEN = "green"
    BLUE = "blue"
    YELLOW = "yellow"
    MAGENTA = "magenta"


@unique
class Lamp(IntEnum):
    """Name what the lamp says."""

    DARK = 0
    TEST = 1
    BOOT = 2
    NORMAL = 3
    REDUCED = 4
    PAUSED = 5
    READY = 6
    EMERGENCY = 7
    HALTED = 8
    FAULT = 9


@unique
class Pulse(Enum):
    """Say how the trader's heartbeat looks from the guardian."""

    NEVER = "never seen since the guardian started"
    FRESH = "fresh"
    LOST = "seen before, now too old"


@dataclass(frozen=True, slots=True)
class View:
    """Hold everything the lamp depends on."""

    button: State
    pulse: Pulse
    mode: Mode | None
    stop_verified: bool
    broken: bool
    cleared_apart: bool = False


@dataclass(frozen=True, slots=True)
class Phase:
    """Show one colour for a while."""

    colour: Colour
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """Repeat phases for as long as the state lasts."""

    label: str
    phases: tuple[Phase, ...]

    @property
    def period_ms(self) -> int:
        """Return how long one repetition takes."""
        return sum(phase.duration_ms for phase in self.phases)

    def colour(self, elapsed_ms: int) -> Colour:
        """Return the colour shown some time after the pattern began."""
        rest_ms = elapsed_ms % self.period_ms
        for phase in self.phases:
            if rest_ms < phase.duration_ms:
                return phase.colour
            rest_ms -= phase.duration_ms
        return self.phases[-1].colour

    def at(self, elapsed_ms: int, *, yellow_fitted: bool = False) -> Channels:
        """Return the levels of red, green, blue and yellow some time after the pattern began."""
        return (_TOWER if yellow_fitted else _MIXED)[self.colour(elapsed_ms)]


_MIXED: Final = MappingProxyType(
    {
        Colour.DARK: (False, False, False, False),
        Colour.RED: (True, False, False, False),
        Colour.GREEN: (False, True, False, False),
        Colour.BLUE: (False, False, True, False),
        Colour.YELLOW: (True, True, False, False),
        Colour.MAGENTA: (True, False, True, False),
    }
)
_TOWER: Final = MappingProxyType({**_MIXED, Colour.YELLOW: (False, False, False, True)})


def _pattern(label: str, *phases: tuple[Colour, int]) -> Pattern:
    return Pattern(label, tuple(Phase(colour, duration_ms) for colour, duration_ms in phases))


_C = Colour

PATTERNS: Final = MappingProxyType(
    {
        Lamp.DARK: _pattern("dark: no power or no guardian, treat as stopped", (_C.DARK, 1000)),
        Lamp.TEST: _pattern(
            "lamp test: red, green, blue, yellow in turn",
            (_C.RED, 200),
            (_C.GREEN, 200),
            (_C.BLUE, 200),
            (_C.YELLOW, 200),
        ),
        Lamp.BOOT: _pattern("blue, slow blink, longer dark than lit", (_C.BLUE, 500), (_C.DARK, 1500)),
        Lamp.NORMAL: _pattern("green, steady with a short dip every 5 s", (_C.GREEN, 4800), (_C.DARK, 200)),
        Lamp.REDUCED: _pattern(
            "green and yellow in turn, with a short dip between",
            (_C.GREEN, 900),
            (_C.DARK, 100),
            (_C.YELLOW, 900),
            (_C.DARK, 100),
        ),
        Lamp.PAUSED: _pattern("yellow, steady", (_C.YELLOW, 1000)),
        Lamp.READY: _pattern("yellow, slow even blink", (_C.YELLOW, 1000), (_C.DARK, 1000)),
        Lamp.EMERGENCY: _pattern("red, fast even blink", (_C.RED, 100), (_C.DARK, 100)),
        Lamp.HALTED: _pattern(
            "red, double flash",
            (_C.RED, 150),
            (_C.DARK, 150),
            (_C.RED, 150),
            (_C.DARK, 1050),
        ),
        Lamp.FAULT: _pattern(
            "magenta, fast blink with a pause after every fifth",
            *((_C.MAGENTA, 100), (_C.DARK, 100)) * 4,
            (_C.MAGENTA, 100),
            (_C.DARK, 700),
        ),
    }
)

_MODE_LAMPS: Final = MappingProxyType(
    {
        Mode.BOOT: Lamp.BOOT,
        Mode.RECONCILING: Lamp.BOOT,
        Mode.NORMAL: Lamp.NORMAL,
        Mode.REDUCED: Lamp.REDUCED,
        Mode.PAUSED: Lamp.PAUSED,
        Mode.EMERGENCY: Lamp.EMERGENCY,
        Mode.HALTED: Lamp.HALTED,
        Mode.FAULT: Lamp.FAULT,
    }
)
_LATCHED_LAMPS: Final = MappingProxyType(
    {
        State.PRESSED: Lamp.EMERGENCY,
        State.LATCHED: Lamp.EMERGENCY,
        State.HOLDING: Lamp.EMERGENCY,
        State.HELD: Lamp.READY,
        State.READY: Lamp.READY,
        State.TAPPING: Lamp.READY,
    }
)


def lamp(view: View) -> Lamp:
    """Decide what the lamp says: a fault of ours first, then the latch, then the trader."""
    if view.broken:
        return Lamp.FAULT
    latched = _LATCHED_LAMPS.get(view.button)
    if latched is Lamp.EMERGENCY:
        return _latched_lamp(view)
    if latched is not None:
        return latched
    if view.pulse is Pulse.FRESH and view.mode is not None:
        return _MODE_LAMPS[view.mode]
    return Lamp.BOOT if view.pulse is Pulse.NEVER else Lamp.FAULT


def _latched_lamp(view: View) -> Lamp:
    """Claim "halted" only when this very stop was verified: by a trader that is alive, or apart from it."""
    if view.pulse is Pulse.FRESH and view.mode is Mode.FAULT:
        return Lamp.FAULT
    verified = view.pulse is Pulse.FRESH and view.mode is Mode.HALTED and view.stop_verified
    return Lamp.HALTED if verified or view.cleared_apart else Lamp.EMERGENCY
