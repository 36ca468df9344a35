"""Clock: whether anybody vouches for the wall clock. The step hears it with every tick, and opens nothing without."""

from appliance.safety.health.verdict import Absent, Check, Consequence, Unreadable, Verdict, good, issue, unseen


def judge(reading: bool | Absent | Unreadable, *, unsynced_allowed: bool) -> Verdict:
    """Judge the kernel's word about its clock; an owner may allow an unset one, which stays an alarm."""
    check = Check.CLOCK
    blind = Consequence.ALARM if unsynced_allowed else Consequence.NO_OPEN
    if isinstance(reading, Absent | Unreadable):
        return unseen(check, reading, blind=blind)
    return good(check, "synchronized") if reading else issue(check, blind, "nobody vouches for it")
