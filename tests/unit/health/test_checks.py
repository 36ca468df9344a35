"""Every check in every state: good, issue, absent, unreadable, and both sides of each limit."""

from collections.abc import Callable

import pytest

from appliance.safety.health import (
    clock,
    disk_space,
    disk_wear,
    disk_writable,
    feed_age,
    journal,
    memory,
    temperature,
    throttling,
    venue_clock,
    voltage,
)
from appliance.safety.health.disk_wear import NANOSECONDS_PER_DAY, Wear
from appliance.safety.health.journal import Journaling
from appliance.safety.health.verdict import Absent, Check, Condition, Consequence, Unreadable, Verdict

NONE, ALARM, NO_OPEN, HALT = Consequence
MB = 1_000_000
MS = 1_000_000
ABSENT, UNREADABLE = Absent("nothing there"), Unreadable("it broke")
HOUR_NS = 3_600 * 10**9

Judge = Callable[..., Verdict]
CHECKS: dict[Check, Judge] = {
    Check.TEMPERATURE: lambda reading, *before: temperature.judge(reading, 85_000, *before or (None,)),
    Check.THROTTLING: throttling.judge,
    Check.VOLTAGE: voltage.judge,
    Check.DISK_SPACE: lambda reading, *before: disk_space.judge(reading, 100 * MB, *before or (None,)),
    Check.DISK_WRITABLE: disk_writable.judge,
    Check.DISK_WEAR: lambda reading: disk_wear.judge(reading, 500),
    Check.MEMORY: lambda reading, *before: memory.judge(reading, 64 * MB, *before or (None,)),
    Check.CLOCK: lambda reading: clock.judge(reading, unsynced_allowed=False),
    Check.VENUE_CLOCK: lambda reading, *before: venue_clock.judge(reading, 1_000, *before or (None,)),
    Check.FEED_AGE: lambda reading: feed_age.judge(reading, 5_000),
    Check.JOURNAL: lambda reading, *before: journal.judge(reading, 2_000, *before or (None,)),
}
READINGS = [
    (Check.TEMPERATURE, 74_999, NONE),
    (Check.TEMPERATURE, 75_000, ALARM),
    (Check.TEMPERATURE, 84_999, ALARM),
    (Check.TEMPERATURE, 85_000, NO_OPEN),
    (Check.THROTTLING, 0, NONE),
    (Check.THROTTLING, 1 << 0 | 1 << 16, NONE),
    (Check.THROTTLING, 1 << 1, ALARM),
    (Check.THROTTLING, 1 << 2, ALARM),
    (Check.THROTTLING, 1 << 3, ALARM),
    (Check.THROTTLING, 1 << 18, NONE),
    (Check.VOLTAGE, 0, NONE),
    (Check.VOLTAGE, 1 << 2, NONE),
    (Check.VOLTAGE, 1 << 16, ALARM),
    (Check.VOLTAGE, 1 << 0 | 1 << 16, NO_OPEN),
    (Check.DISK_SPACE, 200 * MB, NONE),
    (Check.DISK_SPACE, 200 * MB - 1, ALARM),
    (Check.DISK_SPACE, 100 * MB, ALARM),
    (Check.DISK_SPACE, 100 * MB - 1, NO_OPEN),
    (Check.DISK_WRITABLE, True, NONE),
    (Check.DISK_WRITABLE, False, HALT),
    (Check.DISK_WEAR, Wear(10**12, HOUR_NS - 1, None), NONE),
    (Check.DISK_WEAR, Wear(500 * MB, NANOSECONDS_PER_DAY, None), NONE),
    (Check.DISK_WEAR, Wear(501 * MB, NANOSECONDS_PER_DAY, None), ALARM),
    (Check.DISK_WEAR, Wear(0, 0, 8), NONE),
    (Check.DISK_WEAR, Wear(0, 0, 9), ALARM),
    (Check.MEMORY, 128 * MB, NONE),
    (Check.MEMORY, 128 * MB - 1, ALARM),
    (Check.MEMORY, 64 * MB, ALARM),
    (Check.MEMORY, 64 * MB - 1, NO_OPEN),
    (Check.CLOCK, True, NONE),
    (Check.CLOCK, False, NO_OPEN),
    (Check.VENUE_CLOCK, 500, NONE),
    (Check.VENUE_CLOCK, -501, ALARM),
    (Check.VENUE_CLOCK, 1_000, ALARM),
    (Check.VENUE_CLOCK, -1_000, ALARM),
    (Check.VENUE_CLOCK, 1_001, NO_OPEN),
    (Check.VENUE_CLOCK, -1_001, NO_OPEN),
    (Check.FEED_AGE, 5_000, NONE),
    (Check.FEED_AGE, 5_001, NO_OPEN),
    (Check.JOURNAL, Journaling(500 * MS, 0, 0), NONE),
    (Check.JOURNAL, Journaling(500 * MS + 1, 0, 0), ALARM),
    (Check.JOURNAL, Journaling(2_000 * MS, 0, 0), ALARM),
    (Check.JOURNAL, Journaling(2_000 * MS + 1, 0, 0), NO_OPEN),
    (Check.JOURNAL, Journaling(1, 2_000 * MS + 1, 3), NO_OPEN),
]
BLIND = {
    Check.TEMPERATURE: ALARM,
    Check.THROTTLING: ALARM,
    Check.VOLTAGE: ALARM,
    Check.DISK_SPACE: NO_OPEN,
    Check.DISK_WRITABLE: NO_OPEN,
    Check.DISK_WEAR: ALARM,
    Check.MEMORY: ALARM,
    Check.CLOCK: NO_OPEN,
    Check.VENUE_CLOCK: NO_OPEN,
    Check.FEED_AGE: NO_OPEN,
    Check.JOURNAL: NO_OPEN,
}


