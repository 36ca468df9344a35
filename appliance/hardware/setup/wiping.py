"""Take keys out of the text of `setup.toml` without moving anything else in it.

The text keeps its length, so that writing it back goes over the very bytes that held the key. What a card keeps of its
own accord in blocks that it has replaced cannot be reached from here, which is why a key for this box should be one
that can be revoked.
"""

import re
from typing import Final

from appliance.hardware.setup.settings import CREDENTIALS

_NAMES: Final = "|".join(CREDENTIALS)
_ASSIGNMENT: Final = re.compile(
    rf"""^(?P<head>[ \t]*(?:{_NAMES})[ \t]*=[ \t]*)(?P<value>"(?:[^"\\\n]|\\.)*"|'[^'\n]*')(?P<tail>.*)$""",
    re.MULTILINE,
)
_DONE: Final = " # moved into the box"


def wiped(data: bytes) -> bytes:
    """Return the file with every key in it replaced by nothing, as long as before."""
    return _ASSIGNMENT.sub(_emptied, data.decode("utf-8")).encode()


def _emptied(found: "re.Match[str]") -> str:
    if len(found["value"]) == 2:  # noqa: PLR2004 - the two quotation marks of an empty value
        return found[0]
    length = len(found[0].encode())
    short = f'{found["head"]}""{_DONE}'
    if len(short.encode()) > length:
        short = f'{found["head"]}""'
    return short + " " * (length - len(short.encode()))
