"""How a set of models serves: a canary first, then in full, or withdrawn when it answers badly.

A new set begins as a canary: its own entries are held to a small share of the capital. After enough answers without a
breach it serves in full; a breach withdraws it for good, until another set is installed. The stages are rows of the
journal, so a restart goes on where it was, and nothing here reads a clock: latency arrives as answers that are late.
"""

from collections import deque
from typing import Final, NamedTuple

CANARY, FULL, WITHDRAWN = "canary", "full", "withdrawn"
ANSWERS_TO_PROVE: Final = 200
WATCHED: Final = 50
ANSWERS_TO_JUDGE: Final = 10
LATE_SHARE_MAX: Final = 0.2
VETOED_SHARE_MAX: Final = 0.5
# A forecast of one half is never further from the outcome than this.
BRIER_MAX: Final = 0.30
OUTCOMES_TO_JUDGE: Final = 30
# Of what the models advised, a share of the stake each, net of costs; whether or not anybody followed.
DRAWDOWN_MAX: Final = 0.10


class Stage(NamedTuple):
    """Hold a move from one stage to another."""

    stage: str
    reason: str


class Service:
    """Watch the answers of one set of models."""

    __slots__ = ("_earned", "_good_count", "_outcomes", "_peak", "_states", "stage")

    def __init__(self, stage: str = CANARY) -> None:
        """Go on at a stage."""
        self.stage = stage
        self._good_count = 0
        self._earned = self._peak = 0.0
        self._states: deque[str] = deque(maxlen=WATCHED)
        self._outcomes: deque[float] = deque(maxlen=WATCHED)

    def answered(self, state: str) -> Stage | None:
        """Take one answer's state and return the move it brings about."""
        self._states.append(state)
        self._good_count += state == "good"
        return self._judge()

    def came_true(self, chance: float, net: float, *, advised: bool) -> Stage | None:
        """Take what became of a forecast, net of costs, and return the move it brings about."""
        self._outcomes.append((chance - float(net > 0.0)) ** 2)
        if advised:
            self._earned += net
            self._peak = max(self._peak, self._earned)
        return self._judge()

    def _judge(self) -> Stage | None:
        if self.stage == WITHDRAWN:
            return None
        breach = self._breach()
        if breach:
            return self._move(WITHDRAWN, breach)
        if self.stage == CANARY and self._good_count >= ANSWERS_TO_PROVE:
            return self._move(FULL, f"{self._good_count} good answers without a breach")
        return None

    def _breach(self) -> str:
        count = len(self._states)
        if count >= ANSWERS_TO_JUDGE:
            for state, share_max in (("late", LATE_SHARE_MAX), ("vetoed", VETOED_SHARE_MAX)):
                wrong = sum(one == state for one in self._states)
                if wrong > share_max * count:
                    return f"{wrong} of the last {count} answers were {state}"
        if self._peak - self._earned > DRAWDOWN_MAX:
            return f"what they advised fell {self._peak - self._earned:.1%} from its peak"
        if len(self._outcomes) >= OUTCOMES_TO_JUDGE:
            score = sum(self._outcomes) / len(self._outcomes)
            if score > BRIER_MAX:
                return f"the Brier score of the last {len(self._outcomes)} forecasts is {score:.3f}"
        return ""

    def _move(self, stage: str, reason: str) -> Stage:
        self.stage = stage
        return Stage(stage, reason)
