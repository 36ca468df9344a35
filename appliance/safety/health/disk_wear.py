"""Disk wear: how much is written in a day at the present rate, and what the card itself says of its life, if it does.

Cards and eMMC chips end by being written. An eMMC tells its used life in tenths (JESD84-B51, 7.4.86, 1 to 10, 11 for
exceeded); a plain card tells nothing, so the rate is all there is.
"""

from typing import NamedTuple

from appliance.safety.health.verdict import Absent, Check, Consequence, Unreadable, Verdict, good, issue, unseen

NANOSECONDS_PER_DAY = 86_400 * 1_000_000_000
# A rate over less than this says more about the start than about the day.
MEASURED_NS_MIN = 3_600 * 1_000_000_000
USED_TENTHS_MAX = 9
_MEGABYTE = 1_000_000


class Wear(NamedTuple):
    """Hold what was written in a while, and the used life in tenths or None."""

    written_bytes: int
    measured_ns: int
    used_tenths: int | None


def judge(reading: Wear | Absent | Unreadable, megabytes_per_day_max: int) -> Verdict:
    """Judge the rate and the used life; both are only ever alarms."""
    check = Check.DISK_WEAR
    if isinstance(reading, Absent | Unreadable):
        return unseen(check, reading, blind=Consequence.ALARM)
    life = "" if reading.used_tenths is None else f", {reading.used_tenths * 10} % of its life used"
    if reading.used_tenths is not None and reading.used_tenths >= USED_TENTHS_MAX:
        return issue(check, Consequence.ALARM, f"the card is near its end{life}: replace it")
    if reading.measured_ns < MEASURED_NS_MIN:
        return good(check, f"{reading.written_bytes // _MEGABYTE:,} MB written, too soon for a rate{life}")
    per_day = reading.written_bytes * NANOSECONDS_PER_DAY // (reading.measured_ns * _MEGABYTE)
    detail = f"{per_day:,} MB a day{life}"
    if per_day > megabytes_per_day_max:
        return issue(check, Consequence.ALARM, f"{detail}, at most {megabytes_per_day_max:,} MB wanted")
    return good(check, detail)
