"""One breaker: every pair of its table, and what time, trials and holding do to it."""

import itertools

import pytest

from appliance.safety.breakers.breaker import COOL_DOWN_FACTOR_MAX, REST_COOL_DOWNS, Breaker, BreakerSettings
from appliance.safety.breakers.circuit import TABLE, Cause, State, Stimulus
from appliance.safety.breakers.tuning import EVIDENCE_MAX, Odds

COOL_NS = 100
TRIALS = 3
C, H, O = State.CLOSED, State.HALF_OPEN, State.OPEN  # noqa: E741 - a column of the table
# Stimulus: where it leads from CLOSED, HALF_OPEN and OPEN.
EXPECTED = {
    Stimulus.TRIP: (O, O, O),
    Stimulus.COOLED: (C, H, H),
    Stimulus.RELEASED: (C, H, C),
    Stimulus.PROVEN: (C, C, O),
    Stimulus.FAILED: (C, O, O),
}


def breaker() -> Breaker:
    """Return a closed breaker."""
    return Breaker("part", BreakerSettings(COOL_NS, TRIALS))


def half_open(now_ns: int = 0) -> Breaker:
    """Return a breaker that tripped and has cooled."""
    one = breaker()
    one.trip(now_ns, Cause.SPREAD)
    one.pass_time(now_ns + COOL_NS)
    assert one.state is H
    return one


@pytest.mark.parametrize(("state", "stimulus"), list(itertools.product(State, Stimulus)))
def test_every_pair_leads_where_it_is_listed(state: State, stimulus: Stimulus) -> None:
    """Shows all 15 pairs against a list of their own; fails when a pair is missing, added or leads elsewhere."""
    assert TABLE[state, stimulus] is EXPECTED[stimulus][(C, H, O).index(state)]
    assert len(TABLE) == len(State) * len(Stimulus)


def test_only_a_trial_or_a_release_closes_what_is_open() -> None:
    """Shows that time alone never leads from OPEN to CLOSED; fails when the table grows such a way."""
    closing = {(old, why) for (old, why), new in TABLE.items() if new is C and old is not C}
    assert closing == {(O, Stimulus.RELEASED), (H, Stimulus.PROVEN)}


def test_an_open_breaker_admits_nothing_and_cools_exactly_in_time() -> None:
    """Shows both sides of the cool-down; fails when an entry passes before, or the breaker stays open after."""
    one = breaker()
    change = one.trip(10, Cause.LATENCY)
    assert change is not None
    assert (change.old, change.new, change.cause) == (C, O, Cause.LATENCY)
    assert not one.admits
    assert one.pass_time(10 + COOL_NS - 1) is None
    assert not one.admits
    assert one.pass_time(10 + COOL_NS) is not None
    assert (one.state, one.admits) == (H, True)


def test_excitement_starts_the_cool_down_anew() -> None:
    """Shows that a measure not yet well inside its bounds keeps the breaker open; fails without hysteresis in level."""
    one = breaker()
    one.trip(0, Cause.SPREAD)
    one.excite(90)
    assert one.pass_time(COOL_NS) is None
    assert one.pass_time(90 + COOL_NS) is not None


def test_excitement_opens_nothing_by_itself() -> None:
    """Shows that only a trip opens; fails when the zone between the two figures does."""
    one = breaker()
    one.excite(5)
    assert one.state is C


def test_trials_are_counted_and_their_success_closes() -> None:
    """Shows that exactly the configured number of trials passes, and that all of them must go well; fails when one
    more passes or fewer are enough.
    """
    one = half_open()
    rounds = [one.take_trial() for _ in range(TRIALS)]
    assert not one.admits
    changes = [one.trial_ended(200, number, good=True) for number in rounds]
    assert [change and change.new for change in changes] == [None, None, C]


def test_one_bad_trial_opens_again_for_longer() -> None:
    """Shows that a bad trial opens and doubles the cool-down; fails when it is forgiven or the wait stays the same."""
    one = half_open()
    change = one.trial_ended(200, one.take_trial(), good=False)
    assert change is not None
    assert (change.new, change.stimulus) == (O, Stimulus.FAILED)
    assert one.pass_time(200 + 2 * COOL_NS - 1) is None
    assert one.pass_time(200 + 2 * COOL_NS) is not None


def test_a_trial_of_an_earlier_round_says_nothing() -> None:
    """Shows that a late word cannot close or open a later round; fails when rounds are mixed."""
    one = half_open()
    old = one.take_trial()
    one.trip(150, Cause.SPREAD)
    one.pass_time(150 + 2 * COOL_NS)
    for good in (True, False):
        assert one.trial_ended(400, old, good=good) is None
    one.return_trial(old)
    for _ in range(TRIALS):
        one.take_trial()
    assert not one.admits


def test_a_trial_that_never_left_is_given_back() -> None:
    """Shows that a withdrawn entry does not use up a trial; fails when withdrawals block the breaker for ever."""
    one = half_open()
    for _ in range(5 * TRIALS):
        one.return_trial(one.take_trial())
    assert one.admits


