"""How the guardian keeps one last resort ready, uses it, and what it believes."""

import json

import pytest

from appliance.guardian.last_resort_call import Ended
from appliance.guardian.last_resort_watch import (
    ABSENT_NS_MAX,
    ATTEMPTS_MAX,
    HEARD_NS_MAX,
    REPEAT_CAP_NS,
    RUN_NS_MAX,
    LastResortWatch,
    Need,
)
from tests.unit.guardian.bench_parts import ScriptedCall

SECOND = 1_000_000_000
STOP = Need("cancel_all", 7, "pressed")
GOOD = json.dumps({"verified": True, "policy": "cancel_all", "took_ms": 12, "clear_ms": 3}).encode()


class Watched:
    """Hold a watch and the calls it made."""

    def __init__(self) -> None:
        """Begin with one call open."""
        self.calls: list[ScriptedCall] = []
        self.nobody = False
        self.watch = LastResortWatch(self.call)
        self.now_ns = SECOND
        self.watch.turn(self.now_ns)

    def call(self) -> ScriptedCall:
        """Call a process, if one is there."""
        if self.nobody:
            raise OSError(111, "Connection refused")
        self.calls.append(ScriptedCall())
        return self.calls[-1]

    def want(self, need: Need | None) -> None:
        """Say what is needed."""
        self.watch.want(need, self.now_ns)

    def turn(self, seconds: float = 0.02) -> list[str]:
        """Let time pass and return the names of what happened."""
        self.now_ns += int(seconds * SECOND)
        return [name for name, _ in self.watch.turn(self.now_ns)]

    def finish(self, line: bytes) -> list[str]:
        """End the newest call."""
        self.calls[-1].result = Ended(line)
        return self.turn()


@pytest.fixture
def watched() -> Watched:
    """Return a watch with one call open."""
    return Watched()


def test_one_is_parked_before_it_is_needed_and_again_after(watched: Watched) -> None:
    """There is always one ready; it fails if the first need had to wait for a start."""
    assert len(watched.calls) == 1
    watched.want(STOP)
    assert watched.turn() == ["last-resort-started"]
    assert watched.calls[0].words == ["cancel_all"]
    assert watched.finish(GOOD) == ["last-resort-ended"]
    assert len(watched.calls) == 2
    assert watched.calls[1].words == []


def test_a_verified_latch_needs_no_second_run(watched: Watched) -> None:
    """Once verified it rests; it fails if it ran for ever, or a need that comes and goes ran it again."""
    watched.want(STOP)
    watched.turn()
    watched.finish(GOOD)
    assert watched.watch.verified_latch == 7
    watched.want(None)
    watched.want(Need("cancel_all", 7, "another reason"))
    assert [watched.turn(60) for _ in range(3)] == [[], [], []]
    watched.want(Need("cancel_all", 8, "pressed again"))
    assert watched.turn() == ["last-resort-started"]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"armed",
        b"started",
        b"verified",
        b"[]",
        b"\xff",
        GOOD[:-1],
        GOOD.replace(b"true", b"1"),
        GOOD.replace(b"true", b"false"),
        GOOD.replace(b"cancel_all", b"cancel"),
        b"[" * 4000,
    ],
)
def test_only_a_good_word_counts(watched: Watched, line: bytes) -> None:
    """The last line must say so, whole and for this policy; it fails if an ended call alone were believed."""
    watched.want(STOP)
    watched.turn()
    assert watched.finish(line) == ["last-resort-ended"]
    assert watched.watch.verified_latch == 0
    assert watched.turn(1.1) == ["last-resort-started"]


def test_repeats_come_later_each_time_and_end(watched: Watched) -> None:
    """A venue that is away is tried a bounded number of times; it fails if it were hammered or tried for ever."""
    watched.want(STOP)
    gaps, last_ns = [], watched.now_ns
    events: list[str] = []
    for _ in range(200_000):
        names = watched.turn(0.1)
        events += names
        if "last-resort-started" in names:
            gaps.append(watched.now_ns - last_ns)
            last_ns = watched.now_ns
            events += watched.finish(b"{}")
        if "last-resort-gave-up" in events:
            break
    assert events.count("last-resort-started") == ATTEMPTS_MAX
    assert gaps[1] >= SECOND
    assert gaps[2] >= 2 * SECOND
    assert max(gaps) <= REPEAT_CAP_NS + SECOND
    assert watched.turn(3600) == []


