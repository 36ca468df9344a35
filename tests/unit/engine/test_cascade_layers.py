"""The stop carried out by a trader of real parts: what each layer does, and that none can hold up the next."""

from collections.abc import Callable

import pytest

from appliance.core import commands, events
from appliance.core.errors import InvariantBroken
from appliance.engine.telemetry import heartbeat_of
from appliance.safety.modes import Mode
from appliance.strategies.contract import Stance
from appliance.trading import records
from tests.unit.engine.builders import SECOND_NS, Rig
from tests.unit.engine.stops import (
    DEADLINE_NS,
    IN_SHELL,
    IN_STEP,
    ORDER,
    SUM_NS,
    break_invariant,
    endings,
    outcomes,
    spoil,
    stop,
    throw,
)


def test_a_good_stop_ends_every_layer_in_order_and_halts() -> None:
    """Shows eight endings in order, then the whole with its time, then HALTED; fails when a layer is left out, or
    HALTED comes before the last one.
    """
    rig = stop(Rig().running())
    rig.pass_time(SECOND_NS)
    assert [ending.layer for ending in endings(rig)] == [*ORDER, "all"]
    assert {ending.outcome for ending in endings(rig)[:-1]} == {"done"}
    whole = endings(rig)[-1]
    assert (whole.outcome, whole.reason) == ("complete", "every layer stopped")
    assert 0 <= whole.took_ns <= SUM_NS
    facts = [records.decode(row) for row in rig.rows]
    halted = next(at for at, fact in enumerate(facts) if isinstance(fact, records.Mode) and fact.new == "HALTED")
    assert halted > facts.index(whole)


@pytest.mark.parametrize("how", ["hangs", "throws at once", "throws when asked"])
@pytest.mark.parametrize("layer", ORDER)
def test_no_layer_holds_up_the_next(layer: str, how: str) -> None:
    """Shows, for every layer, that silence or failure is written down, all others are done in order, and the whole
    ends within the sum of the deadlines; fails when one drags the rest with it, or its ending is not recorded.
    """
    rig = Rig().running()
    if layer in IN_SHELL:
        rig.shell[layer] = "" if how == "hangs" else "failed"
    elif how == "throws at once":
        spoil(rig, layer, lambda: None, throw)
    else:
        spoil(rig, layer, (lambda: None) if how == "hangs" else throw)
    stop(rig)
    since_ns = rig.now_ns
    rig.pass_time(DEADLINE_NS[layer])
    assert [ending.layer for ending in endings(rig) if ending.layer != "all"][: len(ORDER)] == ORDER
    bad = outcomes(rig).pop(layer)
    assert bad == ("timed out" if how == "hangs" else "failed")
    assert [name for name, outcome in outcomes(rig).items() if outcome not in {"done", "complete"}] == [layer]
    whole = next(ending for ending in endings(rig) if ending.layer == "all")
    assert layer in whole.reason
    assert whole.took_ns <= min(SUM_NS, rig.now_ns - since_ns)


@pytest.mark.parametrize("layer", IN_STEP)
def test_a_broken_invariant_still_ends_the_process(layer: str) -> None:
    """Shows that the guard around a layer lets that one through; fails when a cascade carries on past it."""
    rig = Rig().running()
    spoil(rig, layer, break_invariant)
    with pytest.raises(InvariantBroken):
        stop(rig)


def test_every_layer_silent_at_once_still_ends_in_time() -> None:
    """Shows the worst case: nothing answers, all eight time out within the sum; fails when deadlines add up to more."""
    rig = Rig().running()
    for layer in IN_STEP:
        spoil(rig, layer, lambda: None)
    rig.shell = dict.fromkeys(IN_SHELL, "")
    stop(rig).pass_time(SUM_NS)
    assert [(ending.layer, ending.outcome) for ending in endings(rig)[:-1]] == [(name, "timed out") for name in ORDER]
    assert endings(rig)[-1].outcome == "complete"
    assert endings(rig)[-1].took_ns <= SUM_NS
    assert rig.mode is Mode.EMERGENCY


def test_halted_needs_execution_verified_however_late() -> None:
    """Shows that the other layers do not wait for a silent venue, that EMERGENCY stays, and that the venue's word, when
    it comes, is recorded as late and halts; fails when HALTED is claimed without it, or never reached.
    """
    rig = Rig().running().bar(Stance.ENTER)
    rig.venue = False
    stop(rig).pass_time(20 * SECOND_NS)
    assert outcomes(rig)["execution"] == "timed out"
    assert (outcomes(rig)["outputs"], outcomes(rig)["all"], rig.mode) == ("done", "complete", Mode.EMERGENCY)
    assert not rig.trader.conduct.stop_verified
    rig.venue = True
    rig.pass_time(SECOND_NS)
    late = endings(rig)[-1]
    assert (late.layer, late.outcome, rig.mode) == ("execution", "done late", Mode.HALTED)
    assert late.took_ns > 10 * SECOND_NS
    assert rig.trader.conduct.stop_verified


def test_the_guardian_is_told_last() -> None:
    """Shows that the heartbeat claims nothing before the layer of the outputs has had its turn, and keeps to it in
    HALTED; fails when the relay could drop before the journal is safe.
    """
    rig = Rig().running()
    rig.shell["journal"] = ""
    stop(rig).pass_time(SECOND_NS)
    assert outcomes(rig)["execution"] == "done"

    def told() -> bool:
        return heartbeat_of(rig.trader, rig.now_ns, 2, 0, 0, ending=False).verified_flat

    assert not told()
    rig.pass_time(SECOND_NS)
    assert (rig.mode, told()) == (Mode.HALTED, True)
    rig.permit(start=1).pass_time(SECOND_NS)
    assert (rig.mode, told()) == (Mode.NORMAL, False)


