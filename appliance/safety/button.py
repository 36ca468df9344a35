"""The emergency stop and its reset gesture, as a pure machine.

Theory of operation. The e-stop is a normally-closed contact to 3V3 with a pull-down, so "closed" is a high level and
means run; pressed, cut, unplugged and shorted low all read open and mean stop. The reset button is momentary. Inputs
are edges with the time they happened, levels that were sampled, and time passing; outputs are effects. Nothing here
reads a clock.

    state      contact  meaning                                          permission
    CLEAR      closed   nothing is latched                               may be given
    SUSPECT    open     open for less than the glitch time               none, but nothing is latched yet
    PRESSED    open     latched, contact still open                      none
    LATCHED    closed   latched, waiting for the reset button            none
    HOLDING    closed   latched, reset held, less than the hold time     none
    HELD       closed   ready, the reset button not yet let go           none
    READY      closed   ready, waiting for a separate short press        none
    TAPPING    closed   ready, that press has begun                      none

An opening takes permission at once (SUSPECT) and latches once it has lasted the glitch time: taking permission costs
nothing and is undone by itself, a latch needs a person. A contact *sampled* open without an edge latches at once,
since then edges cannot be trusted. While anything is latched every opening counts, however short, and ends the
gesture. A reset button already down when the contact closes, or at power-on, is a stuck button and starts nothing:
only a press does. A tap shorter than `tap_ns_min` is bounce and a tap longer than `tap_ns_max` is somebody leaning on
it; neither starts.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum, unique
from types import MappingProxyType
from typing import Final

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND
from appliance.core.require import require


@unique
class State(Enum):
    """Name the states of the header's table."""

    CLEAR = "clear"
    SUSPECT = "suspect"
    PRESSED = "pressed"
    LATCHED = "latched"
    HOLDING = "holding"
    HELD = "held"
    READY = "ready"
    TAPPING = "tapping"


@unique
class Event(Enum):
    """Name everything that can happen to the machine."""

    OPENED = "opened"
    LASTED = "lasted"
    CLOSED = "closed"
    DEMANDED = "demanded"
    RESET_PRESSED = "reset pressed"
    RESET_HELD = "reset held"
    RESET_BOUNCED = "reset bounced"
    RESET_TAPPED = "reset tapped"
    RESET_RELEASED = "reset released"
    WINDOW_CLOSED = "window closed"


@unique
class Effect(Enum):
    """Name what the owner of the machine must do or record."""

    NONE = "none"
    SUSPENDED = "suspended"
    GLITCHED = "glitched"
    WIRING_ALARM = "wiring alarm"
    LATCHED = "latched"
    READY = "ready"
    STARTED = "started"
    EXPIRED = "expired"
    ABANDONED = "abandoned"


_S, _E = State, Event

