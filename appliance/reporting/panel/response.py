"""Writing one HTTP response: every answer closes its connection and carries the same strict security fields."""

from http import HTTPStatus

import msgspec

from appliance.reporting.panel.request import Refusal

# Nothing may be loaded from elsewhere, run inline, framed or posted: the page is its own files and its own stream.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FIELDS = (
    "Connection: close",
    f"Content-Security-Policy: {_POLICY}",
    "X-Content-Type-Options: nosniff",
    "X-Frame-Options: DENY",
    "Referrer-Policy: no-referrer",
    "Cross-Origin-Resource-Policy: same-origin",
    "Cross-Origin-Opener-Policy: same-origin",
    "Permissions-Policy: camera=(), geolocation=(), microphone=()",
    "Cache-Control: no-store",
)
EVENT_STREAM_TYPE = "text/event-stream; charset=utf-8"


class Response(msgspec.Struct, frozen=True, gc=False):
    """Carry a whole answer."""

    status: int
    content_type: str
    body: bytes


def refusal_response(refusal: Refusal) -> Response:
    """Return the answer to a request that is refused."""
    return Response(refusal.status, "text/plain; charset=utf-8", f"{refusal.status}: {refusal.reason}\n".encode())


def encode_head(status: int, content_type: str, length_bytes: int | None) -> bytes:
    """Return an answer's head; a stream has no length."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Content-Type: {content_type}", *_FIELDS]
    if length_bytes is not None:
        lines.append(f"Content-Length: {length_bytes}")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        lines.append("Allow: GET")
    if status == HTTPStatus.UNAUTHORIZED:
        lines.append('WWW-Authenticate: Basic realm="Bot4 Edge: any name, and the access token"')
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        lines.append("Retry-After: 3")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def encode_response(response: Response) -> bytes:
    """Return a whole answer as bytes."""
    return encode_head(response.status, response.content_type, len(response.body)) + response.body


def encode_event(document: bytes) -> bytes:
    """Return one server-sent event; the document is JSON on one line."""
    return b"data: " + document + b"\n\n"
