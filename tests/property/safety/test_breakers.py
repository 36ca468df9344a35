"""Breakers under any order of what can happen to them."""

from hypothesis import given
from hypothesis import strategies as st

from appliance.safety.breakers.breaker import BreakerSettings, Change
from appliance.safety.breakers.circuit import HELD_CAUSES, TABLE, Cause, State
from appliance.safety.breakers.gauges import Level, level_of
from appliance.safety.breakers.network import GLOBAL, VENUE, Network
from appliance.safety.breakers.tuning import EVIDENCE_MAX, Odds

COOL_NS, TRIALS = 50, 3
PARENTS = {VENUE: GLOBAL, "A": VENUE, "B": VENUE}
NAMES = (GLOBAL, VENUE, "A", "B")
TIMED = sorted(set(Cause) - HELD_CAUSES)
Act = tuple[str, str, int, int]
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["trip", "excite", "hold", "release", "time", "entry", "good", "bad", "return"]),
        st.sampled_from(NAMES),
        st.integers(0, 5),
        st.integers(0, 2 * COOL_NS),
    ),
    max_size=80,
)


class Driver:
    """Do what is drawn, and keep a record beside the one that is tested."""

    def __init__(self) -> None:
        self.network = Network(PARENTS, BreakerSettings(COOL_NS, TRIALS))
        self.now_ns = 0
        self.entries: list[tuple[str, dict[str, int]]] = []
        self.entries_count = 0
        self.changes: list[tuple[int, Change]] = []
        self.passed: dict[str, int] = dict.fromkeys(NAMES, 0)

    def act(self, what: Act) -> None:
        """Let one thing happen."""
        kind, name, choice, later_ns = what
        breaker, self.now_ns = self.network.breakers[name], self.now_ns + later_ns
        match kind:
            case "trip":
                self.note(breaker.trip(self.now_ns, TIMED[choice % len(TIMED)]))
            case "excite":
                breaker.excite(self.now_ns)
            case "hold":
                self.note(breaker.hold(self.now_ns, Cause.RISK_LIMIT))
            case "release":
                self.note(breaker.release(self.now_ns, Cause.RISK_LIMIT))
            case "time":
                for change in self.network.pass_time(self.now_ns):
                    self.note(change)
            case "entry":
                self.enter(name)
            case _:
                if self.entries:
                    self.end(kind, *self.entries.pop(choice % len(self.entries)))

    def enter(self, name: str) -> None:
        """Try one entry, as the trader does."""
        if not self.network.admits(name):
            return
        chain = [part for part in NAMES if name in self.network.dependants(part)]
        assert all(self.network.breakers[part].state is not State.OPEN for part in chain)
        halves = [part for part in chain if self.network.breakers[part].state is State.HALF_OPEN]
        for part in halves:
            self.passed[part] += 1
        self.entries_count += 1
        rounds = {part: self.network.breakers[part].round for part in halves}
        self.entries.append((f"entry-{self.entries_count}", rounds))
        self.network.begin_trial(name, self.entries[-1][0])

    def end(self, kind: str, entry: str, rounds: dict[str, int]) -> None:
        """Let an entry come to its end; a trial of the present round that never left may be taken again."""
        if kind == "return":
            self.network.return_trial(entry)
            for part, number in rounds.items():
                breaker = self.network.breakers[part]
                self.passed[part] -= breaker.state is State.HALF_OPEN and breaker.round == number
            return
        for change in self.network.end_trial(self.now_ns, entry, good=kind == "good"):
            self.note(change)

    def note(self, change: Change | None) -> None:
        """Remember a change, and begin the count of trials anew."""
        if change is not None:
            self.changes.append((self.now_ns, change))
            self.passed[change.component] = 0


@given(ACTS)
def test_nothing_passes_an_open_breaker_and_few_pass_a_half_open_one(acts: list[Act]) -> None:
    """Shows that no order of events lets an entry past an open part or more trials than allowed past a half-open one;
    fails when a trial is counted twice or a dependant is forgotten.
    """
    driver = Driver()
    for each in acts:
        driver.act(each)
        for name in NAMES:
            opened = driver.network.breakers[name].state is State.OPEN
            if opened:
                assert not any(driver.network.admits(part) for part in driver.network.dependants(name))
            assert driver.passed[name] <= TRIALS


@given(ACTS)
def test_every_change_is_in_the_table_and_none_flaps(acts: list[Act]) -> None:
    """Shows that each change is the table's, follows the one before, and that what tripped stays open for a cool-down;
    fails when a breaker goes to and fro faster than its hysteresis allows.
    """
    driver = Driver()
    for each in acts:
        driver.act(each)
    for name in NAMES:
        state, opened_ns = State.CLOSED, 0
        for now_ns, change in (pair for pair in driver.changes if pair[1].component == name):
            assert change.old is state
            assert TABLE[change.old, change.stimulus] is change.new
            if change.old is State.OPEN and change.new is State.HALF_OPEN:
                assert now_ns - opened_ns >= COOL_NS
            state, opened_ns = change.new, now_ns
        assert driver.network.breakers[name].state is state


@given(ACTS)
def test_the_same_events_give_the_same_changes(acts: list[Act]) -> None:
    """Shows that a replay changes the same things at the same moments; fails when anything else has a say."""
    drivers = (Driver(), Driver())
    for driver in drivers:
        for each in acts:
            driver.act(each)
    assert drivers[0].changes == drivers[1].changes


@given(ACTS)
def test_memory_is_bounded(acts: list[Act]) -> None:
    """Shows that evidence and held causes stay within their bounds; fails when anything grows with the number of
    events.
    """
    driver = Driver()
    for each in acts * 3:
        driver.act(each)
    for breaker in driver.network.breakers.values():
        assert all(sum(odds) <= EVIDENCE_MAX for odds in breaker.odds.values())
        assert len(breaker.odds) <= len(Cause)
        assert breaker.held <= HELD_CAUSES


@given(st.integers(0, 10**12), st.integers(4, 10**12))
def test_calm_and_tripped_never_touch(measure: int, threshold: int) -> None:
    """Shows that one step of a measure cannot lead from tripped to calm; fails when the zone between them is empty."""
    if level_of(measure, threshold) is Level.TRIPPED:
        assert level_of(measure - 1, threshold) is not Level.CALM


@given(st.lists(st.booleans(), max_size=300), st.integers(4, 10**9))
def test_a_threshold_keeps_its_bounds(verdicts: list[bool], most: int) -> None:
    """Shows that no history leads beyond the configured figure or below three quarters of it; fails when learning can
    switch a breaker off.
    """
    odds = Odds()
    for confirmed in verdicts:
        odds = odds.after(confirmed=confirmed)
    assert most * 3 // 4 <= odds.threshold(most) <= most
