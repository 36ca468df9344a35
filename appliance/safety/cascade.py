"""The order in which everything is stopped, and how long each part may take.

Theory of operation. The layers of the table are stopped one after another, the most dangerous first. A layer is told
to stop, and then either says that it has, says that it could not, or says nothing until its deadline; whichever it
is, the next one starts at that moment. So no layer can hold up another for longer than its own deadline, and the
whole ends within the sum of all deadlines, whatever any of them does.

    WAITING ──start──► RUNNING ──done──► DONE
                          ├──failed──► FAILED ──────done──► LATE
                          └──overdue─► TIMED_OUT ───done──► LATE
                                           └──failed──► FAILED

Time is only looked at now and then. A layer is therefore given up at the last look before its deadline would pass, not
at the first one after it: the deadline is a bound and not a wish. A layer that was given up may still finish, which is
worth knowing, so that is an ending of its own. A pair that is not in the table is a repetition and changes nothing.
"""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND
from appliance.core.require import require

LOOK_NS: Final = 100 * NANOSECONDS_PER_MILLISECOND


@enum.unique
class Layer(enum.StrEnum):
    """Name what is stopped."""

    EXECUTION = "execution"
    STRATEGIES = "strategies"
    MODELS = "models"
    RISK = "risk"
    FEEDS = "feeds"
    JOURNAL = "journal"
    REPORTING = "reporting"
    OUTPUTS = "outputs"


@enum.unique
class State(enum.StrEnum):
    """Name where a layer stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    LATE = "done late"


@enum.unique
class Word(enum.StrEnum):
    """Name what is heard of a layer."""

    START = "start"
    DONE = "done"
    FAILED = "failed"
    OVERDUE = "timed out"


class Rule(NamedTuple):
    """Say when a layer's turn is and how long it may take."""

    priority: int
    layer: Layer
    deadline_ns: int


class Ended(NamedTuple):
    """Tell how a layer ended and how long after its start."""

    layer: Layer
    state: State
    took_ns: int
    reason: str


class Turn(NamedTuple):
    """Tell what ended, which layer is to be stopped now, and whether this was the last one."""

    ended: Ended | None = None
    starts: Layer | None = None
    completes: bool = False


RULES: Final = tuple(
    Rule(priority, layer, deadline_ms * NANOSECONDS_PER_MILLISECOND)
    for priority, layer, deadline_ms in (
        (1, Layer.EXECUTION, 1_000),
        (2, Layer.STRATEGIES, 200),
        (3, Layer.MODELS, 200),
        (4, Layer.RISK, 400),
        (5, Layer.FEEDS, 500),
        (6, Layer.JOURNAL, 1_500),
        (7, Layer.REPORTING, 500),
        (8, Layer.OUTPUTS, 200),
    )
)

TRANSITIONS: Final[Mapping[tuple[State, Word], State]] = MappingProxyType(
    {
        (State.WAITING, Word.START): State.RUNNING,
        (State.RUNNING, Word.DONE): State.DONE,
        (State.RUNNING, Word.FAILED): State.FAILED,
        (State.RUNNING, Word.OVERDUE): State.TIMED_OUT,
        (State.TIMED_OUT, Word.DONE): State.LATE,
        (State.TIMED_OUT, Word.FAILED): State.FAILED,
        (State.FAILED, Word.DONE): State.LATE,
    }
)
STOPPED: Final = frozenset({State.DONE, State.LATE})


class Cascade:
    """Follow one stop from its first layer to its last."""

    __slots__ = ("_current", "_look_ns", "_rules", "_started_ns", "_states", "ended_ns", "number")

    def __init__(self, rules: tuple[Rule, ...] = RULES, look_ns: int = LOOK_NS) -> None:
        """Wait for a stop; `tick` is to come at least every `look_ns`."""
        require(all(rule.deadline_ns > look_ns for rule in rules), "a deadline is shorter than the time between looks")
        self._rules = tuple(sorted(rules))
        self._look_ns = look_ns
        self._current: int | None = None
        self._states = {rule.layer: State.WAITING for rule in rules}
        self._started_ns: dict[Layer, int] = {}
        self.ended_ns = 0
        self.number = 0

    @property
    def running(self) -> Layer | None:
        """Return the layer whose turn it is, or nothing before and after."""
        return None if self._current is None else self._rules[self._current].layer

    @property
    def began_ns(self) -> int:
        """Return when the first layer was started."""
        return self._started_ns.get(self._rules[0].layer, 0)

    @property
    def complete(self) -> bool:
        """Tell whether every layer has had its turn."""
        return self._current is None and self.number > 0

    def state(self, layer: Layer) -> State:
        """Return where a layer stands."""
        return self._states[layer]

    def deadline_ns(self, layer: Layer) -> int:
        """Return how long a layer may take."""
        return next(rule.deadline_ns for rule in self._rules if rule.layer is layer)

    def start(self, now_ns: int) -> Turn:
        """Begin with the first layer; a second stop while one is under way starts nothing again."""
        if self._current is not None:
            return Turn()
        self.number += 1
        self._states = dict.fromkeys(self._states, State.WAITING)
        self._started_ns.clear()
        return Turn(starts=self._start(0, now_ns))

    def report(self, now_ns: int, layer: Layer, word: Word, reason: str) -> Turn:
        """Take what a layer says of itself."""
        state = TRANSITIONS.get((self._states[layer], word))
        if state is None:
            return Turn()
        self._states[layer] = state
        ended = Ended(layer, state, now_ns - self._started_ns[layer], reason)
        if layer is not self.running:
            return Turn(ended)
        starts = self._next(now_ns)
        return Turn(ended, starts, completes=starts is None)

    def tick(self, now_ns: int) -> Turn:
        """Give up a layer that has no more time."""
        layer = self.running
        if layer is None or now_ns + self._look_ns <= self._started_ns[layer] + self.deadline_ns(layer):
            return Turn()
        return self.report(now_ns, layer, Word.OVERDUE, "no answer within its deadline")

    def _next(self, now_ns: int) -> Layer | None:
        following = [index for index, _ in enumerate(self._rules) if self._current is None or index > self._current]
        if following:
            return self._start(following[0], now_ns)
        self._current = None
        self.ended_ns = now_ns
        return None

    def _start(self, index: int, now_ns: int) -> Layer:
        layer = self._rules[index].layer
        self._current = index
        self._states[layer] = TRANSITIONS[self._states[layer], Word.START]
        self._started_ns[layer] = now_ns
        return layer
