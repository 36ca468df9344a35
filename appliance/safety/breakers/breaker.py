"""One breaker: the table of its states, driven in time that is handed in.

Two things keep it from flapping. In level: it cools only while its measures are well below the threshold that trips
them (`excite` is called for as long as they are not). In time: a trip soon after the last one, or during a trial,
doubles the cool-down up to a bound.
"""

from typing import NamedTuple

from appliance.safety.breakers.circuit import HELD_CAUSES, TABLE, Cause, State, Stimulus
from appliance.safety.breakers.tuning import Odds

COOL_DOWN_FACTOR_MAX = 4
# Half open without any entry to try with: after so many calm cool-downs it closes by itself.
REST_COOL_DOWNS = 10


class BreakerSettings(NamedTuple):
    """Bound how long a breaker stays open and how many trials it allows."""

    cool_down_ns: int
    trials_count: int


class Change(NamedTuple):
    """Record a change of state."""

    component: str
    old: State
    new: State
    cause: Cause
    stimulus: Stimulus


class Breaker:
    """Hold one component's state."""

    __slots__ = (
        "_changed_ns",
        "_cool_down_ns",
        "_excited_ns",
        "_good_count",
        "_settings",
        "_trials_left",
        "_tripped_ns",
        "cause",
        "held",
        "name",
        "odds",
        "round",
        "state",
    )

    def __init__(self, name: str, settings: BreakerSettings) -> None:
        """Begin closed."""
        self._settings = settings
        self._cool_down_ns = settings.cool_down_ns
        self._changed_ns: int | None = None
        self._excited_ns: int | None = None
        self._tripped_ns = 0
        self._trials_left = 0
        self._good_count = 0
        self.name = name
        self.state = State.CLOSED
        self.cause = Cause.MANUAL
        self.held: set[Cause] = set()
        self.odds: dict[Cause, Odds] = {}
        self.round = 0

    @property
    def admits(self) -> bool:
        """Tell whether one more entry may pass."""
        return self.state is State.CLOSED or (self.state is State.HALF_OPEN and self._trials_left > 0)

    def odds_of(self, cause: Cause) -> Odds:
        """Return what this breaker's trips of a cause turned out to be."""
        return self.odds.get(cause, Odds())

    def forget(self) -> None:
        """Be closed, as before anything was known."""
        self.state, self._excited_ns = State.CLOSED, None
        self.held.clear()

    def resume(self, now_ns: int, cause: Cause) -> None:
        """Be open as the last run left it; the cool-down begins anew."""
        self.state, self.cause = State.OPEN, cause
        self._changed_ns = self._tripped_ns = now_ns
        if cause in HELD_CAUSES:
            self.held.add(cause)
        else:
            self._excited_ns = now_ns

    def trip(self, now_ns: int, cause: Cause) -> Change | None:
        """Open because a measure is out of its bounds."""
        old = self.state
        self._excited_ns = now_ns
        if old is not State.OPEN:
            self._lengthen(now_ns, again=old is State.HALF_OPEN)
            self._judge_trial(confirmed=True)
            self._tripped_ns = now_ns
        return self._apply(now_ns, Stimulus.TRIP, cause)

    def excite(self, now_ns: int) -> None:
        """Note that a measure is not yet well inside its bounds."""
        if self.state is State.OPEN and self._excited_ns is not None:
            self._excited_ns = now_ns

    def hold(self, now_ns: int, cause: Cause) -> Change | None:
        """Open until the cause is released."""
        self.held.add(cause)
        return self._apply(now_ns, Stimulus.TRIP, cause)

    def release(self, now_ns: int, cause: Cause) -> Change | None:
        """Close if nothing else keeps it open."""
        if cause not in self.held:
            return None
        self.held.discard(cause)
        if self.held or self._excited_ns is not None:
            return None
        return self._apply(now_ns, Stimulus.RELEASED, cause)

    def pass_time(self, now_ns: int) -> Change | None:
        """Do what time alone brings about."""
        if self.state is State.OPEN and not self.held and self._excited_ns is not None:
            if now_ns - self._excited_ns >= self._cool_down_ns:
                return self._apply(now_ns, Stimulus.COOLED, self.cause)
        elif self.state is State.HALF_OPEN and now_ns - (self._changed_ns or 0) >= REST_COOL_DOWNS * self._cool_down_ns:
            return self._prove(now_ns)
        return None

    def take_trial(self) -> int:
        """Use up one trial and return the round it belongs to."""
        self._trials_left -= 1
        return self.round

    def return_trial(self, of_round: int) -> None:
        """Give back a trial that never left."""
        if self.state is State.HALF_OPEN and of_round == self.round:
            self._trials_left += 1

    def trial_ended(self, now_ns: int, of_round: int, *, good: bool) -> Change | None:
        """Take what became of a trial; one of an earlier round says nothing any more."""
        if self.state is not State.HALF_OPEN or of_round != self.round:
            return None
        if good:
            self._good_count += 1
            return self._prove(now_ns) if self._good_count >= self._settings.trials_count else None
        self._lengthen(now_ns, again=True)
        self._judge_trial(confirmed=True)
        self._excited_ns = self._tripped_ns = now_ns
        return self._apply(now_ns, Stimulus.FAILED, self.cause)

    def _prove(self, now_ns: int) -> Change | None:
        lasted_ns = (self._excited_ns or 0) - self._tripped_ns
        self._judge_trial(confirmed=lasted_ns >= self._settings.cool_down_ns)
        return self._apply(now_ns, Stimulus.PROVEN, self.cause)

    def _judge_trial(self, *, confirmed: bool) -> None:
        if self.state is State.HALF_OPEN:
            self.odds[self.cause] = self.odds_of(self.cause).after(confirmed=confirmed)

    def _lengthen(self, now_ns: int, *, again: bool) -> None:
        soon = self._changed_ns is not None and now_ns - self._changed_ns < self._cool_down_ns
        longest_ns = self._settings.cool_down_ns * COOL_DOWN_FACTOR_MAX
        self._cool_down_ns = min(2 * self._cool_down_ns, longest_ns) if again or soon else self._settings.cool_down_ns

    def _apply(self, now_ns: int, stimulus: Stimulus, cause: Cause) -> Change | None:
        old, new = self.state, TABLE[self.state, stimulus]
        if new is old:
            return None
        self.state, self._changed_ns = new, now_ns
        match new:
            case State.OPEN:
                self.cause = cause
            case State.HALF_OPEN:
                self.round += 1
                self._trials_left, self._good_count = self._settings.trials_count, 0
            case State.CLOSED:
                self._excited_ns = None
        return Change(self.name, old, new, self.cause, stimulus)
