"""The parts of the world are as bad as the real ones, and no worse."""

import random
from functools import partial

from appliance.core import events
from appliance.core.commands import SendCancel, VenueCommand
from appliance.core.events import AnyEvent, JournalFailed, JournalReached
from appliance.core.records import Row
from appliance.safety.modes import Mode
from appliance.world.disk import Disk
from appliance.world.keeper import Keeper, Pulse
from appliance.world.links import Connection, Ends
from appliance.world.person import Person
from appliance.world.schedule import Schedule

SECOND_NS = 10**9


def row(sequence: int) -> Row:
    """Return any row of that number."""
    return Row(sequence, 0, 0, "boot", b"{}")


def run_until(schedule: Schedule, time_ns: int) -> None:
    """Let the world go on until a moment."""
    reached: list[bool] = []
    schedule.at(time_ns, lambda: reached.append(True))
    while not reached:
        schedule.run_next()


def test_ties_are_drawn_from_the_seed() -> None:
    """Shows that things due at one moment happen in an order that the seed decides; fails when it is always the
    order in which they were planned.
    """
    orders = set()
    for seed in range(20):
        schedule = Schedule(random.Random(seed))
        happened: list[int] = []
        for number in range(4):
            schedule.at(5, partial(happened.append, number))
        for _ in range(4):
            schedule.run_next()
        orders.add(tuple(happened))
    assert len(orders) > 5


def test_a_disk_keeps_what_it_confirmed_and_no_promise_else() -> None:
    """Shows that a crash loses rows that were not confirmed, never one that was; fails when it keeps all or too few."""
    lost = 0
    for seed in range(50):
        schedule = Schedule(random.Random(seed))
        told: list[AnyEvent] = []
        disk = Disk(schedule, random.Random(seed), told.append)
        for number in range(1, 4):
            disk.write(row(number))
        schedule.run_next()
        disk.write(row(4))
        assert isinstance(told[-1], JournalReached)
        confirmed = told[-1].sequence
        lost += disk.crash()
        assert len(disk.rows) >= confirmed
        assert disk.holds(confirmed)
    assert lost > 0


def test_a_failed_disk_says_so_and_keeps_nothing_more() -> None:
    """Shows that failing is told once and final; fails when a row after it is confirmed."""
    schedule = Schedule(random.Random(1))
    told: list[AnyEvent] = []
    disk = Disk(schedule, random.Random(1), told.append)
    disk.write(row(1))
    disk.fail()
    disk.write(row(2))
    run_until(schedule, SECOND_NS)
    assert [type(event) for event in told] == [JournalFailed]
    assert disk.crash() == 1
    assert disk.rows == []


class Ear:
    """Keep what both ends of a connection were told."""

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self.states: list[str] = []
        self.events: list[AnyEvent] = []
        self.commands: list[VenueCommand] = []

    def connect(self, schedule: Schedule, seed: int) -> Connection:
        """Return a connection that is up and whose ends report here."""
        ends = Ends(
            lambda: self.states.append("up"),
            self.states.append,
            self.events.extend,
            lambda command, _sent_ns: self.commands.append(command),
            tuple,
        )
        connection = Connection(schedule, random.Random(seed), 10**7, ends)
        connection.open()
        run_until(schedule, 2 * SECOND_NS)
        return connection


def test_a_stream_delivers_in_order() -> None:
    """Shows that one connection neither loses nor reorders; fails when delays let messages overtake each other."""
    schedule = Schedule(random.Random(3))
    ear = Ear()
    connection = ear.connect(schedule, 3)
    sent = [SendCancel(str(number)) for number in range(50)]
    for command in sent:
        assert connection.send(command)
    answers = [events.CancelRefused(str(number), "") for number in range(50)]
    for answer in answers:
        connection.publish([answer])
    run_until(schedule, 4 * SECOND_NS)
    assert ear.commands == sent
    assert ear.events == answers


def test_what_was_written_before_a_break_may_still_arrive() -> None:
    """Shows that a break loses what was coming, and of what was going a first part still arrives, in some seeds after
    the next connection is up; fails when a broken link is cleaner than real ones are.
    """
    arrivals, late = set(), 0
    for seed in range(60):
        schedule = Schedule(random.Random(seed))
        ear = Ear()
        connection = ear.connect(schedule, seed)
        for number in range(3):
            connection.send(SendCancel(str(number)))
        connection.publish([events.CancelRefused("x", "")])
        connection.cut("cut")
        while ear.states.count("up") < 2:
            schedule.run_next()
        before = len(ear.commands)
        run_until(schedule, 6 * SECOND_NS)
        late += len(ear.commands) - before
        arrivals.add(tuple(str(command) for command in ear.commands))
        assert ear.events == []
    assert {0, 3} <= {len(arrived) for arrived in arrivals}
    assert late > 0


def test_a_half_open_link_swallows_until_silence_ends_it() -> None:
    """Shows that nothing passes and nobody is told until the silence limit; fails when sending reports a failure."""
    schedule = Schedule(random.Random(5))
    ear = Ear()
    connection = ear.connect(schedule, 5)
    assert connection.go_silent()
    assert connection.send(SendCancel("1"))
    connection.publish([events.CancelRefused("1", "")])
    run_until(schedule, 4 * SECOND_NS + SECOND_NS // 2)
    assert ear.states == ["up"]
    run_until(schedule, 12 * SECOND_NS)
    assert ear.states == ["up", "silent", "up"]
    assert (ear.commands, ear.events) == ([], [])


def keeper_and_person(schedule: Schedule) -> tuple[Keeper, Person]:
    """Return a guardian over a healthy trader, and somebody to press."""
    dice = random.Random(1)
    keeper = Keeper(schedule, dice, lambda _event: None, lambda: Pulse(schedule.now_ns, Mode.NORMAL))
    return keeper, Person(schedule, dice, keeper, lambda _story: None)


def test_only_a_whole_gesture_ends_a_stop() -> None:
    """Shows that a press outlives the guardian's restart and half a gesture, and ends with a whole one; fails when
    anything less brings permission back.
    """
    schedule = Schedule(random.Random(1))
    keeper, person = keeper_and_person(schedule)
    assert keeper.permitted()
    person.press(reset_later=False)
    run_until(schedule, 4 * SECOND_NS)
    assert keeper.silence()
    keeper.restart()
    assert (keeper.permitted(), keeper.stop_stands) == (False, True)
    person.reset_halfway()
    run_until(schedule, 90 * SECOND_NS)
    assert (keeper.permitted(), keeper.stop_stands) == (False, True)
    person.reset_and_start()
    run_until(schedule, 110 * SECOND_NS)
    assert (keeper.permitted(), keeper.stop_stands) == (True, False)


def test_silence_ends_the_lease_without_a_latch() -> None:
    """Shows that a lease runs out by itself; fails when a dead guardian's permission lives on, or stops for good."""
    schedule = Schedule(random.Random(1))
    keeper, _ = keeper_and_person(schedule)
    keeper.silence()
    assert keeper.permitted()
    run_until(schedule, SECOND_NS)
    assert not keeper.permitted()
    assert not keeper.latched
    keeper.resume()
    assert keeper.permitted()
