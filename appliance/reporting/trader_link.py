"""The reporter's side of the link: connect, subscribe from the last row we have, hand everything on.

Whatever goes wrong (no socket yet, a trader that restarts, a gap, a frame we cannot read) has one remedy: drop the
connection, wait a little longer each time with some jitter, connect again and resume by sequence.
"""

import asyncio
import contextlib
import logging
import random
from pathlib import Path
from typing import Protocol

from appliance.core.clock import Clock
from appliance.core.errors import StoreFailure, WireError
from appliance.core.records import Row
from appliance.core.require import unreachable
from appliance.wire.link import encode
from appliance.wire.report import PROTOCOL_VERSION, Hello, RowFrame, Subscribe, Telemetry, TraderFrame, trader_decoder

SOCKET_NAME = "report.sock"
_READ_BYTES_MAX = 64 << 10
_BACKOFF_S_MIN = 0.1
_BACKOFF_S_MAX = 5.0
_JITTER_SHARE = 0.25
_HELLO_S_MAX = 5.0
_log = logging.getLogger(__name__)


class Taker(Protocol):
    """Take what a trader sends."""

    connections: int

    def greet(self, hello: Hello) -> int:
        """Take a trader's hello and return the sequence to subscribe from."""
        ...

    def take_row(self, row: Row) -> bool:
        """Take the next row and return whether it was new, refusing one after a gap."""
        ...

    def take_telemetry(self, telemetry: Telemetry, received_ns: int) -> None:
        """Take the latest telemetry, received at this monotonic time."""
        ...

    async def settle(self) -> None:
        """Finish with everything taken so far; nothing more is read from the trader before."""
        ...


class TraderLink:
    """Keep a taker fed from the trader's socket for as long as the process lives."""

    __slots__ = ("_clock", "_path", "_random", "_taker", "failures")

    def __init__(self, path: Path, taker: Taker, clock: Clock, generator: random.Random) -> None:
        """Feed this taker from that socket."""
        self._path = path
        self._taker = taker
        self._clock = clock
        self._random = generator
        self.failures = 0

    async def run(self) -> None:
        """Connect, listen and connect again, for ever."""
        waits_s = _BACKOFF_S_MIN
        while True:
            connections = self._taker.connections
            problem = await self._listen_once()
            self.failures += 1
            greeted = self._taker.connections > connections
            waits_s = _BACKOFF_S_MIN if greeted else min(waits_s * 2, _BACKOFF_S_MAX)
            if greeted:
                _log.warning("link to the trader: %s", problem)
            elif self.failures == 1:
                _log.info("waiting for the trader: %s", problem)
            await asyncio.sleep(waits_s * (1 + self._random.random() * _JITTER_SHARE))

    async def _listen_once(self) -> str:
        try:
            reader, writer = await asyncio.open_unix_connection(self._path)
        except OSError as problem:
            return f"{self._path}: {problem.strerror or problem}"
        try:
            await self._listen(reader, writer)
        except TimeoutError:
            return "the trader accepted the connection and said nothing"
        except (OSError, WireError, StoreFailure) as problem:
            return str(problem)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        return "closed by the trader"

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder = trader_decoder()
        greeted = False
        while data := await self._read(reader, greeted=greeted):
            for frame in decoder.feed(data):
                answer = self._take(frame, greeted=greeted)
                greeted = True
                if answer is not None:
                    writer.write(encode(answer))
                    await writer.drain()
            await self._taker.settle()
        decoder.finish()

    async def _read(self, reader: asyncio.StreamReader, *, greeted: bool) -> bytes:
        async with asyncio.timeout(None if greeted else _HELLO_S_MAX):
            return await reader.read(_READ_BYTES_MAX)

    def _take(self, frame: TraderFrame, *, greeted: bool) -> Subscribe | None:
        if isinstance(frame, Hello) == greeted:
            raise WireError("the trader's frames are out of order: hello comes first, and once")
        match frame:
            case Hello():
                return self._greet(frame)
            case RowFrame():
                self._taker.take_row(frame.row)
            case Telemetry():
                self._taker.take_telemetry(frame, self._clock.monotonic_ns())
            case _:
                unreachable("a frame of no known kind")
        return None

    def _greet(self, hello: Hello) -> Subscribe:
        if hello.version != PROTOCOL_VERSION:
            raise WireError(f"the trader speaks version {hello.version} of the link, this is {PROTOCOL_VERSION}")
        return Subscribe(self._taker.greet(hello))
