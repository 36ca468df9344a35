"""Disk space: without room nothing is opened while there is still enough to write down how it is closed."""

from appliance.safety.health.verdict import Absent, Check, Consequence, Unreadable, Verdict, good, issue, raised, unseen

ALARM_TIMES = 2
_MARGIN_PERCENT = 110
_MEGABYTE = 1_000_000


def judge(reading: int | Absent | Unreadable, bytes_min: int, previous: Verdict | None) -> Verdict:
    """Judge the free bytes where the journal is."""
    check = Check.DISK_SPACE
    if not isinstance(reading, int):
        return unseen(check, reading, blind=Consequence.NO_OPEN)
    detail = f"{reading // _MEGABYTE:,} MB free"
    for consequence, least in ((Consequence.NO_OPEN, bytes_min), (Consequence.ALARM, ALARM_TIMES * bytes_min)):
        percent = _MARGIN_PERCENT if raised(previous, consequence) else 100
        if reading * 100 < least * percent:
            return issue(check, consequence, f"{detail}, at least {least // _MEGABYTE:,} MB wanted")
    return good(check, detail)
