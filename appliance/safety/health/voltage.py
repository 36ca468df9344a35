"""Supply voltage: below 4.63 V the firmware raises a flag, and a card may be damaged by a write that fails half-way."""

from appliance.safety.health.verdict import Absent, Check, Consequence, Unreadable, Verdict, good, issue, unseen

LOW_NOW = 1 << 0
LOW_SINCE_POWER_ON = 1 << 16


def judge(reading: int | Absent | Unreadable) -> Verdict:
    """Judge the firmware's under-voltage bits: low now opens nothing, low before is an alarm."""
    check = Check.VOLTAGE
    if not isinstance(reading, int):
        return unseen(check, reading, blind=Consequence.ALARM)
    if reading & LOW_NOW:
        return issue(check, Consequence.NO_OPEN, "too low now: use a stronger power supply")
    if reading & LOW_SINCE_POWER_ON:
        return issue(check, Consequence.ALARM, "was too low since power-on: use a stronger power supply")
    return good(check, "never too low since power-on")