# Every pair that is not listed leaves the state as it is, without an effect.
TABLE: Final = MappingProxyType(
    {
        (_S.CLEAR, _E.OPENED): (_S.SUSPECT, Effect.SUSPENDED),
        (_S.CLEAR, _E.DEMANDED): (_S.LATCHED, Effect.LATCHED),
        (_S.SUSPECT, _E.CLOSED): (_S.CLEAR, Effect.GLITCHED),
        (_S.SUSPECT, _E.LASTED): (_S.PRESSED, Effect.LATCHED),
        (_S.SUSPECT, _E.DEMANDED): (_S.PRESSED, Effect.LATCHED),
        (_S.PRESSED, _E.CLOSED): (_S.LATCHED, Effect.NONE),
        (_S.LATCHED, _E.OPENED): (_S.PRESSED, Effect.NONE),
        (_S.LATCHED, _E.RESET_PRESSED): (_S.HOLDING, Effect.NONE),
        (_S.HOLDING, _E.OPENED): (_S.PRESSED, Effect.ABANDONED),
        (_S.HOLDING, _E.DEMANDED): (_S.LATCHED, Effect.ABANDONED),
        (_S.HOLDING, _E.RESET_HELD): (_S.HELD, Effect.READY),
        (_S.HOLDING, _E.RESET_BOUNCED): (_S.LATCHED, Effect.NONE),
        (_S.HOLDING, _E.RESET_TAPPED): (_S.LATCHED, Effect.ABANDONED),
        (_S.HOLDING, _E.RESET_RELEASED): (_S.LATCHED, Effect.ABANDONED),
        (_S.HELD, _E.OPENED): (_S.PRESSED, Effect.ABANDONED),
        (_S.HELD, _E.DEMANDED): (_S.LATCHED, Effect.ABANDONED),
        (_S.HELD, _E.RESET_BOUNCED): (_S.READY, Effect.NONE),
        (_S.HELD, _E.RESET_TAPPED): (_S.READY, Effect.NONE),
        (_S.HELD, _E.RESET_RELEASED): (_S.READY, Effect.NONE),
        (_S.HELD, _E.WINDOW_CLOSED): (_S.LATCHED, Effect.EXPIRED),
        (_S.READY, _E.OPENED): (_S.PRESSED, Effect.ABANDONED),
        (_S.READY, _E.DEMANDED): (_S.LATCHED, Effect.ABANDONED),
        (_S.READY, _E.RESET_PRESSED): (_S.TAPPING, Effect.NONE),
        (_S.READY, _E.WINDOW_CLOSED): (_S.LATCHED, Effect.EXPIRED),
        (_S.TAPPING, _E.OPENED): (_S.PRESSED, Effect.ABANDONED),
        (_S.TAPPING, _E.DEMANDED): (_S.LATCHED, Effect.ABANDONED),
        (_S.TAPPING, _E.RESET_BOUNCED): (_S.READY, Effect.NONE),
        (_S.TAPPING, _E.RESET_TAPPED): (_S.CLEAR, Effect.STARTED),
        (_S.TAPPING, _E.RESET_RELEASED): (_S.LATCHED, Effect.ABANDONED),
        (_S.TAPPING, _E.WINDOW_CLOSED): (_S.LATCHED, Effect.EXPIRED),
    }
)

_WINDOW_STATES: Final = frozenset({State.HELD, State.READY, State.TAPPING})
_UNLATCHED_STATES: Final = frozenset({State.CLEAR, State.SUSPECT})
_FAR_NS: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Gesture:
    """Hold the times that tell one intention from another."""

    glitch_ns: int = 2 * NANOSECONDS_PER_MILLISECOND
    hold_ns: int = 3 * NANOSECONDS_PER_SECOND
    window_ns: int = 60 * NANOSECONDS_PER_SECOND
    tap_ns_min: int = 30 * NANOSECONDS_PER_MILLISECOND
    tap_ns_max: int = 2 * NANOSECONDS_PER_SECOND
    alarm_glitch_count: int = 5
    alarm_window_ns: int = 60 * NANOSECONDS_PER_SECOND