def test_the_layers_of_the_shell_are_asked_for_with_their_deadlines() -> None:
    """Shows one command a layer, in order, with number and deadline; fails when one is asked for twice or too early."""
    rig = Rig().running()
    stop(rig).pass_time(SECOND_NS)
    assert rig.take(commands.StopLayer) == [
        commands.StopLayer(1, name, DEADLINE_NS[name] // 1_000_000) for name in IN_SHELL
    ]


def test_word_of_another_stop_or_of_a_layer_in_the_step_is_not_believed() -> None:
    """Shows that an answer to a former stop, and one for a layer that the shell does not hold, change nothing; fails
    when execution could be verified from outside.
    """
    rig = Rig().running()
    rig.venue = False
    rig.shell = dict.fromkeys(IN_SHELL, "")
    stop(rig)
    rig.tell(events.LayerStopped(1, "execution", "done", "forged"), events.LayerStopped(1, "nothing", "done", ""))
    assert endings(rig) == []
    rig.pass_time(SECOND_NS)
    assert outcomes(rig)["execution"] == "timed out"
    count = len(endings(rig))
    rig.tell(events.LayerStopped(0, "feeds", "done", "of a former stop"))
    assert len(endings(rig)) == count
    rig.tell(events.LayerStopped(1, "feeds", "no such outcome", "unknown"))
    assert outcomes(rig)["feeds"] == "failed"


def test_a_second_press_is_recorded_and_restarts_nothing() -> None:
    """Shows a lapse followed by a press, during the cascade and after it: both are written down, nothing is stopped
    twice; fails when a second stop cancels the first one's progress.
    """
    rig = Rig().running()
    rig.shell["journal"] = ""
    rig.permit(permitted=False).pass_time(SECOND_NS // 2)
    assert outcomes(rig)["feeds"] == "done"
    stop(rig, 1).pass_time(4 * SECOND_NS)
    stop(rig, 2).pass_time(SECOND_NS)
    again = [ending for ending in endings(rig) if ending.outcome == "pressed again"]
    assert [ending.reason for ending in again] == [
        "being stopped: journal",
        "being stopped: nothing, every layer had its turn",
    ]
    assert [ending.layer for ending in endings(rig) if ending.layer != "all"] == ORDER
    assert len(rig.take(commands.StopLayer)) == len(IN_SHELL)
    assert rig.modes()[-1] == "HALTED"


def at_boot(rig: Rig) -> Rig:
    """Stay in BOOT, connected."""
    return rig.connect()


def reconciling(rig: Rig) -> Rig:
    """Stay in RECONCILING, because the venue does not answer."""
    rig.venue = False
    rig.permit().connect()
    return rig


def paused(rig: Rig) -> Rig:
    """Be paused, because market data is away."""
    return rig.running().tell(events.FeedChanged(connected=False, reason=""))


@pytest.mark.parametrize(
    ("before", "mode"), [(at_boot, Mode.BOOT), (reconciling, Mode.RECONCILING), (paused, Mode.PAUSED)]
)
def test_a_stop_in_any_mode_runs_the_whole_cascade(before: Callable[[Rig], Rig], mode: Mode) -> None:
    """Shows that all layers are stopped from wherever the stop finds the trader; fails when one mode skips them."""
    rig = before(Rig())
    assert rig.mode is mode
    rig.venue = True
    stop(rig)
    rig.pass_time(5 * SECOND_NS)
    assert [ending.layer for ending in endings(rig) if ending.outcome in {"done", "complete"}] == [*ORDER, "all"]
    assert rig.mode is Mode.HALTED


def test_a_start_brings_feeds_and_strategies_back_and_the_next_stop_is_a_new_one() -> None:
    """Shows that RECONCILING asks for market data once, a strategy trades again, and the next stop runs all layers
    under the next number; fails when anything stays stopped.
    """
    rig = Rig().running()
    stop(rig).pass_time(SECOND_NS)
    assert not rig.trader.watch.feed_connected
    rig.take(commands.StartLayer)
    rig.permit(start=1).pass_time(2 * SECOND_NS)
    assert rig.take(commands.StartLayer) == [commands.StartLayer("feeds")]
    assert rig.mode is Mode.NORMAL
    rig.bar(Stance.ENTER)
    assert len(rig.orders()) == 1
    rig.tell(events.DeadManFired(0)).pass_time(SECOND_NS)
    assert rig.take(commands.StartLayer) == []
    stop(rig, 2).pass_time(3 * SECOND_NS)
    second = [ending.layer for ending in endings(rig) if ending.number == 2]
    assert second == [*ORDER, "all"]
    assert rig.modes()[-1] == "HALTED"


def test_the_end_of_the_process_waits_for_the_cascade_but_not_for_long() -> None:
    """Shows that being told to end during a stop lets the layers have their turn, within the usual patience; fails when
    the journal's layer is cut off, or a silent layer keeps the process alive.
    """
    rig = Rig().running()
    rig.shell["journal"] = ""
    stop(rig).tell(events.ShutdownRequested("bye"))
    rig.pass_time(SECOND_NS // 2)
    assert rig.take(commands.EndProcess) == []
    rig.tell(events.LayerStopped(1, "journal", "done", ""))
    rig.pass_time(SECOND_NS // 10)
    assert len(rig.take(commands.EndProcess)) == 1
    late = Rig().running()
    late.shell = dict.fromkeys(IN_SHELL, "")
    stop(late).tell(events.ShutdownRequested("bye"))
    late.pass_time(2 * SECOND_NS)
    assert len(late.take(commands.EndProcess)) == 1
