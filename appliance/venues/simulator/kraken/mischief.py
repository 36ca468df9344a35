"""Spoil messages on their way out as a plan of faults says."""

import re
from typing import Final

from appliance.venues.simulator.kraken.faults import Chance, FaultPlan
from appliance.wire.kraken.serving.encoding import encoded

DELAYS_S: Final = (0.05, 0.2, 0.5, 1.5)
# Longer than any client waits for an answer.
LATE_ACK_S: Final = 10.0
_NUMBER = re.compile(rb'"req_id":([0-9]+)')
_METHOD = re.compile(rb'"method":"([a-z_]+)"')
_CHECKSUM = re.compile(rb'"checksum":([0-9]+)')


def mangled(frames: list[bytes], plan: FaultPlan) -> list[tuple[bytes, float]]:
    """Return what leaves instead, each with how much longer than usual it is under way."""
    left: list[tuple[bytes, float]] = []
    for frame in frames:
        if plan.strikes(Chance.DROP):
            continue
        told = corrupted(frame) if b'"checksum"' in frame and plan.strikes(Chance.CORRUPT) else frame
        extra_s = DELAYS_S[plan.pick(len(DELAYS_S))] if plan.strikes(Chance.DELAY) else 0.0
        if left and plan.strikes(Chance.REORDER):
            left.insert(-1, (told, extra_s))
        else:
            left.append((told, extra_s))
        if plan.strikes(Chance.DUPLICATE):
            left.append((told, 0.0))
    return left


def corrupted(frame: bytes) -> bytes:
    """Return a book's frame with another checksum than its levels have."""
    return _CHECKSUM.sub(lambda found: b'"checksum":%d' % (int(found[1]) ^ 1), frame)


def disowned(answer: bytes) -> bytes:
    """Return an error in place of a success: the order lives, and the venue says that something went wrong."""
    if b'"success":true' not in answer:
        return answer
    found, method = _NUMBER.search(answer), _METHOD.search(answer)
    number = None if found is None else int(found[1])
    times = re.findall(rb'"time_(?:in|out)":"([^"]+)"', answer)
    body = {"error": "EGeneral:Internal error", "method": method[1].decode() if method else "add_order"}
    told: dict[str, object] = body | ({} if number is None else {"req_id": number}) | {"success": False}
    return encoded(told | {"time_in": times[0].decode(), "time_out": times[1].decode()})
