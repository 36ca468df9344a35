"""The machine of the stop: its table, its order, its deadlines, and what comes twice or too late."""

import itertools

import pytest

from appliance.core.errors import InvariantBroken
from appliance.safety.cascade import LOOK_NS, RULES, TRANSITIONS, Cascade, Ended, Layer, Rule, State, Turn, Word

MS = 1_000_000
ORDER = list(Layer)
LAST = ORDER[-1]


def led_to(state: State) -> tuple[Cascade, Layer]:
    """Return a cascade whose second layer stands there."""
    cascade, layer = Cascade(), Layer.STRATEGIES
    cascade.start(0)
    if state is State.WAITING:
        return cascade, layer
    cascade.report(0, Layer.EXECUTION, Word.DONE, "")
    words = {
        State.RUNNING: (),
        State.DONE: (Word.DONE,),
        State.FAILED: (Word.FAILED,),
        State.TIMED_OUT: (Word.OVERDUE,),
        State.LATE: (Word.OVERDUE, Word.DONE),
    }
    for word in words[state]:
        cascade.report(0, layer, word, "")
    assert cascade.state(layer) is state
    return cascade, layer


def test_the_order_is_the_declared_one() -> None:
    """Shows the eight layers in the order of their danger, execution first; fails when one is missing or moved."""
    assert [rule.layer for rule in sorted(RULES)] == [
        "execution",
        "strategies",
        "models",
        "risk",
        "feeds",
        "journal",
        "reporting",
        "outputs",
    ]
    assert [rule.priority for rule in RULES] == list(range(1, 9))
    assert all(rule.deadline_ns > LOOK_NS for rule in RULES)


@pytest.mark.parametrize(("state", "word"), [pair for pair in itertools.product(State, Word) if pair[1] != Word.START])
def test_every_state_takes_every_word_as_the_table_says(state: State, word: Word) -> None:
    """Shows the state after each word in each state, and that a pair outside the table changes nothing and records
    nothing; fails when a repetition is recorded or a late word moves another layer.
    """
    cascade, layer = led_to(state)
    running = cascade.running
    turn = cascade.report(7, layer, word, "why")
    expected = TRANSITIONS.get((state, word))
    assert cascade.state(layer) is (expected or state)
    assert turn.ended == (Ended(layer, expected, 7, "why") if expected else None)
    if state is State.RUNNING:
        assert (turn.starts, cascade.running) == (Layer.MODELS, Layer.MODELS)
    else:
        assert (turn.starts, cascade.running) == (None, running)


@pytest.mark.parametrize("word", [Word.DONE, Word.FAILED, Word.OVERDUE])
@pytest.mark.parametrize("bad", Layer)
def test_the_next_layer_starts_however_one_ends(bad: Layer, word: Word) -> None:
    """Shows that each layer in turn may end in any way and all others still run, in order, each recorded once; fails
    when a failure or a silence ends the cascade.
    """
    cascade = Cascade()
    turn, begun, ended = cascade.start(0), [Layer.EXECUTION], list[Ended]()
    while not turn.completes:
        layer = begun[-1]
        turn = cascade.report(5, layer, word if layer is bad else Word.DONE, "")
        assert turn.ended is not None
        ended.append(turn.ended)
        begun += [turn.starts] if turn.starts else []
    assert (begun, [one.layer for one in ended]) == (ORDER, ORDER)
    assert [one.layer for one in ended if one.state is not State.DONE] == ([] if word is Word.DONE else [bad])
    assert (cascade.complete, cascade.running, cascade.ended_ns) == (True, None, 5)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.layer)
def test_a_silent_layer_is_given_up_at_the_last_look_before_its_deadline(rule: Rule) -> None:
    """Shows both sides of the moment; fails when a layer is cut short, or kept for longer than its deadline."""
    cascade, start_ns = Cascade(), 40 * MS
    cascade.start(start_ns)
    for layer in ORDER[: rule.priority - 1]:
        cascade.report(start_ns, layer, Word.DONE, "")
    last_ns = start_ns + rule.deadline_ns - LOOK_NS
    assert cascade.tick(last_ns) == Turn()
    turn = cascade.tick(last_ns + 1)
    assert turn.ended is not None
    assert (turn.ended.layer, turn.ended.state) == (rule.layer, State.TIMED_OUT)
    assert turn.ended.took_ns <= rule.deadline_ns


def test_a_late_word_is_an_ending_of_its_own_and_moves_nothing() -> None:
    """Shows that execution which verifies after its deadline, even after the end, is recorded once as late; fails when
    it is lost, or starts a layer a second time.
    """
    cascade = Cascade()
    cascade.start(0)
    cascade.tick(10_000 * MS)
    for layer in ORDER[1:]:
        cascade.report(10_000 * MS, layer, Word.DONE, "")
    assert cascade.complete
    late = cascade.report(11_000 * MS, Layer.EXECUTION, Word.DONE, "clear")
    assert late == Turn(Ended(Layer.EXECUTION, State.LATE, 11_000 * MS, "clear"))
    assert cascade.report(12_000 * MS, Layer.EXECUTION, Word.DONE, "clear") == Turn()


def test_a_second_start_restarts_nothing() -> None:
    """Shows that finished layers stay finished when a stop comes during a stop; fails when anything begins anew."""
    cascade = Cascade()
    cascade.start(0)
    cascade.report(1, Layer.EXECUTION, Word.DONE, "")
    assert cascade.start(2) == Turn()
    assert cascade.number == 1
    assert (cascade.state(Layer.EXECUTION), cascade.running) == (State.DONE, Layer.STRATEGIES)


def test_a_new_stop_after_the_last_one_begins_with_everything() -> None:
    """Shows that a complete cascade can be run again under the next number; fails when an old ending is kept."""
    cascade = Cascade()
    for number in (1, 2):
        assert not cascade.complete or number == 2
        assert cascade.start(number * MS).starts is Layer.EXECUTION
        assert {cascade.state(layer) for layer in ORDER[1:]} == {State.WAITING}
        assert (cascade.number, cascade.began_ns, cascade.complete) == (number, number * MS, False)
        for layer in ORDER:
            cascade.report(number * MS, layer, Word.DONE, "")


def test_a_layer_that_is_not_running_cannot_end() -> None:
    """Shows that word of a layer whose turn has not come is ignored; fails when it is skipped later because of it."""
    cascade = Cascade()
    cascade.start(0)
    assert cascade.report(0, LAST, Word.DONE, "") == Turn()
    assert cascade.state(LAST) is State.WAITING


def test_a_deadline_shorter_than_a_look_is_refused() -> None:
    """Shows both sides of the smallest deadline; fails when a layer could be given up before it was ever looked at."""
    Cascade((Rule(1, Layer.RISK, LOOK_NS + 1),))
    with pytest.raises(InvariantBroken, match="deadline"):
        Cascade((Rule(1, Layer.RISK, LOOK_NS),))
