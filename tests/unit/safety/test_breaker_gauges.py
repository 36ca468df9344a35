"""What breakers measure with, both sides of every bound."""

import pytest

from appliance.core.errors import InvariantBroken
from appliance.safety.breakers import flow
from appliance.safety.breakers.breaker import BreakerSettings
from appliance.safety.breakers.circuit import Cause, State
from appliance.safety.breakers.flow import Flow, FlowSettings
from appliance.safety.breakers.gauges import Level, Pace, Share, level_of
from appliance.safety.breakers.network import GLOBAL, TRIALS_FOLLOWED_MAX, VENUE, Network
from appliance.safety.breakers.tuning import Odds

SETTINGS = FlowSettings(10_000, 2_000, 5_000, 800_000)
PARENTS = {VENUE: GLOBAL, "A": VENUE, "B": VENUE}


@pytest.mark.parametrize(
    ("measure", "level"), [(74, Level.CALM), (75, Level.EXCITED), (100, Level.EXCITED), (101, Level.TRIPPED)]
)
def test_a_measure_has_three_levels(measure: int, level: Level) -> None:
    """Shows both edges of the zone between calm and tripped; fails when they touch, because then it can flap."""
    assert level_of(measure, 100) is level


def test_a_share_needs_enough_and_forgets_the_oldest() -> None:
    """Shows that few outcomes say nothing and that the window slides; fails when one refusal counts for all or an old
    one for ever.
    """
    share = Share(window=4, count_min=3)
    share.add(bad=True)
    share.add(bad=True)
    assert share.ppm == 0
    share.add(bad=False)
    assert share.ppm == 666_666
    for _ in range(4):
        share.add(bad=False)
    assert share.ppm == 0
    share.add(bad=True)
    share.clear()
    assert share.ppm == 0


def test_a_pace_counts_its_window_alone() -> None:
    """Shows both sides of the window and that memory is bounded; fails when old occurrences add up."""
    pace = Pace(window_ns=10, count_max=3)
    for now_ns in (0, 1, 2, 3, 4):
        pace.add(now_ns)
    assert pace.count(4) == 3
    assert pace.count(12) == 3
    assert pace.count(13) == 2
    pace.clear()
    assert pace.count(13) == 0


