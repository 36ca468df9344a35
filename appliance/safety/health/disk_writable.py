"""Whether the disk still takes writes: the kernel remounts a failing card read-only, and then nothing can be kept."""

from appliance.safety.health.verdict import Absent, Check, Consequence, Unreadable, Verdict, good, issue, unseen


def judge(reading: bool | Absent | Unreadable) -> Verdict:
    """Judge whether the journal's file system is mounted for writing."""
    check = Check.DISK_WRITABLE
    if isinstance(reading, Absent | Unreadable):
        return unseen(check, reading, blind=Consequence.NO_OPEN)
    if not reading:
        return issue(check, Consequence.HALT, "mounted read-only: the card may be failing, replace it")
    return good(check, "yes")
