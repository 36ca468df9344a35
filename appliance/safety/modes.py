"""The trading modes and the one table of allowed moves.

                    ┌────────────────────────────┐
    BOOT ──► RECONCILING ◄──► NORMAL ◄──► REDUCED ◄──► PAUSED
      │           ▲   └──► (REDUCED, PAUSED)   │          │
      ▼           │                            ▼          ▼
    HALTED ───────┘ ◄──────────────────── EMERGENCY ◄─ (any mode above it)

FAULT is entered from every mode but EMERGENCY and HALTED, and no move leaves it: a person looks, then restarts.
EMERGENCY ends only in HALTED, and HALTED only in RECONCILING, because nothing may trade after a stop before it has
compared itself with the venue.
"""

from dataclasses import dataclass
from enum import IntEnum, unique
from types import MappingProxyType
from typing import Final


@unique
class Mode(IntEnum):
    """Name what the trader is doing; 0 is left out so that a zeroed page names no mode."""

    BOOT = 1
    RECONCILING = 2
    NORMAL = 3
    REDUCED = 4
    PAUSED = 5
    EMERGENCY = 6
    HALTED = 7
    FAULT = 8


@dataclass(frozen=True, slots=True)
class Rights:
    """Say what a mode may send."""

    open: bool
    reduce: bool
    cancel: bool
    guard: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """Record a change of mode."""

    old: Mode
    new: Mode
    reason: str
    origin: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Record a change of mode that the table does not allow."""

    old: Mode
    wanted: Mode
    reason: str
    origin: str


MOVES: Final = MappingProxyType(
    {
        (Mode.BOOT, Mode.RECONCILING): "the journal is replayed and the latch is clear",
        (Mode.BOOT, Mode.EMERGENCY): "stopped while starting",
        (Mode.BOOT, Mode.HALTED): "the latch was set before the start",
        (Mode.BOOT, Mode.FAULT): "the journal, the configuration or the machine cannot be trusted",
        (Mode.RECONCILING, Mode.NORMAL): "the venue agrees and all inputs are good",
        (Mode.RECONCILING, Mode.REDUCED): "the venue agrees, some inputs are weak",
        (Mode.RECONCILING, Mode.PAUSED): "the venue agrees, but nothing may be opened yet",
        (Mode.RECONCILING, Mode.EMERGENCY): "stopped, or the venue disagrees",
        (Mode.RECONCILING, Mode.FAULT): "the venue's answer cannot be explained",
        (Mode.NORMAL, Mode.RECONCILING): "what the venue holds is no longer certain",
        (Mode.NORMAL, Mode.REDUCED): "an input or a limit asks for less",
        (Mode.NORMAL, Mode.PAUSED): "an input or a limit forbids opening",
        (Mode.NORMAL, Mode.EMERGENCY): "stopped",
        (Mode.NORMAL, Mode.FAULT): "a part failed that only a person can judge",
        (Mode.REDUCED, Mode.RECONCILING): "what the venue holds is no longer certain",
        (Mode.REDUCED, Mode.NORMAL): "the cause of the reduction is gone",
        (Mode.REDUCED, Mode.PAUSED): "an input or a limit forbids opening",
        (Mode.REDUCED, Mode.EMERGENCY): "stopped",
        (Mode.REDUCED, Mode.FAULT): "a part failed that only a person can judge",
        (Mode.PAUSED, Mode.RECONCILING): "what the venue holds is no longer certain",
        (Mode.PAUSED, Mode.NORMAL): "the cause of the pause is gone",
        (Mode.PAUSED, Mode.REDUCED): "the cause of the pause is weaker",
        (Mode.PAUSED, Mode.EMERGENCY): "stopped",
        (Mode.PAUSED, Mode.FAULT): "a part failed that only a person can judge",
        (Mode.EMERGENCY, Mode.HALTED): "the cascade ended",
        (Mode.HALTED, Mode.RECONCILING): "a person reset and started the appliance",
    }
)

RIGHTS: Final = MappingProxyType(
    {
        Mode.BOOT: Rights(open=False, reduce=False, cancel=True, guard=False),
        Mode.RECONCILING: Rights(open=False, reduce=False, cancel=True, guard=False),
        Mode.NORMAL: Rights(open=True, reduce=True, cancel=True, guard=True),
        Mode.REDUCED: Rights(open=True, reduce=True, cancel=True, guard=True),
        Mode.PAUSED: Rights(open=False, reduce=True, cancel=True, guard=True),
        Mode.EMERGENCY: Rights(open=False, reduce=True, cancel=True, guard=True),
        Mode.HALTED: Rights(open=False, reduce=False, cancel=True, guard=True),
        Mode.FAULT: Rights(open=False, reduce=False, cancel=True, guard=True),
    }
)


def move(mode: Mode, to: Mode, reason: str, origin: str = "trader") -> Moved | Refused:
    """Change the mode if the table allows it."""
    if (mode, to) in MOVES:
        return Moved(mode, to, reason, origin)
    return Refused(mode, to, reason, origin)


def may_open(mode: Mode) -> bool:
    """Tell whether a mode may add exposure."""
    return RIGHTS[mode].open


def may_reduce(mode: Mode) -> bool:
    """Tell whether a mode may send orders that lessen exposure."""
    return RIGHTS[mode].reduce


def may_cancel(mode: Mode) -> bool:
    """Tell whether a mode may cancel orders."""
    return RIGHTS[mode].cancel


def may_guard(mode: Mode) -> bool:
    """Tell whether a mode may have the venue guard a position: stopped or at fault too, for neither may bare one."""
    return RIGHTS[mode].guard
