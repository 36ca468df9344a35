"""One instrument's base bars without a hole, from what the venue remembers and what is seen live.

    state    event                                   next     what happens
    WAITING  history that does not reach yet         WAITING  it is folded, and asked for again
    WAITING  history up to the first whole live bar  JOINED   it is folded, then the live bars that waited
    WAITING  the venue remembers nothing at all      JOINED   there is nothing to join the live bars with
    WAITING  none, too often                         ALONE    the live bars that waited are folded: cold, as without it
    JOINED   connected anew                          WAITING  somebody must say what was missed
    ALONE    history, while still cold               WAITING  everything begins anew, with it

The bar that is open when a connection comes up began before anybody listened: the live one is thrown away, and the
venue's own is waited for. Whole live bars wait behind it, so that bars are only ever folded in their order, each once.
Nothing that was folded late may open anything: only a step that closed before our eyes is acted upon.
"""

import enum
from collections import deque
from typing import Final, NamedTuple

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.commands import AskHistory
from appliance.core.events import HistoryTold
from appliance.signals.feature_table import WARM_UP_BARS
from appliance.signals.models.base_bars import BaseBar
from appliance.signals.models.inputs import HOURS, STEP_BARS, ModelInputs, Step
from appliance.trading.scribe import Scribe

# All frames filled at the first of the hours that a step holds, and one step more for where the hours begin. Kraken
# remembers 720 bars; where a venue remembers fewer, models are warm with the last half of these hours.
HISTORY_BARS: Final = WARM_UP_BARS + (HOURS + 1) * STEP_BARS
TOLD_BARS_MAX: Final = 1_024
WAITING_BARS_MAX: Final = 256
ASKS_MAX: Final = 10
PAUSE_NS: Final = 2 * NANOSECONDS_PER_SECOND
LONG_PAUSE_NS: Final = 300 * NANOSECONDS_PER_SECOND
PATIENCE_NS: Final = 60 * NANOSECONDS_PER_SECOND
NO_BOOK: Final = (0.0, 0.0, 0.0, 0.0)
Book = tuple[float, float, float, float]


class Joint(enum.Enum):
    """Say how history and live bars stand to each other."""

    WAITING = "waiting"
    JOINED = "joined"
    ALONE = "alone"


class Folded(NamedTuple):
    """Hold a bar that was folded, and the step it completed."""

    bar: BaseBar
    step: Step | None


