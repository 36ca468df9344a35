"""A local socket between two processes of the world: bytes in order, in pieces of any size, until it breaks.

Each end is an asyncio transport on its own process's loop. A reader that hangs or pauses leaves the bytes with the
writer, which is told to pause when too many wait; that is how a slow reporter is felt by a trader.
"""

import asyncio
import random
from collections import deque
from typing import Any

from appliance.world.links import milliseconds
from appliance.world.schedule import Beside
from appliance.world.virtual_loop import VirtualLoop

LATENCY_MS = (0, 3)
_BUFFER_BYTES = 64 << 10


class PipeEnd(asyncio.Transport):
    """Be one end."""

    def __init__(self, schedule: Beside, dice: random.Random, loop: VirtualLoop, protocol: asyncio.Protocol) -> None:
        """Speak for this protocol; `join` gives it another end."""
        super().__init__()
        self._schedule = schedule
        self._dice = dice
        self._loop = loop
        self._protocol = protocol
        self._arrived: deque[bytes | None] = deque()
        self._last_ns = 0
        self._unread_bytes = 0
        self._high_bytes = _BUFFER_BYTES
        self._writer_paused = self._reader_paused = self._closed = False
        self.peer: PipeEnd

    def write(self, data: Any) -> None:  # noqa: ANN401 - as asyncio has it
        """Send bytes, cut in two somewhere every other time."""
        if self._closed or not data:
            return
        whole = bytes(data)
        self._unread_bytes += len(whole)
        cut = self._dice.randrange(len(whole)) if self._dice.getrandbits(1) else 0
        for piece in (whole[:cut], whole[cut:]):
            if piece:
                self._send(piece)
        if self._unread_bytes > self._high_bytes and not self._writer_paused:
            self._writer_paused = True
            self._protocol.pause_writing()

    def get_write_buffer_size(self) -> int:
        """Return how many bytes the other side has not taken."""
        return self._unread_bytes

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:  # noqa: ARG002 - as asyncio has it
        """Pause the writer beyond so many bytes."""
        self._high_bytes = _BUFFER_BYTES if high is None else high

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401, ARG002 - as asyncio has it
        """Know nothing more of this connection."""
        return default

    def is_closing(self) -> bool:
        """Tell whether this end is closed."""
        return self._closed

    def pause_reading(self) -> None:
        """Leave what arrives where it is."""
        self._reader_paused = True

    def resume_reading(self) -> None:
        """Take what arrived meanwhile."""
        self._reader_paused = False
        self._loop.call_soon(self._take)

    def close(self) -> None:
        """End the connection after what was written."""
        if not self._closed:
            self._closed = True
            self._send(None)
            self._loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        """End the connection at once."""
        self.close()

    def break_off(self) -> None:
        """Let the connection break under both ends, with what was on its way."""
        self.fall()
        self.peer.fall()

    def fall(self) -> None:
        """Take that the connection broke."""
        self._arrived.clear()
        if not self._closed:
            self._closed = True
            self._loop.call_soon(self._protocol.connection_lost, ConnectionResetError("the connection broke"))

    def arrive(self, piece: bytes | None) -> None:
        """Take what came through, or the end of it."""
        if not self._closed:
            self._arrived.append(piece)
            self._loop.call_soon(self._take)

    def taken(self, size: int) -> None:
        """Take that the other side has read so many bytes."""
        self._unread_bytes -= size
        if self._writer_paused and self._unread_bytes <= self._high_bytes // 4:
            self._writer_paused = False
            self._loop.call_soon(self._resume_writer)

    def _send(self, piece: bytes | None) -> None:
        self._last_ns = max(self._last_ns + 1, self._schedule.now_ns + milliseconds(self._dice, LATENCY_MS))
        self._schedule.at(self._last_ns, lambda: self.peer.arrive(piece))

    def _take(self) -> None:
        while self._arrived and not self._reader_paused and not self._closed:
            piece = self._arrived.popleft()
            if piece is None:
                self._closed = True
                self._protocol.connection_lost(None)
                return
            self.peer.taken(len(piece))
            self._protocol.data_received(piece)

    def _resume_writer(self) -> None:
        if not self._closed:
            self._protocol.resume_writing()


def join(one: PipeEnd, other: PipeEnd) -> None:
    """Make two ends of one connection."""
    one.peer, other.peer = other, one
