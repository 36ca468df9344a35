"""One TCP connection of the paper venue: REST requests until one of them upgrades it to a WebSocket.

The WebSocket protocol itself is the library's (its sans-I/O half); what is here is the buffer, the bounds and the
delays. A client that reads too slowly, sends too much or is silent for too long is dropped, so none can make the venue
grow.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from websockets.exceptions import InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from appliance.core.errors import WireError
from appliance.venues.simulator.kraken.http import HttpReader, HttpRequest, response

FRAME_BYTES_MAX: Final = 64 * 1024
WRITE_BYTES_MAX: Final = 8 << 20
WAITING_MAX: Final = 4_096
HTTP_SILENCE_S_MAX: Final = 75.0
WS_PING_AFTER_S: Final = 30.0
WS_SILENCE_S_MAX: Final = 90.0
WS_PATH: Final = "/v2"


class Host(Protocol):
    """Be what a connection belongs to."""

    def opened(self, connection: "Connection") -> bool:
        """Take a connection in, or tell that there are too many."""
        ...

    def closed(self, connection: "Connection") -> None:
        """Forget a connection."""
        ...

    def called(self, connection: "Connection", request: HttpRequest) -> None:
        """Carry out a REST request and answer it with `respond`."""
        ...

    def upgraded(self, connection: "Connection") -> None:
        """Begin a session."""
        ...

    def received(self, connection: "Connection", frame: bytes) -> None:
        """Take a message of a session."""
        ...

    def delay_s(self) -> float:
        """Return how long the next message is under way."""
        ...


class Connection(asyncio.Protocol):
    """Speak HTTP, then perhaps WebSocket."""

    def __init__(self, host: Host) -> None:
        """Belong to a host."""
        self._host = host
        self._reader = HttpReader()
        self._ws: ServerProtocol | None = None
        self._transport: asyncio.Transport | None = None
        self._parts: list[bytes] = []
        self._busy = False
        self._heard_s = 0.0
        self._pinged = False
        self._due_in_s = self._due_out_s = 0.0
        # Timers of one and the same moment fire in any order: each takes the oldest of its queue, not what set it.
        self._in_order: deque[Callable[[], None]] = deque()
        self._out_order: deque[bytes] = deque()
        self._waiting = 0
        # A half-open peer: nothing arrives any more, nothing leaves, and nobody is told.
        self.half_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a connection needs a stream")
        self._transport = transport
        self._heard_s = self._now_s()
        if not self._host.opened(self):
            self.abort()

    def connection_lost(self, _: Exception | None) -> None:
        """End."""
        self._transport = None
        self._host.closed(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes in."""
        if self.half_open:
            return
        self._heard_s = self._now_s()
        self._pinged = False
        try:
            if self._ws is not None:
                self._receive_frames(self._ws, data)
            else:
                self._reader.feed(data)
                self._next_request()
        except WireError as problem:
            self._write(response("400 Bad Request", b'{"error":["EAPI:Bad request"]}', keep=False))
            self._close_after(str(problem))

    def eof_received(self) -> bool:
        """Let a peer that ends its half end the whole."""
        if self._ws is not None:
            self._ws.receive_eof()
            self._flush()
        return False

    def respond(self, status: str, body: bytes, *, keep: bool) -> None:
        """Answer the REST request under way and look for the next."""
        self._write(response(status, body, keep=keep))
        self._busy = False
        if not keep:
            self._close_after("not kept")
            return
        self._later(self._resume)

    def send(self, frame: bytes, extra_s: float = 0.0) -> None:
        """Send a message of the session, after the time it is under way."""
        delay_s = self._host.delay_s() + extra_s
        if delay_s <= 0 and not self._waiting:
            self._send_now(frame)
            return
        if self._waiting >= WAITING_MAX:
            self.abort()
            return
        self._waiting += 1
        # What was sent first arrives first, unless it was held back on purpose.
        due_s = self._now_s() + delay_s
        if extra_s:
            asyncio.get_running_loop().call_at(due_s, self._arrive_late, frame)
            return
        self._due_out_s = max(due_s, self._due_out_s)
        self._out_order.append(frame)
        asyncio.get_running_loop().call_at(self._due_out_s, self._arrive_out)

    def look(self) -> None:
        """End a connection that has been silent for too long, and ask one that begins to be."""
        silent_s = self._now_s() - self._heard_s
        if silent_s > (HTTP_SILENCE_S_MAX if self._ws is None else WS_SILENCE_S_MAX):
            self.abort()
        elif self._ws is not None and silent_s > WS_PING_AFTER_S and not self._pinged and not self.half_open:
            self._pinged = True
            self._ws.send_ping(b"")
            self._flush()

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close the session in good order."""
        if self._ws is not None and self._ws.state.name == "OPEN":
            self._ws.send_close(1001, "the venue ends")
            self._flush()
        self._close_after("closed")

    def _resume(self) -> None:
        try:
            self._next_request()
        except WireError:
            self.abort()

    def _next_request(self) -> None:
        request = None if self._busy else self._reader.next()
        if request is None:
            return
        if request.headers.get("upgrade", "").lower() == "websocket":
            self._upgrade(request)
            return
        self._busy = True
        self._after_delay(lambda: self._host.called(self, request))

    def _upgrade(self, request: HttpRequest) -> None:
        ws = ServerProtocol(max_size=FRAME_BYTES_MAX)
        ws.receive_data(request.head)
        events = ws.events_received()
        if request.target.partition("?")[0] != WS_PATH or not events or not isinstance(events[0], Request):
            raise WireError("no WebSocket is served there")
        try:
            ws.send_response(ws.accept(events[0]))
        except InvalidHandshake as problem:
            raise WireError("not a WebSocket handshake") from problem
        self._ws = ws
        self._flush()
        if ws.state.name != "OPEN":
            self._close_after("handshake refused")
            return
        self._host.upgraded(self)
        rest = self._reader.rest()
        if rest:
            self._receive_frames(ws, rest)

    def _receive_frames(self, ws: ServerProtocol, data: bytes) -> None:
        ws.receive_data(data)
        for event in ws.events_received():
            if isinstance(event, Frame) and event.opcode in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
                self._collect(event)
        self._flush()
        if ws.close_expected():
            self._close_after("closing handshake")

    def _collect(self, frame: Frame) -> None:
        self._parts.append(bytes(frame.data))
        if frame.fin:
            message = b"".join(self._parts)
            self._parts.clear()
            self._after_delay(lambda: self._host.received(self, message))

    def _after_delay(self, act: Callable[[], None]) -> None:
        delay_s = self._host.delay_s()
        now_s = self._now_s()
        if delay_s <= 0 and not self._in_order:
            act()
            return
        self._due_in_s = max(now_s + delay_s, self._due_in_s)
        self._waiting += 1
        if self._waiting > WAITING_MAX:
            self.abort()
            return
        self._in_order.append(act)
        asyncio.get_running_loop().call_at(self._due_in_s, self._arrive_in)

    def _arrive_in(self) -> None:
        self._waiting -= 1
        act = self._in_order.popleft()
        if self._transport is not None and not self.half_open:
            act()

    def _arrive_out(self) -> None:
        self._arrive_late(self._out_order.popleft())

    def _arrive_late(self, frame: bytes) -> None:
        self._waiting -= 1
        self._send_now(frame)

    def _send_now(self, frame: bytes) -> None:
        if self._ws is None or self._ws.state.name != "OPEN" or self.half_open:
            return
        self._ws.send_text(frame)
        self._flush()

    def _flush(self) -> None:
        if self._ws is None:
            return
        for data in self._ws.data_to_send():
            if data:
                self._write(data)
            else:
                self._close_after("end of stream")

    def _write(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing() or self.half_open:
            return
        if transport.get_write_buffer_size() + len(data) > WRITE_BYTES_MAX:
            transport.abort()
            return
        transport.write(data)

    def _close_after(self, _: str) -> None:
        if self._transport is not None:
            self._transport.close()

    def _later(self, act: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_soon(act)

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()
