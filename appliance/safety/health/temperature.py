"""Processor temperature: the firmware slows down at 80 and 85 degrees; beyond the limit nothing is opened."""

from appliance.safety.health.verdict import (
    Absent,
    Check,
    Consequence,
    Unreadable,
    Verdict,
    good,
    issue,
    raised,
    unseen,
)

ALARM_BELOW_MILLICELSIUS = 10_000
MARGIN_MILLICELSIUS = 3_000


def judge(reading: int | Absent | Unreadable, limit_millicelsius: int, previous: Verdict | None) -> Verdict:
    """Judge a temperature in thousandths of a degree."""
    check = Check.TEMPERATURE
    if not isinstance(reading, int):
        return unseen(check, reading, blind=Consequence.ALARM)
    detail = f"{reading / 1000:.1f} °C"
    steps = (
        (Consequence.NO_OPEN, limit_millicelsius),
        (Consequence.ALARM, limit_millicelsius - ALARM_BELOW_MILLICELSIUS),
    )
    for consequence, limit in steps:
        if reading >= limit - MARGIN_MILLICELSIUS * raised(previous, consequence):
            return issue(check, consequence, f"{detail}, at most {limit / 1000:.0f} °C")
    return good(check, detail)
