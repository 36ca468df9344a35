"""Throttling, in the firmware's own word: the processor is held back now, or was since it was switched on.

The bits are those of the firmware's get_throttled: 1 frequency capped, 2 throttled, 3 soft temperature limit, and the
same from bit 16 on for "has happened since power-on". Under-voltage, bits 0 and 16, has a check of its own.
"""

from appliance.safety.health.verdict import Absent, Check, Consequence, Unreadable, Verdict, good, issue, unseen

CAPPED, THROTTLED, SOFT_LIMIT = 1 << 1, 1 << 2, 1 << 3
SINCE_POWER_ON_SHIFT = 16
_NAMES = ((CAPPED, "frequency capped"), (THROTTLED, "throttled"), (SOFT_LIMIT, "soft temperature limit"))


def judge(reading: int | Absent | Unreadable) -> Verdict:
    """Judge the firmware's word; slower is an alarm, never a reason to stop."""
    check = Check.THROTTLING
    if not isinstance(reading, int):
        return unseen(check, reading, blind=Consequence.ALARM)
    now = [name for bit, name in _NAMES if reading & bit]
    if now:
        return issue(check, Consequence.ALARM, ", ".join(now))
    before = [name for bit, name in _NAMES if reading & bit << SINCE_POWER_ON_SHIFT]
    return good(check, "none now; since power-on: " + ", ".join(before) if before else "never since power-on")