def test_the_cool_down_is_bounded_and_forgets() -> None:
    """Shows that repeated trips wait at most the factor, and that after a calm while the first wait applies again;
    fails when the wait grows without end or never shrinks.
    """
    one, now_ns = breaker(), 0
    for _ in range(10):
        one.trip(now_ns, Cause.SPREAD)
        assert one.pass_time(now_ns + COOL_DOWN_FACTOR_MAX * COOL_NS) is not None
        now_ns += COOL_DOWN_FACTOR_MAX * COOL_NS + 1
    assert one.pass_time(now_ns + REST_COOL_DOWNS * COOL_DOWN_FACTOR_MAX * COOL_NS) is not None
    assert one.state is C
    now_ns += 100 * REST_COOL_DOWNS * COOL_NS
    one.trip(now_ns, Cause.SPREAD)
    assert one.pass_time(now_ns + COOL_NS) is not None


def test_a_trip_soon_after_closing_waits_longer() -> None:
    """Shows that closing and tripping again is not a new start; fails when a breaker can flap at its shortest wait."""
    one = half_open()
    for number in [one.take_trial() for _ in range(TRIALS)]:
        one.trial_ended(120, number, good=True)
    one.trip(130, Cause.SPREAD)
    assert one.pass_time(130 + COOL_NS) is None
    assert one.pass_time(130 + 2 * COOL_NS) is not None


def test_half_open_without_entries_closes_after_rest() -> None:
    """Shows both sides of the rest after which no trial is needed; fails when it closes at once or never."""
    one = half_open()
    assert one.pass_time(COOL_NS + REST_COOL_DOWNS * COOL_NS - 1) is None
    assert one.pass_time(COOL_NS + REST_COOL_DOWNS * COOL_NS) is not None
    assert one.state is C


def test_what_is_held_waits_for_its_release_alone() -> None:
    """Shows that no time ends a held cause, that release closes without a trial, and that a second cause still holds;
    fails when either passes for the other.
    """
    one = breaker()
    one.hold(0, Cause.RISK_LIMIT)
    one.hold(0, Cause.MANUAL)
    assert one.pass_time(10**15) is None
    assert one.release(1, Cause.RISK_LIMIT) is None
    assert one.state is O
    change = one.release(2, Cause.MANUAL)
    assert change is not None
    assert change.new is C
    assert one.release(3, Cause.MANUAL) is None


def test_a_release_does_not_end_a_trip() -> None:
    """Shows that a tripped breaker that was also held still cools and is tried; fails when release skips the trial."""
    one = breaker()
    one.trip(0, Cause.LATENCY)
    one.hold(0, Cause.RISK_LIMIT)
    assert one.pass_time(10 * COOL_NS) is None
    assert one.release(10 * COOL_NS, Cause.RISK_LIMIT) is None
    assert one.pass_time(10 * COOL_NS) is not None
    assert one.state is H


def test_evidence_moves_the_threshold_within_its_bounds() -> None:
    """Shows that blips raise it, confirmed trips lower it, and neither leaves the bounds; fails when learning can make
    a breaker blind or nervous without end.
    """
    blips = confirmed = Odds()
    for _ in range(10 * EVIDENCE_MAX):
        blips, confirmed = blips.after(confirmed=False), confirmed.after(confirmed=True)
        assert max(sum(blips), sum(confirmed)) <= EVIDENCE_MAX
    assert 750 <= confirmed.threshold(1_000) < Odds().threshold(1_000) < blips.threshold(1_000) <= 1_000


def test_trips_are_judged_by_what_followed() -> None:
    """Shows that good trials make a short trip a blip and that a bad one, a new trip or a lasting danger confirms it;
    fails when the evidence is taken the wrong way round.
    """
    short, failed, lasting = half_open(), half_open(), breaker()
    lasting.trip(0, Cause.SPREAD)
    lasting.excite(COOL_NS)
    lasting.pass_time(2 * COOL_NS)
    for one in (short, lasting):
        for number in [one.take_trial() for _ in range(TRIALS)]:
            one.trial_ended(250, number, good=True)
    failed.trial_ended(250, failed.take_trial(), good=False)
    again = half_open()
    again.trip(250, Cause.SPREAD)
    assert [one.odds_of(Cause.SPREAD) for one in (short, failed, lasting, again)] == [
        Odds(1, 2),
        Odds(2, 1),
        Odds(2, 1),
        Odds(2, 1),
    ]


def test_a_restart_finds_it_open() -> None:
    """Shows that a resumed breaker is open for a cool-down, or held; fails when a restart lets entries through."""
    timed, held = breaker(), breaker()
    timed.resume(1_000, Cause.SPREAD)
    held.resume(1_000, Cause.RISK_LIMIT)
    assert not timed.admits
    assert timed.pass_time(1_000 + COOL_NS - 1) is None
    assert timed.pass_time(1_000 + COOL_NS) is not None
    assert held.pass_time(10**15) is None