def market(windows: int, lots: int = 10, trades: int = 20, width: int = 10) -> tuple[Flow, int]:
    """Return a market that has been ordinary for so many windows, and its time."""
    one, now_ns = Flow(SETTINGS), 0
    for window in range(windows + 1):
        one.quoted(100_000, 100_000 + width)
        for number in range(trades):
            now_ns = window * flow.WINDOW_NS + number * 1_000 + 1
            one.traded(now_ns, now_ns, lots // 2, 1 - 2 * (number % 2))
    return one, now_ns


def level(one: Flow, cause: Cause, now_ns: int) -> Level:
    """Return how one measure stands."""
    return dict(one.levels(now_ns))[cause]


def test_a_spread_is_bounded_before_anything_is_usual() -> None:
    """Shows the absolute bound at the default sensitivity (7/8 of 1 %), both sides, and calm below 3/4 of it; fails
    when a new market has no bound.
    """
    one = Flow(SETTINGS)
    found = [one.quoted(100_000, 100_000 + width) for width in (656, 657, 875, 876)]
    assert found == [Level.CALM, Level.EXCITED, Level.EXCITED, Level.TRIPPED]


def test_a_spread_is_bounded_by_what_is_usual() -> None:
    """Shows that a market of 0.05 % trips beyond 20 times that only up to the absolute bound, and one of 0.01 % beyond
    0.2 % times the sensitivity; fails when what is usual is not learned.
    """
    one, _ = market(flow.WINDOWS_LEARNED_MIN)
    assert one.spread_ppm_max == Odds().threshold(2_000)
    wide, _ = market(flow.WINDOWS_LEARNED_MIN, width=80)
    assert wide.spread_ppm_max == Odds().threshold(10_000)


def test_a_narrow_spread_has_a_floor() -> None:
    """Shows that a market of one tick does not trip on two; fails when the floor is gone."""
    one, _ = market(flow.WINDOWS_LEARNED_MIN, width=1)
    assert one.spread_ppm_max == Odds().threshold(flow.SPREAD_PPM_FLOOR)
    assert one.quoted(100_000, 100_050) is Level.CALM


def test_volume_trips_beyond_the_usual_and_not_before_it_is_known() -> None:
    """Shows both sides of the multiple within one window, and that a young market has none; fails when a burst passes
    or the first trades of a day are one.
    """
    young, now_ns = market(2)
    young.traded(now_ns, now_ns, 10**9, 1)
    assert level(young, Cause.VOLUME, now_ns) is Level.CALM
    one, now_ns = market(flow.WINDOWS_LEARNED_MIN + 1)
    most = one._volume_max
    assert 3_700 < most < 5_001
    assert one.traded(now_ns, now_ns, most - one._volume, 1)
    assert level(one, Cause.VOLUME, now_ns) is Level.EXCITED
    one.traded(now_ns, now_ns, 1, 1)
    assert level(one, Cause.VOLUME, now_ns) is Level.TRIPPED


def test_one_sided_trading_trips() -> None:
    """Shows that buying alone is toxic and balanced trading is not, and that few trades say nothing; fails when the
    sides are not told apart.
    """
    balanced, now_ns = market(20)
    assert level(balanced, Cause.TOXIC_FLOW, now_ns) is Level.CALM
    one = Flow(SETTINGS)
    for number in range(flow.TRADES_MIN + 1):
        one.traded(number + 1, number + 1, 1, 1)
    assert level(one, Cause.TOXIC_FLOW, 200) is Level.CALM
    one.traded(flow.WINDOW_NS, flow.WINDOW_NS, 1, 1)
    assert level(one, Cause.TOXIC_FLOW, flow.WINDOW_NS) is Level.TRIPPED


def test_silence_says_nothing() -> None:
    """Shows that a measure is calm once no trade came for a while; fails when a dead market holds its breaker open for
    ever.
    """
    one, now_ns = market(flow.WINDOWS_LEARNED_MIN + 1)
    one.traded(now_ns, now_ns, 10**9, 1)
    assert level(one, Cause.VOLUME, now_ns + flow.SILENT_NS) is Level.TRIPPED
    assert level(one, Cause.VOLUME, now_ns + flow.SILENT_NS + 1) is Level.CALM


def test_a_past_told_at_once_is_no_burst() -> None:
    """Shows that windows are the venue's: an hour of trades heard in a moment is an hour; fails when reconnecting trips
    the volume.
    """
    one, _ = market(flow.WINDOWS_LEARNED_MIN)
    start = (flow.WINDOWS_LEARNED_MIN + 1) * flow.WINDOW_NS
    for number in range(6_000):
        one.traded(start, start + number * flow.WINDOW_NS // 10, 20, 1 - 2 * (number % 2))
        assert level(one, Cause.VOLUME, start) is Level.CALM


def test_evidence_changes_what_trips() -> None:
    """Shows that the sensitivity reaches the bound; fails when tuning is not connected."""
    one = Flow(SETTINGS)
    one.tune(Cause.SPREAD, Odds(1, 63))
    assert one.spread_ppm_max > Odds().threshold(10_000)


def network(cool_down_ns: int = 100, trials: int = 2) -> Network:
    """Return a venue with two parts."""
    return Network(PARENTS, BreakerSettings(cool_down_ns, trials))


def test_openness_reaches_every_dependant_and_no_other() -> None:
    """Shows that an open part holds back all below it and nothing beside or above; fails when the cascade stops."""
    for name, reached in ((GLOBAL, {GLOBAL, VENUE, "A", "B"}), (VENUE, {VENUE, "A", "B"}), ("A", {"A"})):
        one = network()
        one.breakers[name].trip(0, Cause.LATENCY)
        assert set(one.dependants(name)) == reached
        assert {part for part in one.breakers if one.opened(part)} == reached
        assert {part for part in one.breakers if not one.admits(part)} == reached


def test_a_trial_counts_for_every_half_open_part_on_its_way() -> None:
    """Shows that one entry is the trial of its instrument and of the venue; fails when one of them learns nothing."""
    one = network()
    for name in (VENUE, "A"):
        one.breakers[name].trip(0, Cause.LATENCY)
    assert len(list(one.pass_time(100))) == 2
    for number in range(2):
        one.begin_trial("A", f"id-{number}")
    assert not one.admits("A")
    assert not one.admits("B")
    changed = [change for number in range(2) for change in one.end_trial(200, f"id-{number}", good=True)]
    assert {(change.component, change.new) for change in changed} == {(VENUE, State.CLOSED), ("A", State.CLOSED)}
    assert list(one.followed()) == []


def test_the_trials_that_are_followed_are_bounded() -> None:
    """Shows that memory is bounded and an unknown entry harmless; fails when every entry is remembered for ever."""
    one = network(trials=10 * TRIALS_FOLLOWED_MAX)
    one.breakers["A"].trip(0, Cause.SPREAD)
    list(one.pass_time(100))
    for number in range(2 * TRIALS_FOLLOWED_MAX):
        one.begin_trial("A", f"id-{number}")
    assert len(list(one.followed())) == TRIALS_FOLLOWED_MAX
    assert list(one.end_trial(200, "id-0", good=False)) == []


def test_a_part_that_depends_on_itself_is_refused() -> None:
    """Shows that a circle stops the start; fails when it hangs."""
    with pytest.raises(InvariantBroken, match="depends on itself"):
        Network({"A": "B", "B": "A"}, BreakerSettings(1, 1))