@pytest.mark.parametrize(("check", "reading", "consequence"), READINGS)
def test_each_side_of_each_limit(check: Check, reading: object, consequence: Consequence) -> None:
    """Shows what follows from a reading on either side of every limit; fails when a limit moves or is inverted."""
    verdict = CHECKS[check](reading)
    assert (verdict.check, verdict.consequence) == (check, consequence)
    assert verdict.condition is (Condition.GOOD if consequence is NONE else Condition.ISSUE)
    assert verdict.good is (consequence is NONE)
    assert verdict.detail


@pytest.mark.parametrize("check", CHECKS)
def test_what_is_not_there_is_never_good(check: Check) -> None:
    """Shows that an absent sensor says so and forbids nothing, but for a market nobody quotes; fails when absence looks
    like health.
    """
    verdict = CHECKS[check](ABSENT)
    assert not verdict.good
    assert "nothing there" in verdict.detail
    if check is Check.FEED_AGE:
        assert (verdict.condition, verdict.consequence) == (Condition.ISSUE, NO_OPEN)
    else:
        assert (verdict.condition, verdict.consequence) == (Condition.ABSENT, NONE)


@pytest.mark.parametrize("check", CHECKS)
def test_what_cannot_be_read_is_an_alarm_or_worse(check: Check) -> None:
    """Shows that a sensor which is there and fails is listed as unreadable with its consequence; fails when a broken
    reading looks like a missing or a good one.
    """
    verdict = CHECKS[check](UNREADABLE)
    assert (verdict.condition, verdict.consequence) == (Condition.UNREADABLE, BLIND[check])
    assert not verdict.good


def test_every_check_is_tested_here() -> None:
    """Shows that the tables name every check but the one about the checks themselves; fails when one is forgotten."""
    assert {*CHECKS, Check.CHECKS} == set(Check)
    assert {check for check, _, _ in READINGS} == set(CHECKS) == set(BLIND)


@pytest.mark.parametrize(
    ("check", "raised", "kept", "freed"),
    [
        (Check.TEMPERATURE, 85_000, 82_000, 81_999),
        (Check.DISK_SPACE, 100 * MB - 1, 110 * MB - 1, 110 * MB),
        (Check.VENUE_CLOCK, -1_001, -901, -900),
        (Check.MEMORY, 64 * MB - 1, int(70.4 * MB) - 1, int(70.4 * MB)),
        (
            Check.JOURNAL,
            Journaling(2_001 * MS, 0, 0),
            Journaling(1_600 * MS + 1, 0, 0),
            Journaling(1_600 * MS, 0, 0),
        ),
    ],
)
def test_an_issue_is_taken_back_only_by_a_margin(check: Check, raised: object, kept: object, freed: object) -> None:
    """Shows both sides of the margin after an issue, and that without one the limit itself counts; fails when a verdict
    flutters around its limit.
    """
    before = CHECKS[check](raised)
    assert before.consequence is NO_OPEN
    assert CHECKS[check](kept, before).consequence is NO_OPEN
    assert CHECKS[check](freed, before).consequence is ALARM
    assert CHECKS[check](kept).consequence is ALARM


def test_an_owner_may_allow_an_unset_clock() -> None:
    """Shows that the setting makes it an alarm, not good; fails when it is ignored or hidden."""
    unset = False
    verdict = clock.judge(unset, unsynced_allowed=True)
    assert (verdict.good, verdict.consequence) == (False, ALARM)
