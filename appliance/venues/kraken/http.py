"""One HTTP request and its answer as pure bytes, for a connection that serves a single request.

The parser is the websockets library's own, which bounds lines, headers and the body; so the trader and the last resort
read answers in the same way, one with an event loop and the other without.
"""

from collections.abc import Generator
from typing import Final

from websockets.exceptions import WebSocketException
from websockets.http11 import Response
from websockets.streams import StreamReader

from appliance.core.errors import WireError
from appliance.venues.kraken.endpoint import Endpoint

AGENT: Final = "bot4-edge"
ANSWER_BYTES_MAX: Final = 2 * 1024 * 1024
GOOD: Final = 200


def get(place: Endpoint, path: str) -> bytes:
    """Return the bytes that ask for a path."""
    return _head("GET", place, path, ()) + b"\r\n"


def post(place: Endpoint, path: str, body: bytes, headers: tuple[tuple[str, str], ...]) -> bytes:
    """Return the bytes that send a body to a path."""
    return _head("POST", place, path, (*headers, ("Content-Length", str(len(body))))) + b"\r\n" + body


class AnswerReader:
    """Take an answer's bytes as they come."""

    def __init__(self) -> None:
        self._stream = StreamReader()
        self._parser: Generator[None, None, Response] = Response.parse(
            self._stream.read_line, self._stream.read_exact, self._stream.read_to_eof
        )
        self._taken_bytes = 0

    def feed(self, data: bytes) -> bytes | None:
        """Take more bytes, none at the end, and return the whole body once it is there."""
        self._taken_bytes += len(data)
        if self._taken_bytes > ANSWER_BYTES_MAX:
            raise WireError(f"the venue's answer is longer than {ANSWER_BYTES_MAX} bytes")
        if data:
            self._stream.feed_data(data)
        else:
            self._stream.feed_eof()
        try:
            next(self._parser)
        except StopIteration as finished:
            return _body(finished.value)
        except (EOFError, LookupError, ValueError, RuntimeError, WebSocketException) as problem:
            raise WireError(f"the venue's answer is no HTTP answer: {problem}") from problem
        if not data:
            raise WireError("the venue closed the connection before its answer was whole")
        return None


def _body(response: Response) -> bytes:
    if response.status_code != GOOD:
        raise WireError(f"the venue answered with HTTP status {response.status_code}")
    return bytes(response.body)


def _head(method: str, place: Endpoint, path: str, headers: tuple[tuple[str, str], ...]) -> bytes:
    standard = (("Host", place.authority), ("User-Agent", AGENT), ("Connection", "close"))
    lines = [f"{method} {place.path}{path} HTTP/1.1", *(f"{name}: {value}" for name, value in (*standard, *headers))]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")
