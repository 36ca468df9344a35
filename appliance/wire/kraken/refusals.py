"""What is not accepted, and the one door through which JSON from the venue is parsed.

A message that does not fit is an expected outcome, so a refusal is a value with a countable reason, never an exception.
Size and nesting are judged before parsing: a parser given a bomb has already lost.
"""

import enum
from typing import Final, TypeVar

import msgspec

from appliance.kernels.nesting import nesting

# A snapshot of a thousand levels a side is some 100 kB, the list of all instruments about 500 kB.
FRAME_BYTES_MAX: Final = 4 * 1024 * 1024
NESTING_MAX: Final = 16
_UNKNOWN_FIELD = "Object contains unknown field"
_DETAIL_LETTERS_MAX = 200

T = TypeVar("T")


class Reason(enum.StrEnum):
    """Name why a message was refused."""

    OVERSIZED = "oversized frame"
    TOO_DEEP = "nested too deeply"
    NOT_JSON = "not JSON"
    UNKNOWN_CHANNEL = "unknown channel"
    UNKNOWN_METHOD = "unknown method"
    UNKNOWN_FIELD = "unknown field"
    WRONG_SHAPE = "wrong shape"
    UNKNOWN_SYMBOL = "unknown symbol"
    BAD_NUMBER = "not a positive decimal number"
    OFF_GRID = "more digits than the instrument has"
    OUT_OF_RANGE = "number out of range"
    BAD_TIME = "not a time"
    TOO_MANY = "too many entries"


class Refused(msgspec.Struct, frozen=True):
    """Say why a message was not accepted; the detail is for a person and never a whole message."""

    reason: Reason
    detail: str = ""


def refused(reason: Reason, detail: str = "") -> Refused:
    """Return a refusal with its detail kept short."""
    return Refused(reason, detail[:_DETAIL_LETTERS_MAX])


def judged(frame: bytes) -> Refused | None:
    """Refuse a frame by its size or nesting, before parsing."""
    if len(frame) > FRAME_BYTES_MAX:
        return refused(Reason.OVERSIZED, f"{len(frame)} bytes")
    depth = nesting(frame)
    return refused(Reason.TOO_DEEP, f"{depth} levels") if depth > NESTING_MAX else None


def parsed(decoder: "msgspec.json.Decoder[T]", text: bytes | msgspec.Raw) -> T | Refused:
    """Decode a text that was judged, turning what does not fit into a refusal."""
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as problem:
        told = str(problem)
        return refused(Reason.UNKNOWN_FIELD if told.startswith(_UNKNOWN_FIELD) else Reason.WRONG_SHAPE, told)
    # The library reports text that is not UTF-8 inside a string by the codec's own error.
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        return refused(Reason.NOT_JSON, str(problem))
