"""Frames between our own processes over a byte stream.

A frame is four bytes of length, big-endian, and that many bytes of JSON (a tagged array). The length is checked before
one byte of the body is kept, so a peer can make the decoder hold one frame at most. A stream that was wrong once has no
frame boundary left to trust: the decoder stays refused and the shell must drop the connection. Messages in front of
the fault are still delivered; the fault is raised by the next call.
"""

import enum
from typing import Any, Generic, TypeVar

import msgspec

from appliance.core.errors import WireError

FRAME_BYTES_MAX = 1 << 20
_LENGTH_BYTES = 4
_MessageT = TypeVar("_MessageT")
_ENCODER = msgspec.json.Encoder()


class WireFault(enum.StrEnum):
    """Name what can be wrong with a stream of frames."""

    OVERSIZED = "oversized frame"
    GARBAGE = "garbage in a frame"
    TRUNCATED = "stream ended inside a frame"


def encode(message: object, frame_bytes_max: int = FRAME_BYTES_MAX) -> bytes:
    """Return a message as one frame, refusing one that the other side would refuse."""
    body = _ENCODER.encode(message)
    if len(body) > frame_bytes_max:
        raise WireError(f"{WireFault.OVERSIZED}: {len(body)} bytes to send, limit {frame_bytes_max}")
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


class Decoder(Generic[_MessageT]):
    """Turn received bytes into messages of one type, however the stream was cut."""

    __slots__ = ("_body", "_fault", "_frame_bytes_max", "_pending", "frames", "refused")

    def __init__(self, decode_type: Any, frame_bytes_max: int = FRAME_BYTES_MAX) -> None:  # noqa: ANN401 - a union is no `type`
        """Decode frames of that type, each at most so many bytes."""
        self._body: msgspec.json.Decoder[_MessageT] = msgspec.json.Decoder(decode_type)
        self._frame_bytes_max = frame_bytes_max
        self._pending = bytearray()
        self._fault = ""
        self.frames = 0
        self.refused: dict[WireFault, int] = dict.fromkeys(WireFault, 0)

    @property
    def pending_bytes(self) -> int:
        """Return how many bytes of an unfinished frame are held."""
        return len(self._pending)

    def feed(self, data: bytes) -> list[_MessageT]:
        """Return the messages these bytes complete."""
        self._raise_fault()
        self._pending += data
        messages: list[_MessageT] = []
        offset = 0
        while (body := self._next_body(offset)) is not None and self._decode(body, messages):
            offset += _LENGTH_BYTES + len(body)
        del self._pending[:offset]
        if not messages:
            self._raise_fault()
        return messages

    def finish(self) -> None:
        """Check at the end of the stream that it ended between two frames."""
        if self._pending and not self._fault:
            self._refuse(WireFault.TRUNCATED, f"{len(self._pending)} bytes of it arrived")
        self._raise_fault()

    def _next_body(self, offset: int) -> bytes | None:
        start = offset + _LENGTH_BYTES
        if len(self._pending) < start:
            return None
        length = int.from_bytes(self._pending[offset:start], "big")
        if length > self._frame_bytes_max:
            self._refuse(WireFault.OVERSIZED, f"{length} bytes announced, limit {self._frame_bytes_max}")
            return None
        end = start + length
        return bytes(self._pending[start:end]) if len(self._pending) >= end else None

    def _decode(self, body: bytes, messages: list[_MessageT]) -> bool:
        try:
            messages.append(self._body.decode(body))
        except (ValueError, RecursionError) as problem:  # msgspec's errors and UnicodeDecodeError are ValueErrors
            self._refuse(WireFault.GARBAGE, str(problem))
            return False
        self.frames += 1
        return True

    def _refuse(self, fault: WireFault, detail: str) -> None:
        self.refused[fault] += 1
        self._fault = f"{fault}: {detail}"
        self._pending = bytearray()

    def _raise_fault(self) -> None:
        if self._fault:
            raise WireError(self._fault)
