"""The signed remote stop: what it says, and every reason to refuse it but the signature.

A message is one line of plain letters, in its one spelling, of which all but the signature is signed:

    bot4-edge-stop-1 DEVICE WALL_MS SIGNATURE

It can say nothing but "stop": there is no word for anything else. WALL_MS is when it was signed and counts at the same
time: one that is not later than the last that was taken is a repetition, however it came here. The reporter judges so,
and the guardian, which does not trust the reporter, judges again and alone decides.
"""

import hashlib
import re
from enum import Enum, unique
from typing import Final, NamedTuple

MESSAGE_BYTES_MAX: Final = 256
AGE_MS_MAX: Final = 60_000
FUTURE_MS_MAX: Final = 5_000
_FORM: Final = re.compile(rb"(bot4-edge-stop-1 ([a-z0-9-]{1,32}) ([1-9][0-9]{12})) ([0-9a-f]{128})")
_FINGERPRINT_LETTERS: Final = 16


@unique
class Refusal(Enum):
    """Name why a message stops nothing."""

    TOO_LONG = "too long"
    RETAINED = "retained by the broker"
    MALFORMED = "no message of this form"
    OTHER_DEVICE = "for another device"
    REPEATED = "not later than the last one taken"
    TOO_OLD = "too old"
    FROM_FUTURE = "from the future"
    TOO_MANY = "too many at once"
    WRONG_SIGNATURE = "signed by another key, or changed"


class RemoteStop(NamedTuple):
    """Carry what a message says, and what shows who said it."""

    device: str
    wall_ms: int
    signed: bytes
    signature: bytes


def words_of(device: str, wall_ms: int) -> bytes:
    """Return the part of a message that is signed."""
    return b"bot4-edge-stop-1 %s %d" % (device.encode("ascii"), wall_ms)


def message_of(signed: bytes, signature: bytes) -> bytes:
    """Return the whole message."""
    return signed + b" " + signature.hex().encode("ascii")


def read(message: bytes) -> RemoteStop | Refusal:
    """Return what a message says, not yet believed."""
    if len(message) > MESSAGE_BYTES_MAX:
        return Refusal.TOO_LONG
    found = _FORM.fullmatch(message)
    if found is None:
        return Refusal.MALFORMED
    return RemoteStop(found[2].decode(), int(found[3]), found[1], bytes.fromhex(found[4].decode()))


def refusal(stop: RemoteStop, device: str, wall_ms: int, last_ms: int) -> Refusal | None:
    """Return why this device refuses a message at a moment, the signature aside."""
    if stop.device != device:
        return Refusal.OTHER_DEVICE
    if stop.wall_ms <= last_ms:
        return Refusal.REPEATED
    if stop.wall_ms < wall_ms - AGE_MS_MAX:
        return Refusal.TOO_OLD
    return Refusal.FROM_FUTURE if stop.wall_ms > wall_ms + FUTURE_MS_MAX else None


def fingerprint(public_key: bytes) -> str:
    """Return the few letters by which records name a key."""
    return hashlib.sha256(public_key).hexdigest()[:_FINGERPRINT_LETTERS]
