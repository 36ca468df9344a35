"""Whatever the layers do, the stop ends in time, in order, with one ending for each."""

import itertools
from typing import NamedTuple

from hypothesis import event, given, settings
from hypothesis import strategies as st

from appliance.safety.cascade import LOOK_NS, RULES, Cascade, Ended, Layer, State, Turn, Word

MS = 1_000_000
SUM_NS = sum(rule.deadline_ns for rule in RULES)
ORDER = list(Layer)


class Behaviour(NamedTuple):
    """Say after how long a layer says what, or that it never does."""

    after_ns: int | None
    word: Word


BEHAVIOURS = st.lists(
    st.builds(
        Behaviour,
        st.one_of(st.none(), st.just(0), st.integers(0, 2_000 * MS)),
        st.sampled_from([Word.DONE, Word.FAILED, Word.OVERDUE]),
    ),
    min_size=len(ORDER),
    max_size=len(ORDER),
)
LOOKS = st.lists(st.integers(1 * MS, LOOK_NS), min_size=1, max_size=12)
EXTRAS = st.lists(st.tuples(st.sampled_from(ORDER), st.sampled_from(list(Word)[1:])), max_size=6)


class Drive:
    """Run a cascade whose layers behave as planned, and keep what came of it."""

    def __init__(self, behaviours: list[Behaviour]) -> None:
        self.cascade = Cascade()
        self.now_ns = 0
        self.begun: list[Layer] = []
        self.ended: list[Ended] = []
        self._plan = dict(zip(ORDER, behaviours, strict=True))
        self._due_ns: dict[Layer, int] = {}

    def take(self, turn: Turn) -> None:
        """Keep what ended and let what started behave."""
        if turn.ended is not None:
            self.ended.append(turn.ended)
        if turn.starts is not None:
            self.begun.append(turn.starts)
            after_ns = self._plan[turn.starts].after_ns
            if after_ns is not None:
                self._due_ns[turn.starts] = self.now_ns + after_ns

    def say_what_is_due(self) -> None:
        """Let every layer speak whose time has come."""
        due = [layer for layer, at_ns in self._due_ns.items() if at_ns <= self.now_ns]
        for layer in due:
            del self._due_ns[layer]
            self.take(self.cascade.report(self.now_ns, layer, self._plan[layer].word, ""))


@settings(max_examples=400)
@given(BEHAVIOURS, LOOKS, EXTRAS, st.integers(0, SUM_NS))
def test_it_ends_within_the_sum_of_the_deadlines(
    behaviours: list[Behaviour], looks: list[int], extras: list[tuple[Layer, Word]], again_ns: int
) -> None:
    """Any mix of silence, failure, haste and repetition ends within the sum, every layer started once and in order.

    It fails if a layer could hold up the next for longer than its own deadline, if one was left out, or if a second
    stop began one anew.
    """
    drive = Drive(behaviours)
    cascade = drive.cascade
    drive.take(cascade.start(0))
    for look_ns in itertools.cycle(looks):
        drive.now_ns += look_ns
        if drive.now_ns >= again_ns:
            drive.take(cascade.start(drive.now_ns))
        drive.say_what_is_due()
        for told, word in extras[:1]:
            drive.take(cascade.report(drive.now_ns, told, word, ""))
        extras = extras[1:]
        drive.take(cascade.tick(drive.now_ns))
        if cascade.running is None or drive.now_ns > SUM_NS:
            break
    assert cascade.complete
    assert drive.now_ns <= SUM_NS
    assert drive.begun == ORDER
    first = {one.layer: one for one in reversed(drive.ended)}
    assert all(first[rule.layer].took_ns <= rule.deadline_ns for rule in RULES)
    event(f"{sum(one.state is State.TIMED_OUT for one in drive.ended)} silent")
