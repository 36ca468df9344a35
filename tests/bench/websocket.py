"""How many market messages a second one core receives and reads, from a socket to a checked book.

Another process pushes book updates as fast as they are taken. Ours is the appliance's own link and reader; beside it,
in turn in the same run, the websockets library's own client, each message through the same reader. What counts is the
processor time of the receiving process, so that the pusher and the neighbours on the machine are not in the rate.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from websockets.asyncio.client import connect

from appliance.kernels import book
from appliance.venues.kraken.endpoint import endpoint
from appliance.venues.kraken.link import STANDARD, WebSocketLink
from appliance.wire.kraken.reader import FrameReader
from tests.bench.book import live, messages
from tests.bench.figures import Figure, figure, show

DEPTH = 10
MESSAGES = 100_000
ROUNDS = 3
PUSHER = Path(__file__).parent / "peers" / "websocket_push.py"
# The rate is what is measured here, so the limit on it must not be what ends the measuring.
FREE = msgspec.structs.replace(STANDARD, frames_per_second_max=10**7)


class _Count:
    """Read frames into a book until all have come."""

    def __init__(self, reader: FrameReader) -> None:
        self._reader = reader
        self._left = MESSAGES
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def take(self, frame: bytes) -> None:
        # Round and round the same updates: each lap begins at an older moment, which a book refuses.
        self._reader.rows[0, book.VENUE_NS] = 0
        self._reader.read(frame)
        self._left -= 1
        if not self._left:
            self.done.set_result(None)


async def ours(port: int, whole: bytes) -> None:
    """Receive everything through the appliance's link."""
    count = _Count(live(DEPTH, whole, checked=False))
    link = WebSocketLink(
        endpoint(f"ws://127.0.0.1:{port}/", plain_loopback=True),
        FREE,
        on_open=_nothing,
        on_frame=count.take,
        on_beat=_nothing,
        on_closed=lambda reason: None if count.done.done() else count.done.set_exception(RuntimeError(reason)),
    )
    await asyncio.get_running_loop().create_connection(lambda: link, "127.0.0.1", port)
    await count.done
    link.abort("measured")


async def theirs(port: int, whole: bytes) -> None:
    """Receive everything through the library's client."""
    count = _Count(live(DEPTH, whole, checked=False))
    async with connect(f"ws://127.0.0.1:{port}/", compression=None, ping_interval=None) as connection:
        while not count.done.done():
            count.take(await connection.recv(decode=False))
        connection.transport.abort()


def _nothing() -> None:
    """Do nothing at an opening or a beat."""


def rate_per_s(receive: Callable[[int, bytes], Awaitable[None]], port: int, whole: bytes) -> float:
    """Return the rate of one round."""

    async def run() -> None:
        await receive(port, whole)

    began_s = time.process_time()
    asyncio.run(run())
    return MESSAGES / (time.process_time() - began_s)


def measure() -> list[Figure]:
    """Measure both, in turn."""
    whole, updates, _ = messages(DEPTH)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "frames.jsonl"
        path.write_bytes(b"\n".join(updates))
        command = [sys.executable, str(PUSHER), str(path), str(MESSAGES)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as pusher:
            try:
                if pusher.stdout is None:
                    raise RuntimeError("the pusher has no output")
                port = int(pusher.stdout.readline())
                rates: dict[str, list[float]] = {"ours": [], "theirs": []}
                for _ in range(ROUNDS):
                    rates["ours"].append(rate_per_s(ours, port, whole))
                    rates["theirs"].append(rate_per_s(theirs, port, whole))
            finally:
                # Or leaving this block would wait for it for ever.
                pusher.kill()
    return [
        figure(
            "WebSocket receive and read, the link", statistics.median(rates["ours"]), "messages/s of a core", 90_000
        ),
        figure(
            "WebSocket receive and read, websockets' client", statistics.median(rates["theirs"]), "messages/s of a core"
        ),
    ]


if __name__ == "__main__":
    show(measure())
