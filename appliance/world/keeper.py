"""The guardian as the trader sees it: the real button machine, a latch that outlives everything, and a lease.

`stop_stands` is the world's own opinion of whether somebody has stopped the appliance. It is worked out from what the
person did, not from the machine, so that it can contradict the machine: it begins when an open contact has lasted,
and ends only with a full gesture (held, let go, and tapped) that nothing interrupted.
"""

import random
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND
from appliance.core.events import PermissionChanged
from appliance.safety.button import Button, Effect, Gesture, State
from appliance.safety.lamps import Lamp, View, lamp
from appliance.safety.lamps import Pulse as Age
from appliance.safety.modes import Mode
from appliance.world.links import milliseconds
from appliance.world.schedule import Schedule

GESTURE = Gesture()
LEASE_EXPIRY_NS = 250 * NANOSECONDS_PER_MILLISECOND
PULSE_NS_MAX = 2 * NANOSECONDS_PER_SECOND
POLL_MS = (1, 60)
_MARGIN_NS = NANOSECONDS_PER_MILLISECOND


class Pulse(NamedTuple):
    """Say when the trader last beat, in which mode, and which latching's stop it has verified."""

    beat_ns: int
    mode: Mode
    verified_latch: int | None = None


class Keeper:
    """Hold the latch and lend permission."""

    def __init__(
        self,
        schedule: Schedule,
        dice: random.Random,
        tell: Callable[[PermissionChanged], None],
        pulse: Callable[[], Pulse | None],
    ) -> None:
        """Begin as a first start does: nothing latched, contact closed."""
        self._schedule = schedule
        self._dice = dice
        self._tell = tell
        self._pulse = pulse
        self._record_latched = False
        self._button = self._new_button(closed=True, reset_down=False, case_open=False)
        self._latch_sequence = 0
        self._start_sequence = 0
        self._contact_closed = True
        self._case_open = False
        self._case_opened_unseen = False
        self._reset_down = False
        self._silent_ns: int | None = None
        self._lent_when_silenced = False
        self._edges: list[Callable[[], tuple[Effect, ...]]] = []
        self._seen: PermissionChanged | None = None
        self._openings = 0
        self._gesture_owed: int | None = None
        self._disturbances = 0
        self.stop_stands = False
        self.decide_lamp: Callable[[View], Lamp] = lamp

    @property
    def latched(self) -> bool:
        """Tell whether the record says stopped."""
        return self._record_latched

    @property
    def silent(self) -> bool:
        """Tell whether the guardian is not running."""
        return self._silent_ns is not None

    @property
    def lease_ran_out(self) -> bool:
        """Tell, whatever the lease itself says, whether nobody has been there to renew it for longer than it lasts."""
        return self._silent_ns is not None and self._schedule.now_ns >= self._silent_ns + LEASE_EXPIRY_NS

    @property
    def contact_closed(self) -> bool:
        """Tell whether the stop button is out."""
        return self._contact_closed

    @property
    def case_open(self) -> bool:
        """Tell whether the box is open."""
        return self._case_open

    def permitted(self) -> bool:
        """Tell whether the lease is valid at this very moment."""
        if self._silent_ns is not None:
            return self._lent_when_silenced and self._schedule.now_ns < self._silent_ns + LEASE_EXPIRY_NS
        return self._grants()

    def lamp(self) -> Lamp:
        """Return what the lamp says now; a guardian that does not run shows nothing that may be believed."""
        if self.silent:
            return Lamp.DARK
        pulse = self._pulse()
        fresh = pulse is not None and self._schedule.now_ns - pulse.beat_ns <= PULSE_NS_MAX
        age = Age.FRESH if fresh else Age.LOST if pulse is not None else Age.NEVER
        verified = pulse is not None and pulse.verified_latch == self._latch_sequence
        mode = pulse.mode if pulse is not None else None
        return self.decide_lamp(View(self._button.state, age, mode, verified, broken=False))

    def state(self) -> PermissionChanged:
        """Return what the page says now."""
        return PermissionChanged(self.permitted(), self._latch_sequence, self._start_sequence, self._record_latched)

    def review(self) -> None:
        """Let the trader's poll find out when the page says something else than before."""
        state = self.state()
        if state != self._seen:
            self._seen = state
            self._schedule.after(milliseconds(self._dice, POLL_MS), self._polled)

    def open_contact(self) -> None:
        """Open the stop contact, as a press or a cut wire does."""
        if self._contact_closed:
            self._contact_closed = False
            self._openings += 1
            self._disturbances += 1
            self._edge(lambda at_ns: self._button.contact(at_ns, closed=False))
            self._schedule.after(GESTURE.glitch_ns + _MARGIN_NS, partial(self._lasted, self._openings))

    def close_contact(self) -> None:
        """Close the stop contact again."""
        if not self._contact_closed:
            self._contact_closed = True
            self._edge(lambda at_ns: self._button.contact(at_ns, closed=True))

    def open_case(self) -> None:
        """Open the box; its switch stops by itself, whatever the button does."""
        if not self._case_open:
            self._case_open = True
            self._disturbances += 1
            self._case_opened_unseen = self.silent
            self.stop_stands = self.stop_stands or not self.silent
            self._edge(self._case_opened)

    def shut_case(self) -> None:
        """Shut the box, which takes nothing back."""
        self._case_open = False

    def press_reset(self, *, down: bool) -> None:
        """Push the reset button or let it go."""
        self._reset_down = down
        self._edge(lambda at_ns: self._button.reset(at_ns, down=down))

    def begin_gesture(self) -> int:
        """Return a mark by which a full gesture can prove that nothing came between."""
        return self._disturbances

    def complete_gesture(self, mark: int) -> None:
        """Take that the person finished the whole gesture; it ends the stop unless something came between."""
        if self.silent:
            # A hung guardian finds the edges and their times in the queue when it goes on; a new one never sees them.
            self._gesture_owed = mark
        elif mark == self._disturbances and self._contact_closed:
            self.stop_stands = False

    def silence(self) -> bool:
        """Stop the guardian where it is, as a hang does; tell whether it was running."""
        if self.silent:
            return False
        self._lent_when_silenced = self.permitted()
        self._silent_ns = self._schedule.now_ns
        self._gesture_owed = None
        self._schedule.after(LEASE_EXPIRY_NS, self.review)
        return True

    def resume(self) -> None:
        """Let a hung guardian go on: the edges it missed were queued."""
        if self.silent:
            self._silent_ns = None
            self.stop_stands = self.stop_stands or self._case_opened_unseen
            self._case_opened_unseen = False
            if self._gesture_owed is not None:
                self.complete_gesture(self._gesture_owed)
            queued, self._edges = self._edges, []
            for edge in queued:
                self._act(edge())
            self._awake()

    def restart(self) -> None:
        """Start the guardian anew from its record and the levels of its pins."""
        self._silent_ns = None
        self._edges.clear()
        self._disturbances += 1
        # Of a box that was open only while nobody looked, a new guardian knows nothing.
        self.stop_stands = self.stop_stands or self._case_open
        self._case_opened_unseen = False
        self._button = self._new_button(
            closed=self._contact_closed, reset_down=self._reset_down, case_open=self._case_open
        )
        if self._button.latched and not self._record_latched:
            self._latch()
        self._awake()

    def _new_button(self, *, closed: bool, reset_down: bool, case_open: bool) -> Button:
        now_ns = self._schedule.now_ns
        latched = self._record_latched or case_open
        return Button(GESTURE, latched=latched, closed=closed, reset_down=reset_down, now_ns=now_ns)

    def _case_opened(self, at_ns: int) -> tuple[Effect, ...]:
        return self._button.demand(at_ns)

    def _awake(self) -> None:
        self.stop_stands = self.stop_stands or not self._contact_closed
        self._plan_elapse()
        self.review()

    def _grants(self) -> bool:
        pulse = self._pulse()
        alive = pulse is not None and self._schedule.now_ns - pulse.beat_ns <= PULSE_NS_MAX
        trusted = alive and pulse is not None and pulse.mode is not Mode.FAULT
        return trusted and self._button.state is State.CLEAR and not self._record_latched

    def _edge(self, apply: Callable[[int], tuple[Effect, ...]]) -> None:
        happen = partial(apply, self._schedule.now_ns)
        if self.silent:
            self._edges.append(happen)
            return
        self._act(happen())
        self._plan_elapse()
        self.review()

    def _plan_elapse(self) -> None:
        due_ns = self._button.deadline_ns()
        if due_ns < self._schedule.now_ns + NANOSECONDS_PER_SECOND * 1_000:
            self._schedule.at(due_ns, self._elapse)

    def _elapse(self) -> None:
        if not self.silent and self._button.deadline_ns() <= self._schedule.now_ns:
            self._act(self._button.elapse(self._schedule.now_ns))
            self.review()

    def _act(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            if effect is Effect.LATCHED:
                self._latch()
            elif effect is Effect.STARTED:
                self._record_latched = False
                self._start_sequence += 1

    def _latch(self) -> None:
        if not self._record_latched:
            self._record_latched = True
            self._latch_sequence += 1

    def _lasted(self, opening: int) -> None:
        if not self._contact_closed and opening == self._openings and not self.silent:
            self.stop_stands = True

    def _polled(self) -> None:
        self._tell(self.state())