class ModelBars:
    """Fold one instrument's base bars for the models."""

    __slots__ = (
        "_acts_from_s",
        "_asked_ns",
        "_asks",
        "_base_s",
        "_inputs",
        "_instrument",
        "_last_s",
        "_needed_s",
        "_open_ask",
        "_scribe",
        "_waiting",
        "_warm",
        "joint",
        "problem",
    )

    def __init__(self, scribe: Scribe, instrument: str, base_s: int) -> None:
        """Begin cold; until a connection comes up, bars are taken as they come."""
        self._scribe = scribe
        self._instrument = instrument
        self._base_s = base_s
        self._inputs = ModelInputs(base_s)
        self._waiting: deque[BaseBar] = deque(maxlen=WAITING_BARS_MAX)
        self._last_s = -1
        self._needed_s = -1
        self._asks = 0
        self._asked_ns = 0
        self._open_ask = False
        self._warm = False
        self._acts_from_s = 0
        self.joint = Joint.JOINED
        self.problem = ""

    @property
    def told(self) -> str:
        """Return in a few words whether the models have what they need, and if not, why."""
        if self._warm and self.joint is not Joint.WAITING:
            return "warm"
        if self.joint is Joint.WAITING:
            return f"waiting, asking again: {self.problem}" if self.problem else "waiting for the venue's bars"
        return f"cold: {self.problem}" if self.problem else "cold"

    @property
    def good(self) -> bool:
        """Tell whether the features are warm or about to be."""
        return not self.problem or (self._warm and self.joint is not Joint.WAITING)

    def acts(self, start_s: int) -> bool:
        """Tell whether a step closed before our eyes, so that its answer may open something."""
        return self.joint is not Joint.WAITING and start_s >= self._acts_from_s

    def connected(self) -> None:
        """Wait for what the venue remembers: at once where nothing is known, else for the bar that is open now."""
        self.problem = ""
        self._begin()
        if self._last_s < 0:
            self._ask()

    def on_time(self) -> None:
        """Ask again when it is due."""
        since_ns = self._scribe.now_ns - self._asked_ns
        if self._open_ask:
            if since_ns >= PATIENCE_NS:
                self.fail("no answer")
            return
        if self.joint is Joint.WAITING:
            # Before the open bar has closed, more history would not help those who have some.
            due = since_ns >= PAUSE_NS and (self._needed_s >= 0 or self._last_s < 0)
        else:
            due = self.joint is Joint.ALONE and not self._warm and since_ns >= LONG_PAUSE_NS
        if due:
            self._ask()

    def live(self, bar: BaseBar, book: Book) -> list[Folded]:
        """Take a base bar that closed now and return what is folded."""
        if self.joint is not Joint.WAITING:
            return self._fold([bar], book)
        if self._needed_s < 0:
            self._needed_s = bar.start_s + self._base_s
        else:
            self._waiting.append(bar)
            # Where the oldest had no more room, history has to reach further.
            self._needed_s = max(self._needed_s, self._waiting[0].start_s)
        return []

    def remembered(self, event: HistoryTold) -> list[Folded]:
        """Take what the venue remembers and return what is folded."""
        self._open_ask = False
        problem = event.problem or unsound(event, self._base_s)
        if problem:
            return self.fail(problem)
        if self.joint is Joint.ALONE and not self._warm:
            self._restart()
        if self.joint is not Joint.WAITING:
            return []
        folded = self._fold([BaseBar(start, *map(float, rest)) for start, *rest in event.bars], NO_BOOK)
        nothing = self._last_s < 0 and not event.bars
        if nothing or 0 <= self._needed_s <= event.until_s:
            folded += self._join()
        elif self._needed_s >= 0 and self._asks >= ASKS_MAX:
            folded += self.fail("the venue's bars do not reach the live ones")
        return folded

    def fail(self, problem: str) -> list[Folded]:
        """Take that there is no history, and go on without it when that was so too often."""
        self._open_ask = False
        self.problem = problem
        if self.joint is not Joint.WAITING or self._asks < ASKS_MAX:
            return []
        if self._last_s >= 0:
            # What was folded ends before the live bars begin: over a hole nothing is averaged.
            self._inputs, self._warm = ModelInputs(self._base_s), False
        return self._leave(Joint.ALONE)

    def _begin(self) -> None:
        self.joint = Joint.WAITING
        self._waiting.clear()
        self._needed_s = -1
        self._asks = 0

    def _restart(self) -> None:
        self._inputs, self._warm, self._last_s = ModelInputs(self._base_s), False, -1
        self._begin()

    def _join(self) -> list[Folded]:
        folded = self._leave(Joint.JOINED)
        self.problem = "" if self._warm else "the venue remembers too few bars, or they have holes"
        return folded

    def _leave(self, joint: Joint) -> list[Folded]:
        self.joint = joint
        folded = self._fold(list(self._waiting), NO_BOOK)
        self._waiting.clear()
        self._acts_from_s = self._last_s + self._base_s if self._last_s >= 0 else 0
        return folded

    def _ask(self) -> None:
        self._asks += 1
        self._asked_ns, self._open_ask = self._scribe.now_ns, True
        self._scribe.ask(AskHistory(self._instrument, self._base_s, HISTORY_BARS))

    def _fold(self, bars: list[BaseBar], book: Book) -> list[Folded]:
        folded: list[Folded] = []
        for bar in bars:
            if bar.start_s <= self._last_s:
                continue
            self._last_s = bar.start_s
            step = self._inputs.add(bar.start_s, bar[1:], book)
            self._warm = step.warm if step is not None else self._warm
            folded.append(Folded(bar, step))
        return folded


def unsound(event: HistoryTold, base_s: int) -> str:
    """Return why a history cannot be believed, or nothing."""
    if event.bar_s != base_s or len(event.bars) > TOLD_BARS_MAX:
        return f"the venue told {len(event.bars)} bars of {event.bar_s} s"
    before_s = -1
    for start_s, opened, high, low, close, volume in event.bars:
        if start_s <= before_s or start_s % base_s or start_s + base_s > event.until_s:
            return "the venue's bars are not in their order"
        if not 0 < low <= min(opened, close) <= max(opened, close) <= high or volume <= 0:
            return "one of the venue's bars is none"
        before_s = start_s
    return ""
