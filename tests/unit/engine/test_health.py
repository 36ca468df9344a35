"""Health in the trader: what each consequence does to a step, and how the checks' words reach it."""

import asyncio
import threading

import pytest

from appliance.core import commands, events
from appliance.core.config import loads
from appliance.engine.health_looks import JournalWatch, Sources, looks, venue_clock_apart
from appliance.engine.health_task import HealthTask
from appliance.engine.measures import Spread
from appliance.engine.telemetry import telemetry_of
from appliance.safety.breakers.circuit import Cause
from appliance.safety.health.disk_wear import Wear
from appliance.safety.health.journal import Journaling
from appliance.safety.health.verdict import Absent, Check, Condition, Consequence, Verdict, good, issue
from appliance.safety.modes import Mode
from appliance.store.chain import Head
from appliance.store.journal import JournalStatus
from appliance.store.writer import WriterState
from appliance.strategies.contract import Stance
from tests.unit.engine.builders import MARKET, SECOND_NS, Rig

LIMITS = loads("").health


def told(consequence: Consequence) -> events.HealthChanged:
    """Return the word that one thing is wrong."""
    return events.HealthChanged((events.HealthIssue(Check.DISK_SPACE, consequence, "little"),))


@pytest.mark.parametrize(
    ("consequence", "mode"),
    [
        (Consequence.NONE, Mode.NORMAL),
        (Consequence.ALARM, Mode.NORMAL),
        (Consequence.NO_OPEN, Mode.PAUSED),
        (Consequence.HALT, Mode.FAULT),
    ],
)
def test_each_consequence_in_the_step(consequence: Consequence, mode: Mode) -> None:
    """Shows the mode that each leads to, and that entries leave in none but the good ones; fails when a consequence is
    only written down.
    """
    rig = Rig().running().tell(told(consequence))
    assert rig.mode is mode
    rig.take(commands.SendOrder)
    rig.bar(Stance.ENTER)
    assert len(rig.take(commands.SendOrder)) == (mode is Mode.NORMAL)


def test_no_open_lets_positions_go_and_ends_with_its_issue() -> None:
    """Shows that a reduction leaves during an issue and that trading goes on after it; fails when a sick machine traps
    a position or never recovers.
    """
    rig = Rig().holding().pass_time(11 * SECOND_NS).tell(told(Consequence.NO_OPEN))
    assert rig.trader.conduct.mode_reason == "disk space: little"
    rig.take(commands.SendOrder)
    rig.bar(Stance.LEAVE)
    sent = rig.take(commands.SendOrder)
    assert [command.reduce_only for command in sent if isinstance(command, commands.SendOrder)] == [True]
    assert rig.tell(events.HealthChanged(())).mode is Mode.NORMAL


def test_a_halt_stays_although_its_issue_goes() -> None:
    """Shows that what demanded a halt needs a person; fails when a remounted disk starts trading by itself."""
    rig = Rig().running().tell(told(Consequence.HALT)).tell(events.HealthChanged(())).pass_time(SECOND_NS)
    assert (rig.mode, rig.trader.conduct.mode_reason) == (Mode.FAULT, "disk space: little")


def test_a_halt_before_the_start_never_trades() -> None:
    """Shows that the first look comes before trading: a fault known at boot leads from BOOT to FAULT; fails when the
    trader starts first and looks then.
    """
    rig = Rig().tell(told(Consequence.HALT)).permit().connect().pass_time(SECOND_NS)
    assert rig.modes() == ["FAULT"]


class Machine:
    """A machine whose one check says what the test wants."""

    def __init__(self) -> None:
        self.verdict = good(Check.MEMORY, "plenty")
        self.seen: list[Verdict | None] = []
        self.posted: list[events.AnyEvent] = []
        self.task = HealthTask([self.look], self.posted.append, interval_s=0.01, patience_s=0.05)

    def look(self, before: Verdict | None) -> Verdict:
        """Say it."""
        self.seen.append(before)
        return self.verdict


def test_only_a_change_of_the_set_is_posted() -> None:
    """Shows that the first look is always told, a mere change of figures never, a new consequence always, and that each
    check is given its own last verdict; fails when the trader is told at every look or not at all.
    """
    machine, posted = Machine(), list[int]()
    for verdict in (
        good(Check.MEMORY, "plenty"),
        good(Check.MEMORY, "less"),
        issue(Check.MEMORY, Consequence.ALARM, "little"),
        issue(Check.MEMORY, Consequence.ALARM, "less"),
        issue(Check.MEMORY, Consequence.NO_OPEN, "nothing"),
        good(Check.MEMORY, "plenty"),
    ):
        machine.verdict = verdict
        machine.task.look()
        posted.append(len(machine.posted))
        assert machine.task.verdicts == (verdict,)
    assert posted == [1, 1, 2, 2, 3, 4]
    assert machine.posted[2] == events.HealthChanged((events.HealthIssue("memory", "no-open", "nothing"),))
    assert [before and before.detail for before in machine.seen] == [
        None,
        "plenty",
        "less",
        "little",
        "less",
        "nothing",
    ]