class Button:
    """Turn edges, samples and time into latches and granted starts."""

    __slots__ = (
        "_closed",
        "_closing_owed",
        "_gesture",
        "_glitches_ns",
        "_now_ns",
        "_opened_ns",
        "_reset_down",
        "_reset_ns",
        "_window_ns",
        "glitch_count",
        "state",
    )

    def __init__(self, gesture: Gesture, *, latched: bool, closed: bool, reset_down: bool, now_ns: int) -> None:
        """Begin latched if the record says so or the contact is open."""
        self.state = State.CLEAR if closed and not latched else State.LATCHED if closed else State.PRESSED
        self.glitch_count = 0
        self._gesture = gesture
        self._closed = closed
        self._closing_owed = False
        self._reset_down = reset_down
        self._now_ns = now_ns
        self._opened_ns = now_ns
        self._reset_ns = now_ns
        self._window_ns = _FAR_NS
        self._glitches_ns: deque[int] = deque(maxlen=gesture.alarm_glitch_count)

    @property
    def latched(self) -> bool:
        """Tell whether only a reset and a start can bring permission back."""
        return self.state not in _UNLATCHED_STATES

    @property
    def opened_ns(self) -> int:
        """Return when the contact opened last."""
        return self._opened_ns

    def deadline_ns(self) -> int:
        """Return when time alone will next change the state."""
        if self.state is State.SUSPECT:
            return self._opened_ns + self._gesture.glitch_ns
        if self.state is State.HOLDING:
            return self._reset_ns + self._gesture.hold_ns
        return self._window_ns if self.state in _WINDOW_STATES else _FAR_NS

    def contact(self, at_ns: int, *, closed: bool) -> tuple[Effect, ...]:
        """Take an edge of the e-stop contact."""
        effects = self.elapse(at_ns)
        owed, self._closing_owed = self._closing_owed, False
        if closed != self._closed:
            return effects + self._turn_contact(closed=closed)
        if closed and not owed:
            # A closing without the opening before it: the opening was lost, and nobody knows how long it lasted.
            return (
                effects + self._turn_contact(closed=False) + self._apply(Event.LASTED) + self._turn_contact(closed=True)
            )
        return effects

    def reset(self, at_ns: int, *, down: bool) -> tuple[Effect, ...]:
        """Take an edge of the reset button."""
        effects = self.elapse(at_ns)
        if down == self._reset_down:
            return effects
        self._reset_down = down
        held_ns = self._now_ns - self._reset_ns
        self._reset_ns = self._now_ns
        return effects + self._apply(Event.RESET_PRESSED if down else self._released(held_ns))

    def sample(self, at_ns: int, *, closed: bool, reset_down: bool) -> tuple[Effect, ...]:
        """Take the levels as they were read, which may show what edges did not."""
        effects = self.reset(at_ns, down=reset_down)
        if closed == self._closed:
            return effects
        self._closing_owed = closed
        effects += self._turn_contact(closed=closed)
        return effects if closed else effects + self._apply(Event.LASTED)

    def elapse(self, now_ns: int) -> tuple[Effect, ...]:
        """Let time pass; a moment before the last one counts as the last one."""
        effects: tuple[Effect, ...] = ()
        while (deadline_ns := self.deadline_ns()) <= now_ns:
            self._now_ns = max(self._now_ns, deadline_ns)
            effects += self._apply(self._expired())
        self._now_ns = max(self._now_ns, now_ns)
        return effects

    def demand(self, at_ns: int) -> tuple[Effect, ...]:
        """Latch for a reason other than the button."""
        return self.elapse(at_ns) + self._apply(Event.DEMANDED)

    def _turn_contact(self, *, closed: bool) -> tuple[Effect, ...]:
        self._closed = closed
        if not closed:
            self._opened_ns = self._now_ns
        return self._apply(Event.CLOSED if closed else Event.OPENED)

    def _released(self, held_ns: int) -> Event:
        if held_ns < self._gesture.tap_ns_min:
            return Event.RESET_BOUNCED
        return Event.RESET_TAPPED if held_ns <= self._gesture.tap_ns_max else Event.RESET_RELEASED

    def _expired(self) -> Event:
        if self.state is State.SUSPECT:
            return Event.LASTED
        return Event.RESET_HELD if self.state is State.HOLDING else Event.WINDOW_CLOSED

    def _apply(self, event: Event) -> tuple[Effect, ...]:
        before = self.state
        self.state, effect = TABLE.get((before, event), (before, Effect.NONE))
        require(self.state is not State.CLEAR or self._closed, "an open contact is never clear")
        if effect is Effect.READY:
            self._window_ns = self._now_ns + self._gesture.window_ns
        if effect is Effect.GLITCHED:
            return (effect, *self._count_glitch())
        return () if effect is Effect.NONE else (effect,)

    def _count_glitch(self) -> tuple[Effect, ...]:
        self.glitch_count += 1
        self._glitches_ns.append(self._now_ns)
        if len(self._glitches_ns) < self._gesture.alarm_glitch_count:
            return ()
        if self._now_ns - self._glitches_ns[0] > self._gesture.alarm_window_ns:
            return ()
        self._glitches_ns.clear()
        return (Effect.WIRING_ALARM,)
