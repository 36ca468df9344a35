"""The one person near the box: presses, lets go, resets, starts, and replaces what is broken."""

import random
from collections.abc import Callable
from functools import partial

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND
from appliance.world.keeper import GESTURE, Keeper
from appliance.world.links import milliseconds
from appliance.world.schedule import Schedule

PRESSED_MS = (20, 3_000)
BEFORE_RESET_MS = (1_000, 15_000)
TAP_MS = (60, 500)
PAUSE_MS = (100, 2_000)
RETRY_NS = 5 * NANOSECONDS_PER_SECOND
_SHORT_OF_HOLD_NS = 500 * NANOSECONDS_PER_MILLISECOND


class Person:
    """Act on the buttons with the durations of a human hand."""

    def __init__(self, schedule: Schedule, dice: random.Random, keeper: Keeper, story: Callable[[str], None]) -> None:
        """Stand by."""
        self._schedule = schedule
        self._dice = dice
        self._keeper = keeper
        self._story = story
        self._busy = False

    def press(self, *, reset_later: bool = True) -> None:
        """Slap the button, let it go, and come back some time later to reset and start."""
        self._story("a person presses the stop button")
        self._keeper.open_contact()
        self._schedule.after(milliseconds(self._dice, PRESSED_MS), self.let_go)
        if reset_later:
            self._schedule.after(milliseconds(self._dice, BEFORE_RESET_MS), self.reset_and_start)

    def let_go(self) -> None:
        """Let the button out, but never unseen: nobody slaps a box that shows no light and walks away."""
        if self._keeper.silent:
            self._schedule.after(NANOSECONDS_PER_SECOND, self.let_go)
            return
        self._keeper.close_contact()

    def reset_and_start(self) -> None:
        """Hold reset, let go, tap it; again until it takes."""
        if self._busy:
            return
        self._busy = True
        self._attempt()

    def reset_halfway(self) -> None:
        """Make a gesture that must not start anything: hold too short and tap, or hold and walk away."""
        if self._busy or not self._keeper.latched:
            return
        self._busy = True
        self._story("a person resets only halfway")
        too_short = self._dice.getrandbits(1) == 1
        held_ns = GESTURE.hold_ns + (-_SHORT_OF_HOLD_NS if too_short else _SHORT_OF_HOLD_NS)
        self._keeper.press_reset(down=True)
        self._schedule.after(held_ns, partial(self._keeper.press_reset, down=False))
        if too_short:
            self._schedule.after(held_ns + NANOSECONDS_PER_SECOND, partial(self._keeper.press_reset, down=True))
            tap_ns = milliseconds(self._dice, TAP_MS)
            self._schedule.after(
                held_ns + NANOSECONDS_PER_SECOND + tap_ns, partial(self._keeper.press_reset, down=False)
            )
        self._schedule.after(held_ns + 2 * RETRY_NS, self._done)

    def _attempt(self) -> None:
        if not self._keeper.latched and not self._keeper.stop_stands:
            self._done()
            return
        if self._keeper.silent or not self._keeper.contact_closed:
            self._schedule.after(RETRY_NS, self._attempt)
            return
        self._story("a person holds reset")
        mark = self._keeper.begin_gesture()
        self._keeper.press_reset(down=True)
        self._schedule.after(GESTURE.hold_ns + milliseconds(self._dice, TAP_MS), partial(self._release, mark))

    def _release(self, mark: int) -> None:
        self._keeper.press_reset(down=False)
        self._schedule.after(milliseconds(self._dice, PAUSE_MS), partial(self._tap, mark))

    def _tap(self, mark: int) -> None:
        self._keeper.press_reset(down=True)
        self._schedule.after(milliseconds(self._dice, TAP_MS), partial(self._finish, mark))

    def _finish(self, mark: int) -> None:
        self._story("a person taps start")
        self._keeper.complete_gesture(mark)
        self._keeper.press_reset(down=False)
        self._schedule.after(RETRY_NS, self._attempt)

    def _done(self) -> None:
        self._busy = False