def test_one_at_a_time(watched: Watched) -> None:
    """A newer need waits for the running one; it fails if two ran at once."""
    watched.want(STOP)
    watched.turn()
    watched.want(Need("flatten", 8, "pressed again"))
    assert watched.turn(5) == []
    assert len(watched.calls) == 1
    assert watched.finish(GOOD) == ["last-resort-ended", "last-resort-started"]
    assert watched.calls[1].words == ["flatten"]


def test_one_that_hangs_is_killed(watched: Watched) -> None:
    """A run has an end; it fails if a process that never returns blocked every later one."""
    watched.want(STOP)
    watched.turn()
    assert watched.turn(RUN_NS_MAX / SECOND) == []
    watched.turn(1)
    assert watched.calls[0].killed
    assert watched.turn() == ["last-resort-ended"]


def test_one_that_does_not_take_a_word_is_ended_soon(watched: Watched) -> None:
    """Who took the call and does not act hangs; it fails if a stop waited as long for it as for one that works."""
    [hung] = watched.calls
    hung.started = False
    watched.want(STOP)
    watched.turn()
    assert (watched.turn(HEARD_NS_MAX / SECOND), hung.killed) == ([], False)
    assert (watched.turn(), hung.killed) == ([], True)
    watched.turn()
    assert watched.turn(1.1) == ["last-resort-started"]
    assert watched.calls[1].words == ["cancel_all"]


def test_one_that_is_still_starting_is_given_time(watched: Watched) -> None:
    """A word waits in the line until a process takes the call; it fails if a start were taken for a hang."""
    watched.calls[0].armed = watched.calls[0].started = False
    watched.want(STOP)
    watched.turn()
    watched.turn(20)
    assert not watched.calls[0].killed


def test_a_press_between_two_parked_processes_is_served_by_the_next(watched: Watched) -> None:
    """Nobody to be called is no attempt: the next process gets the word at once; it fails if the need were lost, or
    waited for the pause that follows a failed run.
    """
    watched.nobody = True
    assert watched.finish(b"armed") == ["last-resort-not-ready"]
    watched.want(STOP)
    assert [watched.turn() for _ in range(100)] == [[]] * 100
    watched.nobody = False
    assert watched.turn(0.21) == ["last-resort-started"]
    assert watched.calls[-1].words == ["cancel_all"]


def test_one_that_dies_while_it_waits_is_called_again_not_at_once(watched: Watched) -> None:
    """A process that cannot wait is called again a few times a second and told of ever less often; it fails on a storm
    of calls or of notes.
    """
    names: list[str] = []
    for _ in range(600):
        names += watched.finish(b"armed")
        names += watched.turn(0.08)
    assert len(watched.calls) <= 60 * 6
    assert 4 <= names.count("last-resort-not-ready") <= 8


def test_nobody_there_is_recorded_ever_less_often() -> None:
    """Absence counts once it lasts longer than a boot, and reaches the record; it fails if the error reached the loop,
    every boot were told, or an absence never.
    """

    def refuse() -> ScriptedCall:
        raise OSError(2, "No such file or directory")

    watch = LastResortWatch(refuse)
    watch.want(STOP, SECOND)
    turns = range(SECOND, 200 * SECOND, SECOND // 10)
    told = [(now_ns, detail) for now_ns in turns for _, detail in watch.turn(now_ns)]
    assert told[0][0] == SECOND + ABSENT_NS_MAX
    assert told[0][1]["explanation"] == "it cannot be called: No such file or directory"
    assert 5 <= len(told) <= 10


def test_one_that_never_takes_the_call_is_recorded(watched: Watched) -> None:
    """A line that nobody speaks on is no readiness; it fails if being connected were enough."""
    watched.calls[0].armed = False
    assert watched.turn(1) == []
    assert watched.turn(ABSENT_NS_MAX / SECOND) == ["last-resort-not-ready"]