async def _until(machine: Machine, count: int) -> None:
    for _ in range(1_000):
        if len(machine.posted) >= count:
            return
        await asyncio.sleep(0.005)
    pytest.fail("the task told nothing")


def test_a_look_that_hangs_forbids_opening_until_it_comes_back() -> None:
    """Shows that a hanging check is an issue of its own, that no second thread is started behind it, and that its
    return clears it; fails when the last good word stands while nobody looks.
    """
    machine, gate = Machine(), threading.Event()
    machine.task.look()

    def hang(_before: Verdict | None) -> Verdict:
        machine.seen.append(None)
        gate.wait(10)
        return machine.verdict

    async def watch() -> None:
        running = asyncio.ensure_future(machine.task.run())
        await _until(machine, 2)
        await asyncio.sleep(0.1)
        assert len(machine.seen) == 2
        gate.set()
        await _until(machine, 3)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    machine.task._looks = (hang,)
    asyncio.run(asyncio.wait_for(watch(), 10))
    silent, after = machine.posted[1:3]
    assert isinstance(silent, events.HealthChanged)
    assert [(one.check, one.consequence) for one in silent.issues] == [("health checks", "no-open")]
    assert after == events.HealthChanged(())


def test_a_check_that_raises_ends_the_task() -> None:
    """Shows that a broken check is not swallowed: it ends the process by its task; fails when checks die silently."""
    machine = Machine()

    def broken(_before: Verdict | None) -> Verdict:
        raise ZeroDivisionError

    machine.task._looks = (broken,)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(asyncio.wait_for(machine.task.run(), 5))


def sources(millicelsius: int | Absent = 40_000) -> Sources:
    """Return a machine that is well."""
    return Sources(
        temperature=lambda: millicelsius,
        throttled=lambda: 0,
        voltage=lambda: 0,
        free=lambda: 10**12,
        writable=lambda: True,
        wear=lambda: Wear(0, 0, None),
        memory=lambda: 10**12,
        journal=lambda: Journaling(0, 0, 0),
        venue_clock=venue_clock_apart(lambda: 3_000_000),
    )


def test_every_check_of_the_machine_is_looked_at() -> None:
    """Shows that all checks but those the step hears of by itself are joined to a source; fails when one is written and
    never asked.
    """
    verdicts = [look(None) for look in looks(LIMITS, 1_000, sources())]
    assert {verdict.check for verdict in verdicts} == set(Check) - {Check.CLOCK, Check.FEED_AGE, Check.CHECKS}
    assert all(verdict.good for verdict in verdicts)
    hot = looks(LIMITS, 1_000, sources(LIMITS.temperature_celsius_max * 1_000))[0](None)
    assert hot.consequence is Consequence.NO_OPEN


def status(sequence: int, commit_ns: int = 7) -> JournalStatus:
    """Return how a journal does."""
    return JournalStatus(WriterState.WRITING, Head(sequence, bytes(32)), 0, 0, 0, 0, 1, commit_ns, commit_ns)


def test_rows_that_wait_are_timed_from_the_last_progress() -> None:
    """Shows that waiting counts from the last row that became durable and that an idle journal never waits; fails when
    a stuck disk looks idle.
    """
    state = {"durable": 5, "appended": 5}
    watch = JournalWatch(lambda: status(state["durable"]), lambda: state["appended"])
    assert watch.read(100) == Journaling(7, 0, 0)
    assert watch.read(900) == Journaling(7, 0, 0)
    state["appended"] = 8
    assert watch.read(1_000) == Journaling(7, 100, 3)
    assert watch.read(5_000) == Journaling(7, 4_100, 3)
    state["durable"] = 6
    assert watch.read(6_000) == Journaling(7, 0, 2)


def test_telemetry_lists_every_verdict_and_every_breaker() -> None:
    """Shows that what is wrong, absent, stale or open can be read outside, each under its name; fails when a verdict is
    kept inside.
    """
    rig = Rig().running().tell(events.FeedChanged(connected=False, reason=""))
    rig.trader.board.network.breakers[MARKET].trip(rig.now_ns, Cause.SPREAD)
    machine = (Verdict(Check.VOLTAGE, Condition.ABSENT, Consequence.NONE, "not present: no sensor"),)
    report = telemetry_of(
        rig.trader,
        wall_ns=0,
        head=Head(0, bytes(32)),
        lamp_code=0,
        dropped=(),
        journal_ns=0,
        tick_to_order=Spread(),
        machine=machine,
    )
    health = {one.check: (one.good, one.detail) for one in report.health}
    assert health["supply voltage"] == (False, "not present: no sensor")
    assert health["market data"] == (False, "no connection")
    assert health["clock"] == (True, "synchronized")
    assert health[f"breaker of {MARKET}"] == (False, "open: spread")
    assert health["breaker of venue"] == (True, "closed")
    assert health[f"bars of {MARKET}"] == (True, "score 1.00")
