"""One end of a link: an asyncio protocol around the pure codec, the same for clients and for the venue.

Both ends ping once an interval. An end that has heard nothing at all for the silence limit aborts the connection:
a stopped peer and a half-open connection look just like a quiet one otherwise. What waits to be written is bounded;
a frame that does not fit is not sent, and the caller decides whether that ends the connection.
"""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.errors import WireError
from appliance.wire.link import Decoder, encode
from appliance.wire.venue_link import Ping

_MessageT = TypeVar("_MessageT")


class LinkLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bound how long a link may be silent and how much it may hold."""

    ping_interval_ns: int = NANOSECONDS_PER_SECOND
    silence_ns_max: int = 3 * NANOSECONDS_PER_SECOND
    write_bytes_max: int = 4 << 20


class Link(asyncio.Protocol, Generic[_MessageT]):
    """Decode what arrives, ping, and drop a peer that is silent or speaks nonsense."""

    def __init__(
        self,
        decoder: Decoder[_MessageT],
        limits: LinkLimits,
        *,
        on_open: Callable[[], None],
        on_message: Callable[[_MessageT], None],
        on_closed: Callable[[str], None],
    ) -> None:
        """Tell the owner of the opening, each message but pings, and once of the closing with its reason."""
        self._decoder = decoder
        self._limits = limits
        self._on_open = on_open
        self._on_message = on_message
        self._on_closed = on_closed
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._heard_s = 0.0
        self._pings = 0
        self._reason = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start pinging."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a link needs a stream")
        self._transport = transport
        self._heard_s = asyncio.get_running_loop().time()
        self._schedule()
        self._on_open()

    def data_received(self, data: bytes) -> None:
        """Pass on every message these bytes complete."""
        self._heard_s = asyncio.get_running_loop().time()
        try:
            messages = self._decoder.feed(data)
        except WireError as problem:
            self.abort(str(problem))
            return
        for message in messages:
            if self._reason:
                return
            self._on_message(message)

    def connection_lost(self, problem: Exception | None) -> None:
        """Stop pinging and tell the owner why it ended."""
        if self._timer is not None:
            self._timer.cancel()
        self._transport = None
        self._on_closed(self._reason or (str(problem) if problem else "closed by the other side"))

    def send(self, message: object) -> bool:
        """Send a message now, or return False when it cannot leave; nothing of it has been sent then."""
        return self.send_frame(encode(message))

    def send_frame(self, frame: bytes) -> bool:
        """Send an encoded message now, or return False when it cannot leave."""
        transport = self._transport
        if transport is None or transport.is_closing() or self._reason:
            return False
        if transport.get_write_buffer_size() + len(frame) > self._limits.write_bytes_max:
            return False
        transport.write(frame)
        return True

    def abort(self, reason: str) -> None:
        """Drop the connection at once; the first reason is the one that counts."""
        self._reason = self._reason or reason
        if self._transport is not None:
            self._transport.abort()

    def close_when_written(self) -> None:
        """Close the connection after everything sent so far has left."""
        if self._transport is not None:
            self._transport.close()

    def _beat(self) -> None:
        silence_ns = int((asyncio.get_running_loop().time() - self._heard_s) * NANOSECONDS_PER_SECOND)
        if silence_ns > self._limits.silence_ns_max:
            self.abort(f"silent for {silence_ns // 1_000_000} ms")
            return
        self._pings += 1
        # A ping that does not fit is no loss: the peer that reads nothing is dropped by its own silence.
        self.send(Ping(self._pings))
        self._schedule()

    def _schedule(self) -> None:
        interval_s = self._limits.ping_interval_ns / NANOSECONDS_PER_SECOND
        self._timer = asyncio.get_running_loop().call_later(interval_s, self._beat)
