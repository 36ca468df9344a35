"""Reading one HTTP request's head: pure, strict, and closed to everything a read-only page does not need.

Why by hand: the panel answers GET on a fixed table of paths and nothing else. A general server (aiohttp, uvicorn, the
standard library's http.server) brings methods, bodies, path mapping and keep-alive that would each have to be switched
off and proved off; this is one regular expression a line, and any bytes at all lead to a request or a refusal.

The grammar is RFC 9112: request line (3), field lines without folding and without space before the colon (5.1, 5.2),
bare CR or LF refused (2.2). A body is never read. The Host must be a name we know (RFC 9110, 7.2), so that a page of
another site whose name was re-bound to this address is turned away with 421.
"""

import base64
import hmac
import re
from collections.abc import Set as AbstractSet

import msgspec

from appliance.core.secret import Secret

PRESS_FIELD = b"x-bot4-press"
HEAD_BYTES_MAX = 8192
REQUEST_LINE_BYTES_MAX = 1024
FIELDS_MAX = 64

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb"{1,32}) ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])")
_FIELD_LINE = re.compile(rb"(" + _TOKEN + rb"{1,64}):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[0-9a-z._-]+)(?::[0-9]{1,5})?")


class Request(msgspec.Struct, frozen=True, gc=False):
    """Carry a request that may be answered."""

    path: str
    press: bool = False


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """Carry the status and the reason of a request that may not."""

    status: int
    reason: str


class Door(msgspec.Struct, frozen=True):
    """Say who is answered: by which names we may be called, which buttons may be pressed, and with which token.

    Buttons are there on simulated pins only. A press is a POST with a field that no form can send, and no page of
    another site without asking first (the Fetch standard's preflight): the asking is refused like every other method.
    """

    hosts: AbstractSet[str]
    presses: AbstractSet[str] = frozenset()
    token: Secret | None = None


def parse(head: bytes, door: Door) -> Request | Refusal:
    """Return the request in these bytes, which end with the empty line, or why it is refused."""
    if len(head) > HEAD_BYTES_MAX:
        return Refusal(431, "the request's head is too large")
    line, _, rest = head.removesuffix(b"\r\n\r\n").partition(b"\r\n")
    if len(line) > REQUEST_LINE_BYTES_MAX:
        return Refusal(414, "the address is too long")
    matched = _REQUEST_LINE.fullmatch(line)
    if matched is None:
        return Refusal(400, "this is not an HTTP request")
    method, target, major, minor = matched.groups()
    if major != b"1":
        return Refusal(505, "only HTTP/1 is spoken here")
    fields = _fields(rest)
    if isinstance(fields, Refusal):
        return fields
    return _judge(method, target.decode("ascii"), fields, door, host_required=minor != b"0")


def _fields(rest: bytes) -> dict[bytes, list[bytes]] | Refusal:
    lines = rest.split(b"\r\n") if rest else []
    if len(lines) > FIELDS_MAX:
        return Refusal(431, "the request has too many fields")
    fields: dict[bytes, list[bytes]] = {}
    for line in lines:
        matched = _FIELD_LINE.fullmatch(line)
        if matched is None:
            return Refusal(400, "a field of the request is malformed")
        fields.setdefault(matched[1].lower(), []).append(matched[2])
    return fields


def _judge(
    method: bytes, target: str, fields: dict[bytes, list[bytes]], door: Door, *, host_required: bool
) -> Request | Refusal:
    named = fields.get(b"host", [])
    if len(named) > 1 or (host_required and not named):
        return Refusal(400, "a request names exactly one host")
    if named and not _known(named[0], door.hosts):
        return Refusal(421, "this appliance does not answer to that name")
    if door.token is not None and not _admitted(fields.get(b"authorization", []), door.token):
        return Refusal(401, "this appliance asks for its access token")
    press = method == b"POST" and target in door.presses and fields.get(PRESS_FIELD) == [b"1"]
    if method != b"GET" and not press:
        return Refusal(405, "this page can only be read")
    if b"transfer-encoding" in fields or any(length != b"0" for length in fields.get(b"content-length", [])):
        return Refusal(400, "a GET request carries no body here")
    if not target.startswith("/"):
        return Refusal(400, "the address must be a path")
    return Request(target, press)


def _admitted(sent: list[bytes], token: Secret) -> bool:
    """Tell whether the token was sent, as a bearer's (RFC 6750, 2.1) or as the password of any name (RFC 7617)."""
    kind, _, value = (sent[0] if len(sent) == 1 else b"").partition(b" ")
    if kind.lower() == b"basic":
        try:
            value = base64.b64decode(value, validate=True).partition(b":")[2]
        except ValueError:
            return False
    elif kind.lower() != b"bearer":
        return False
    return hmac.compare_digest(value, token.reveal().encode())


def _known(host: bytes, hosts: AbstractSet[str]) -> bool:
    matched = _HOST.fullmatch(host.decode("latin-1").lower())
    return matched is not None and matched[1] in hosts
