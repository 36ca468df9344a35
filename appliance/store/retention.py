"""Which backups to make and which to let go: a pure function of the time and of what is there.

A backup belongs to a class (hourly, daily, weekly, monthly) and to the period of that class it was made in. A class
is due when its period has none. Of each class the newest are kept; the one being made counts among them and is never
the one to go, even if the clock was set back and it looks old.
"""

from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from appliance.core.clock import NANOSECONDS_PER_DAY, NANOSECONDS_PER_SECOND

CLASSES = ("hourly", "daily", "weekly", "monthly")

_NANOSECONDS_PER_HOUR = 3_600 * NANOSECONDS_PER_SECOND
_DAYS_PER_WEEK = 7
_DAYS_FROM_MONDAY_TO_1970 = 3
_MONTHS_PER_YEAR = 12


class Kept(NamedTuple):
    """Name one backup that is there."""

    period: str
    wall_ns: int
    name: str


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """Say how many backups of each class are kept, and how much hourly copying the card may bear a day."""

    hourly: int = 24
    daily: int = 7
    weekly: int = 4
    monthly: int = 12
    hourly_bytes_per_day_max: int = 200_000_000

    def count(self, period: str) -> int:
        """Return how many backups of a class are kept."""
        return {"hourly": self.hourly, "daily": self.daily, "weekly": self.weekly, "monthly": self.monthly}[period]


class Plan(NamedTuple):
    """Say which classes a new backup is made for, and which backups go once it is there."""

    make: tuple[str, ...]
    delete: tuple[str, ...]


DEFAULT_RETENTION = Retention()


def plan(
    now_wall_ns: int, existing: tuple[Kept, ...], copy_bytes: int = 0, retention: Retention = DEFAULT_RETENTION
) -> Plan:
    """Return what to make and what to delete at a moment."""
    make = tuple(period for period in CLASSES if _due(period, now_wall_ns, existing, copy_bytes, retention))
    delete: list[str] = []
    for period in CLASSES:
        newest_first = sorted((kept for kept in existing if kept.period == period), key=_age_order, reverse=True)
        room = retention.count(period) - (period in make)
        delete.extend(kept.name for kept in newest_first[room:])
    return Plan(make, tuple(delete))


def period_number(period: str, wall_ns: int) -> int:
    """Return which period of its class a moment lies in, in UTC, weeks from Monday."""
    match period:
        case "hourly":
            return wall_ns // _NANOSECONDS_PER_HOUR
        case "daily":
            return wall_ns // NANOSECONDS_PER_DAY
        case "weekly":
            return (wall_ns // NANOSECONDS_PER_DAY + _DAYS_FROM_MONDAY_TO_1970) // _DAYS_PER_WEEK
        case _:
            moment = datetime.fromtimestamp(wall_ns // NANOSECONDS_PER_SECOND, tz=UTC)
            return moment.year * _MONTHS_PER_YEAR + moment.month


def _due(period: str, now_wall_ns: int, existing: tuple[Kept, ...], copy_bytes: int, retention: Retention) -> bool:
    made_ns = [kept.wall_ns for kept in existing if kept.period == period]
    if retention.count(period) == 0 or any(
        period_number(period, wall_ns) == period_number(period, now_wall_ns) for wall_ns in made_ns
    ):
        return False
    if period != "hourly":
        return True
    wait_ns = copy_bytes * NANOSECONDS_PER_DAY // retention.hourly_bytes_per_day_max
    return not any(0 <= now_wall_ns - wall_ns < wait_ns for wall_ns in made_ns)


def _age_order(kept: Kept) -> tuple[int, str]:
    return kept.wall_ns, kept.name
