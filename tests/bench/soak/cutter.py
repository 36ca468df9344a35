"""Stand between the trader and the venue, and break what passes: cut connections, let them hang, spoil a checksum."""

import asyncio
import contextlib
import re
from collections import Counter

CHUNK_BYTES = 65_536
_BOOK = re.compile(rb'"channel":"book","type":"(snapshot|update)","data":\[\{"symbol":"([^"]+)"')
_CHECKSUM = re.compile(rb'"checksum":([0-9])')


class Cutter:
    """Carry connections from a port of its own to the venue's."""

    def __init__(self, port: int) -> None:
        """Carry to this port of this machine."""
        self._target = port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._hung: set[asyncio.StreamWriter] = set()
        self._lie_wanted = False
        self.counts: Counter[str] = Counter()
        self.unhealed: set[str] = set()

    @property
    def port(self) -> int:
        """Return where it listens."""
        if self._server is None:
            raise RuntimeError("the cutter was not started")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)

    async def close(self) -> None:
        """End everything."""
        if self._server is not None:
            self._server.close()
        self._abort()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    def cut(self) -> None:
        """Reset every connection."""
        self.counts["cut"] += 1
        self._abort()

    def hang(self) -> None:
        """Let every connection that is open now stay open and carry nothing more."""
        self.counts["hung"] += 1
        self._hung |= self._open

    def lie(self) -> None:
        """Spoil the checksum of the next update that passes."""
        self._lie_wanted = True

    def _abort(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            venue_reader, venue_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self.counts["connections"] += 1
        for source, sink, down in ((reader, venue_writer, False), (venue_reader, writer, True)):
            self._open.add(sink)
            task = asyncio.create_task(self._pump(source, sink, down=down))
            self._pumps.add(task)
            task.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, down: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(CHUNK_BYTES):
                if sink not in self._hung:
                    sink.write(self._looked_at(data) if down else data)
                    await sink.drain()
        self._open.discard(sink)
        self._hung.discard(sink)
        sink.close()

    def _looked_at(self, data: bytes) -> bytes:
        self.counts["messages"] += data.count(b'"channel":')
        for found in _BOOK.finditer(data):
            kind, symbol = found[1].decode(), found[2].decode()
            self.counts[f"book {kind}s"] += 1
            if kind == "snapshot":
                self.unhealed.discard(symbol)
            elif self._lie_wanted and (digit := _CHECKSUM.search(data, found.end())) is not None:
                self._lie_wanted = False
                self.unhealed.add(symbol)
                self.counts["lies"] += 1
                other = b"2" if digit[1] == b"1" else b"1"
                data = data[: digit.start(1)] + other + data[digit.end(1) :]
        return data
