"""Read HTTP/1.1 requests off a stream, with a bound on everything: one at a time, a body only by its length.

Only what clients of a REST interface send: no chunked bodies, no pipelining beyond what waits in the buffer, no
continuation lines (RFC 9112 lets a server refuse them). Whatever does not fit ends the connection.
"""

import re
from typing import Final

import msgspec

from appliance.core.errors import WireError

HEAD_BYTES_MAX: Final = 16 * 1024
BODY_BYTES_MAX: Final = 64 * 1024
HEADERS_MAX: Final = 64
_END: Final = b"\r\n\r\n"
_LINE = re.compile(rb"(GET|POST|HEAD|PUT|DELETE|PATCH|OPTIONS) ([!-~]{1,4096}) HTTP/1\.[01]")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}):[ \t]*([\t -~]*?)[ \t]*")


class HttpRequest(msgspec.Struct, frozen=True):
    """Carry one request."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    head: bytes


class HttpReader:
    """Collect bytes and cut requests out of them."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Take bytes in."""
        self._buffer += data
        if len(self._buffer) > HEAD_BYTES_MAX + BODY_BYTES_MAX:
            raise WireError("request too large")

    def rest(self) -> bytes:
        """Return what follows the last request."""
        left = bytes(self._buffer)
        self._buffer.clear()
        return left

    def next(self) -> HttpRequest | None:
        """Return the next whole request, or None while it is incomplete."""
        end = self._buffer.find(_END)
        if end < 0 or end > HEAD_BYTES_MAX:
            if len(self._buffer) > HEAD_BYTES_MAX:
                raise WireError("request head too large")
            return None
        head = bytes(self._buffer[:end])
        first, *lines = head.split(b"\r\n")
        line = _LINE.fullmatch(first)
        if line is None or len(lines) > HEADERS_MAX:
            raise WireError("malformed request line or too many headers")
        headers = _headers(lines)
        length = headers.get("content-length", "0")
        if not (length.isdigit() and len(length) <= len(str(BODY_BYTES_MAX)) and int(length) <= BODY_BYTES_MAX):
            raise WireError("body too large or of unknown length")
        if "transfer-encoding" in headers:
            raise WireError("chunked bodies are not served")
        stop = end + len(_END) + int(length)
        if len(self._buffer) < stop:
            return None
        body = bytes(self._buffer[end + len(_END) : stop])
        del self._buffer[:stop]
        return HttpRequest(line[1].decode(), line[2].decode(), headers, body, head + _END)


def response(status: str, body: bytes, *, keep: bool, content_type: str = "application/json") -> bytes:
    """Return a whole response."""
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
        f"Cache-Control: no-store\r\nConnection: {'keep-alive' if keep else 'close'}\r\n\r\n"
    )
    return head.encode() + body


def _headers(lines: list[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for text in lines:
        found = _HEADER.fullmatch(text)
        name = found[1].decode().lower() if found else ""
        # A header that comes twice could be read in two ways, and a request that can is not served.
        if found is None or name in headers:
            raise WireError("malformed or repeated header")
        headers[name] = found[2].decode()
    return headers
