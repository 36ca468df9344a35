"""One WebSocket connection on an asyncio transport around the websockets library's own protocol object.

The library's high-level client sends in a coroutine, so that between the gate's last look at the lease and the first
byte anything could happen, and it hands frames on through a queue. Its protocol object does the same work as plain
calls: a frame is passed on in the call that received it, and an order is written to the socket before `send` returns.
What arrives is read into one buffer that stays: asyncio would otherwise ask for 256 KiB at every read and give nearly
all of it back, which over hours leaves a heap full of holes.

An end that has heard nothing for the silence limit is given up: a half-open connection looks just like a quiet one
otherwise. The venue is pinged in its own protocol, which also tells how far its clock is from ours.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.venues.kraken.endpoint import Endpoint
from appliance.wire.kraken.refusals import FRAME_BYTES_MAX


class LinkLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bound how long a link may be silent, what it may hold, how fast it is talked at, and how it comes back."""

    ping_interval_ns: int = NANOSECONDS_PER_SECOND
    silence_ns_max: int = 3 * NANOSECONDS_PER_SECOND
    write_bytes_max: int = 1 << 20
    frames_per_second_max: int = 20_000
    retry_cap_ms: int = 5_000
    clock_offset_ns_max: int = NANOSECONDS_PER_SECOND


STANDARD: Final = LinkLimits()
READ_BYTES: Final = 64 << 10
_WRONG_KIND: Final = frozenset({Opcode.BINARY})


class WebSocketLink(asyncio.BufferedProtocol):
    """Speak WebSocket over one transport."""

    def __init__(
        self,
        place: Endpoint,
        limits: LinkLimits,
        *,
        on_open: Callable[[], None],
        on_frame: Callable[[bytes], None],
        on_beat: Callable[[], None],
        on_closed: Callable[[str], None],
    ) -> None:
        """Tell the owner of the opening, of each frame, of each moment to ping, and once of the closing."""
        self._protocol = ClientProtocol(parse_uri(place.websocket_url), max_size=FRAME_BYTES_MAX)
        self._limits = limits
        self._on_open = on_open
        self._on_frame = on_frame
        self._on_beat = on_beat
        self._on_closed = on_closed
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._parts: list[bytes] = []
        self._arrived = memoryview(bytearray(READ_BYTES))
        self._heard_s = 0.0
        self._frames_since_beat = 0
        self._reason = ""

    @property
    def open(self) -> bool:
        """Tell whether messages can be sent."""
        return self._transport is not None and not self._reason and self._protocol.state is OPEN

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask to speak WebSocket."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a WebSocket needs a stream")
        self._transport = transport
        self._heard_s = asyncio.get_running_loop().time()
        self._schedule()
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's own hint is to be ignored
        """Return where to put what arrives."""
        return self._arrived

    def buffer_updated(self, nbytes: int) -> None:
        """Pass on every frame that the bytes which arrived complete."""
        self._heard_s = asyncio.get_running_loop().time()
        self._protocol.receive_data(bytes(self._arrived[:nbytes]))
        for event in self._protocol.events_received():
            if self._reason:
                return
            if isinstance(event, Response):
                self._answered()
            elif isinstance(event, Frame):
                self._frame(event)
        self._flush()
        if self._protocol.parser_exc is not None:
            self.abort(f"not the WebSocket protocol: {self._protocol.parser_exc}")
        elif self._protocol.close_expected() and self._transport is not None:
            self._transport.close()

    def connection_lost(self, problem: Exception | None) -> None:
        """Stop pinging and tell the owner why it ended."""
        if self._timer is not None:
            self._timer.cancel()
        self._transport = None
        self._protocol.receive_eof()
        self._on_closed(self._reason or self._close_reason() or (str(problem) if problem else "closed by the venue"))

    def send(self, message: bytes) -> bool:
        """Send a message now, or return False when it cannot leave; nothing of it has been sent then."""
        transport = self._transport
        if transport is None or not self.open or transport.is_closing():
            return False
        if transport.get_write_buffer_size() + len(message) > self._limits.write_bytes_max:
            return False
        self._protocol.send_text(message)
        self._flush()
        return True

    def abort(self, reason: str) -> None:
        """Drop the connection at once; the first reason is the one that counts."""
        self._reason = self._reason or reason
        if self._transport is not None:
            self._transport.abort()

    def _answered(self) -> None:
        if self._protocol.handshake_exc is not None:
            self.abort(f"the venue refused to speak WebSocket: {self._protocol.handshake_exc}")
        else:
            self._on_open()

    def _frame(self, frame: Frame) -> None:
        self._frames_since_beat += 1
        if frame.opcode in _WRONG_KIND:
            self.abort("the venue sent a binary frame")
        elif frame.opcode in {Opcode.TEXT, Opcode.CONT}:
            self._parts.append(bytes(frame.data))
            if frame.fin:
                message = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
                self._parts.clear()
                self._on_frame(message)

    def _flush(self) -> None:
        transport = self._transport
        if transport is None:
            return
        for data in self._protocol.data_to_send():
            if data:
                transport.write(data)

    def _close_reason(self) -> str:
        received = self._protocol.close_rcvd
        return "" if received is None else f"closed by the venue: {received.code} {received.reason}".rstrip()

    def _beat(self) -> None:
        limits = self._limits
        silence_ns = int((asyncio.get_running_loop().time() - self._heard_s) * NANOSECONDS_PER_SECOND)
        allowed = limits.frames_per_second_max * limits.ping_interval_ns // NANOSECONDS_PER_SECOND
        if silence_ns > limits.silence_ns_max:
            self.abort(f"silent for {silence_ns // 1_000_000} ms")
            return
        if self._frames_since_beat > max(allowed, 1):
            self.abort(f"{self._frames_since_beat} frames in one interval are more than can be right")
            return
        self._frames_since_beat = 0
        if self.open:
            self._on_beat()
        self._schedule()

    def _schedule(self) -> None:
        interval_s = self._limits.ping_interval_ns / NANOSECONDS_PER_SECOND
        self._timer = asyncio.get_running_loop().call_later(interval_s, self._beat)
