"""The venue's clock beside ours: further apart no order leaves, so nothing is decided that could not leave anyway."""

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


def judge(apart_ms: int | Absent | Unreadable, limit_ms: int, previous: Verdict | None) -> Verdict:
    """Judge how many milliseconds the venue's clock is ahead of ours; one too far has to come a tenth nearer again."""
    check = Check.VENUE_CLOCK
    if not isinstance(apart_ms, int):
        return unseen(check, apart_ms, blind=Consequence.NO_OPEN)
    detail = f"{apart_ms / 1000:+.3f} s from ours"
    for consequence, limit in ((Consequence.NO_OPEN, limit_ms), (Consequence.ALARM, limit_ms // 2)):
        if abs(apart_ms) > limit - limit // 10 * raised(previous, consequence):
            return issue(check, consequence, f"{detail}, at most {limit / 1000:.3f} s")
    return good(check, detail)
