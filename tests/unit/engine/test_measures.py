"""Durations in fixed buckets."""

from hypothesis import given
from hypothesis import strategies as st

from appliance.engine.measures import Doublings, Spread


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=50), st.integers(1, 10_000))
def test_a_quantile_is_an_upper_bound_within_an_eighth(durations_ns: list[int], permyriad: int) -> None:
    """Show that a quantile is never below the true one nor more than an eighth above; fails on a wrong bucket edge."""
    spread = Spread()
    for duration_ns in durations_ns:
        spread.record(duration_ns)
    rank = -(-len(durations_ns) * permyriad // 10_000)
    true_ns = max(sorted(durations_ns)[rank - 1], 1)
    told_ns = spread.quantile_ns(permyriad)
    assert told_ns is not None
    assert true_ns <= told_ns <= true_ns + max(true_ns // 8, 1) + 1


def test_nothing_measured_is_told_as_nothing() -> None:
    """Show that an empty spread has no quantile; fails when it invents one."""
    assert Spread().quantile_ns(5_000) is None


def test_an_absurd_duration_stays_in_the_last_bucket() -> None:
    """Show that no duration breaks the array; fails with an index error."""
    spread = Spread()
    spread.record(1 << 80)
    assert spread.count == 1


@given(st.lists(st.integers(0, 10**12), max_size=50))
def test_both_counts_fall_into_the_same_doublings(durations_ns: list[int]) -> None:
    """Show that the quick counts hold each duration below its power of two, as the fine ones folded together do; fails
    when either is off by one place.
    """
    quick, fine = Doublings(), Spread()
    for duration_ns in durations_ns:
        quick.record(max(duration_ns, 1))
        fine.record(duration_ns)
    counts = quick.counts()
    assert sum(counts) == len(durations_ns)
    for place, count in enumerate(counts):
        lowest = 1 << (place - 1) if place else 0
        assert count == sum(lowest <= max(one, 1) < 1 << place for one in durations_ns)
    assert fine.doublings() == counts[: len(fine.doublings())]
