"""Journal latency: every entry waits for its row to be on the disk, so a slow card makes every entry late."""

from typing import NamedTuple

from appliance.safety.health.verdict import Absent, Check, Consequence, Unreadable, Verdict, good, issue, raised, unseen

ALARM_OF = 4
_MARGIN_PERCENT = 80
_MILLISECOND = 1_000_000


class Journaling(NamedTuple):
    """Hold the last commit's duration, how long rows have waited now, and how many do."""

    commit_ns: int
    waiting_ns: int
    rows_waiting: int


def judge(reading: Journaling | Absent | Unreadable, limit_ms: int, previous: Verdict | None) -> Verdict:
    """Judge the slower of the last commit and the one that is still waited for."""
    check = Check.JOURNAL
    if not isinstance(reading, Journaling):
        return unseen(check, reading, blind=Consequence.NO_OPEN)
    slowest_ns = max(reading.commit_ns, reading.waiting_ns)
    detail = f"{slowest_ns / _MILLISECOND:,.1f} ms, {reading.rows_waiting:,} rows waiting"
    for consequence, most_ms in ((Consequence.NO_OPEN, limit_ms), (Consequence.ALARM, limit_ms // ALARM_OF)):
        percent = _MARGIN_PERCENT if raised(previous, consequence) else 100
        if slowest_ns * 100 > most_ms * _MILLISECOND * percent:
            return issue(check, consequence, f"{detail}, at most {most_ms:,} ms")
    return good(check, detail)
