"""Which backups are made and which go, by worked examples."""

from datetime import UTC, datetime

import pytest

from appliance.store.retention import Kept, Plan, Retention, period_number, plan

HOUR_NS = 3_600 * 10**9
DAY_NS = 24 * HOUR_NS


def at(text: str) -> int:
    """Return a moment in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


def test_an_empty_folder_is_due_for_every_class() -> None:
    """The first backup serves all four classes; it fails if one waits for its next period."""
    assert plan(at("2025-06-15T12:30"), ()) == Plan(("hourly", "daily", "weekly", "monthly"), ())


def test_nothing_is_due_twice_in_a_period() -> None:
    """Within the hour nothing is made, at the next full hour only the hourly is; it fails if periods drift."""
    there = tuple(Kept(period, at("2025-06-15T12:30"), period) for period in ("hourly", "daily", "weekly", "monthly"))
    assert plan(at("2025-06-15T12:59:59"), there).make == ()
    assert plan(at("2025-06-15T13:00"), there).make == ("hourly",)
    assert plan(at("2025-06-16T00:00"), there).make == ("hourly", "daily", "weekly")
    assert plan(at("2025-07-01T00:00"), there).make == ("hourly", "daily", "weekly", "monthly")


def test_the_oldest_go_when_a_class_is_full() -> None:
    """A full class loses its oldest for the new one; it fails if the newest goes or the count creeps up."""
    start = at("2025-06-15T00:00")
    there = tuple(Kept("hourly", start + hour * HOUR_NS, f"h{hour:02d}") for hour in range(24))
    assert plan(start + 24 * HOUR_NS, there, retention=Retention(daily=0, weekly=0, monthly=0)).delete == ("h00",)


def test_a_clock_set_back_does_not_delete_what_is_being_made() -> None:
    """At 1970 a backup is made, and the oldest others make room; it fails if the new one counts as old."""
    there = tuple(Kept("hourly", at("2025-06-15T00:00") + hour * HOUR_NS, f"h{hour:02d}") for hour in range(24))
    assert plan(0, there, retention=Retention(daily=0, weekly=0, monthly=0)) == Plan(("hourly",), ("h00",))


def test_hourly_copies_keep_to_the_cards_budget() -> None:
    """A large journal is copied less often, a day's copies staying in budget; it fails if size is ignored."""
    retention = Retention(daily=0, weekly=0, monthly=0, hourly_bytes_per_day_max=200)
    there = (Kept("hourly", 0, "h"),)
    assert plan(5 * HOUR_NS, there, copy_bytes=50, retention=retention).make == ()
    assert plan(6 * HOUR_NS, there, copy_bytes=50, retention=retention).make == ("hourly",)


def test_a_class_that_is_not_kept_is_not_made() -> None:
    """Retention zero turns a class off and clears it; it fails if it is made to be deleted at once."""
    retention = Retention(hourly=0, daily=0, weekly=0, monthly=0)
    assert plan(DAY_NS, (Kept("daily", 0, "d"),), retention=retention) == Plan((), ("d",))


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("2025-06-15T23:59:59", "2025-06-16T00:00:00", False),
        ("2025-06-16T00:00:00", "2025-06-22T23:59:59", True),
    ],
)
def test_weeks_begin_on_monday(before: str, after: str, *, same: bool) -> None:
    """Sunday and Monday are different weeks, Monday to Sunday one; it fails if weeks start on 1970's Thursday."""
    assert (period_number("weekly", at(before)) == period_number("weekly", at(after))) is same
