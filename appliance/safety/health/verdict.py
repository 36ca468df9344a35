"""What a health check is told and what it says, the same for all of them.

A reading is a number, or the word that there is nothing to read, or that there is and reading failed. The three are
never confused: a sensor that is not there is not a good one, and one that fails says so. An issue, once raised, is
taken back only when the reading is better than its limit by a margin, so that no verdict flutters.
"""

from enum import StrEnum, unique
from typing import NamedTuple


@unique
class Check(StrEnum):
    """Name every check."""

    TEMPERATURE = "processor temperature"
    THROTTLING = "throttling"
    VOLTAGE = "supply voltage"
    DISK_SPACE = "disk space"
    DISK_WRITABLE = "disk writable"
    DISK_WEAR = "disk wear"
    MEMORY = "memory"
    CLOCK = "clock"
    VENUE_CLOCK = "venue's clock"
    FEED_AGE = "market data"
    JOURNAL = "journal"
    CHECKS = "health checks"


@unique
class Condition(StrEnum):
    """Name how a check found things."""

    GOOD = "good"
    ISSUE = "issue"
    ABSENT = "not present"
    UNREADABLE = "unreadable"


@unique
class Consequence(StrEnum):
    """Name what follows from a verdict, from nothing to the end of trading until a person looks."""

    NONE = "none"
    ALARM = "alarm"
    NO_OPEN = "no-open"
    HALT = "halt"


class Absent(NamedTuple):
    """Say that this machine has nothing to read."""

    what: str


class Unreadable(NamedTuple):
    """Say that there is something to read, but reading it failed."""

    why: str


class Verdict(NamedTuple):
    """Say what one check found and what follows."""

    check: Check
    condition: Condition
    consequence: Consequence
    detail: str

    @property
    def good(self) -> bool:
        """Tell whether all is well; what could not be seen is not."""
        return self.condition is Condition.GOOD


def good(check: Check, detail: str) -> Verdict:
    """Return that all is well."""
    return Verdict(check, Condition.GOOD, Consequence.NONE, detail)


def issue(check: Check, consequence: Consequence, detail: str) -> Verdict:
    """Return that something is wrong."""
    return Verdict(check, Condition.ISSUE, consequence, detail)


def unseen(check: Check, reading: Absent | Unreadable, *, blind: Consequence) -> Verdict:
    """Return that nothing was seen; `blind` is what follows when something is there that cannot be read."""
    match reading:
        case Absent(what=what):
            return Verdict(check, Condition.ABSENT, Consequence.NONE, f"not present: {what}")
        case Unreadable(why=why):
            return Verdict(check, Condition.UNREADABLE, blind, f"unreadable: {why}")


def raised(previous: Verdict | None, consequence: Consequence) -> bool:
    """Tell whether the last verdict had at least this consequence, so that a margin applies."""
    order = list(Consequence)
    return (
        previous is not None
        and previous.condition is Condition.ISSUE
        and order.index(previous.consequence) >= order.index(consequence)
    )
