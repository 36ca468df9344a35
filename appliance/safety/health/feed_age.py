"""Age of market data: a connection that is up and silent is the fault that looks most like health."""

from appliance.safety.health.verdict import Absent, Check, Consequence, Unreadable, Verdict, good, issue, unseen


def judge(reading: int | Absent | Unreadable, age_ms_max: int) -> Verdict:
    """Judge the age of the oldest instrument's quote."""
    check = Check.FEED_AGE
    if isinstance(reading, Absent):
        # Unlike a sensor, a quote that was never heard is something missing.
        return issue(check, Consequence.NO_OPEN, reading.what)
    if isinstance(reading, Unreadable):
        return unseen(check, reading, blind=Consequence.NO_OPEN)
    if reading > age_ms_max:
        return issue(check, Consequence.NO_OPEN, f"{reading:,} ms old, at most {age_ms_max:,} ms")
    return good(check, f"{reading:,} ms old")
