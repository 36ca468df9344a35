"""Whatever the clock does, backups stay within their numbers and the new one is kept."""

from hypothesis import given
from hypothesis import strategies as st

from appliance.store.retention import CLASSES, Kept, Retention, period_number, plan

MOMENTS = st.integers(min_value=0, max_value=4_000_000_000 * 10**9)
COUNTS = st.integers(min_value=0, max_value=5)
RETENTIONS = st.builds(Retention, hourly=COUNTS, daily=COUNTS, weekly=COUNTS, monthly=COUNTS)


def carry_out(now_ns: int, there: tuple[Kept, ...], retention: Retention) -> tuple[Kept, ...]:
    """Return what is there after one plan is carried out."""
    planned = plan(now_ns, there, retention=retention)
    made = tuple(Kept(period, now_ns, f"{period}-{now_ns}") for period in planned.make)
    assert not {kept.name for kept in made} & set(planned.delete)
    return tuple(kept for kept in there if kept.name not in planned.delete) + made


@given(st.lists(MOMENTS, max_size=40), RETENTIONS)
def test_numbers_hold_and_the_newest_is_there(moments: list[int], retention: Retention) -> None:
    """After each run, at whatever times in whatever order, no class is above its number, the present period has its
    backup, and a second run at once does nothing; it fails if a clock step makes backups pile up or eat each other.
    """
    there: tuple[Kept, ...] = ()
    for now_ns in moments:
        there = carry_out(now_ns, there, retention)
        for period in CLASSES:
            mine = [kept for kept in there if kept.period == period]
            assert len(mine) <= retention.count(period)
            present = [kept for kept in mine if period_number(period, kept.wall_ns) == period_number(period, now_ns)]
            assert len(present) == (retention.count(period) > 0)
        assert plan(now_ns, there, retention=retention) == ((), ())


@given(st.lists(MOMENTS, min_size=1, max_size=40, unique=True))
def test_in_a_clock_that_runs_forward_the_newest_stay(moments: list[int]) -> None:
    """With time going forward each class keeps exactly its newest; it fails if an older one outlives a newer one."""
    there: tuple[Kept, ...] = ()
    made: list[Kept] = []
    for now_ns in sorted(moments):
        before = set(there)
        there = carry_out(now_ns, there, Retention(hourly=3, daily=2, weekly=2, monthly=1))
        made.extend(kept for kept in there if kept not in before)
    for period in CLASSES:
        mine = sorted(kept.wall_ns for kept in there if kept.period == period)
        assert mine == sorted(kept.wall_ns for kept in made if kept.period == period)[-len(mine) :]
