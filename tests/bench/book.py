"""What a book costs: an update in the kernel, a message from its bytes, a replay; beside a JSON library.

The messages are made here: a top of book that moves, as the venue spells it. The peer decodes with msgspec into
objects, keeps sorted dictionaries' worth of levels and checks with zlib, as a careful program without kernels would.
Both sides alternate and medians are quoted.
"""

import random
import statistics
import time
import zlib
from collections.abc import Callable

import msgspec
import numpy as np

from appliance.kernels import book, frames
from appliance.kernels.compiling import kernel
from appliance.market.book import Books
from appliance.wire.kraken.numbers import Grid
from appliance.wire.kraken.reader import FrameReader
from tests.bench.figures import Figure, figure, show
from tests.property.wire.kraken.kraken_spelling import DictBook, spelled_book

GRID = Grid("BTC/USD", 1, 8)
START_NS = 1_700_000_000_000_000_000
MESSAGES = 5_000
ROUNDS = 7
MIDDLE = 600_000


class PeerLevel(msgspec.Struct, gc=False):
    """Decode one level."""

    price: float
    qty: float


class PeerBook(msgspec.Struct, gc=False):
    """Decode one book."""

    symbol: str
    bids: list[PeerLevel]
    asks: list[PeerLevel]
    checksum: int


class PeerFrame(msgspec.Struct, gc=False):
    """Decode one message."""

    channel: str
    type: str
    data: list[PeerBook]


def messages(depth: int) -> tuple[bytes, list[bytes], list[tuple[int, int, int]]]:
    """Return a snapshot, the updates that follow it, and the updates as (side, ticks, lots)."""
    generator, oracle = random.Random(depth), DictBook(depth)
    oracle.apply(
        [(MIDDLE - 1 - level, generator.randint(1, 10**9)) for level in range(depth)],
        [(MIDDLE + 1 + level, generator.randint(1, 10**9)) for level in range(depth)],
        snapshot=True,
    )
    whole = spelled_book(GRID, oracle.best(0), oracle.best(1), oracle.checksum(), START_NS, snapshot=True)
    updates, changes = [], []
    for number in range(MESSAGES):
        side = generator.randint(0, 1)
        away = 1 + min(int(generator.expovariate(0.25)), depth + 5)
        ticks = MIDDLE + away if side else MIDDLE - away
        lots = 0 if generator.random() < 0.3 else generator.randint(1, 10**9)
        level = [(ticks, lots)]
        none: list[tuple[int, int]] = []
        bids, asks = (none, level) if side else (level, none)
        oracle.apply(bids, asks)
        updates.append(spelled_book(GRID, bids, asks, oracle.checksum(), START_NS + number))
        changes.append((side, ticks, lots))
    return whole, updates, changes


@kernel
def all_levels(rows: book.Integers, changes: book.Integers) -> None:
    """Apply every change inside one dispatch."""
    for number in range(changes.shape[0]):
        side = changes[number, 0]
        book.apply_level(rows, 0, side, changes[number, 1], changes[number, 2])
        surplus = rows[0, book.BID_COUNT + 2 * side] - rows[0, book.DEPTH]
        if surplus > 0:
            rows[0, book.BID_START + 2 * side] += surplus
            rows[0, book.BID_COUNT + 2 * side] -= surplus


def live(depth: int, whole: bytes, *, checked: bool = True) -> FrameReader:
    """Return a reader whose book is live."""
    reader = FrameReader([GRID], depth, checked=checked)
    books = Books(reader)
    books.subscribed(0)
    books.take(whole)
    return reader


def timed(run: Callable[[], object]) -> float:
    """Return the nanoseconds one run takes."""
    before_ns = time.perf_counter_ns()
    run()
    return time.perf_counter_ns() - before_ns


def update_in_kernel(depth: int) -> Figure:
    """Measure one level's change inside the kernel."""
    whole, _, changes = messages(depth)
    array = np.array(changes, np.int64)
    rows = live(depth, whole).rows
    all_levels(rows, array)
    took = statistics.median(timed(lambda: all_levels(rows, array)) for _ in range(ROUNDS)) / MESSAGES
    return figure(f"book update in the kernel, depth {depth}", took, "ns", 100.0)


def each_message(depth: int) -> list[Figure]:
    """Measure single messages from bytes to book, dispatch and checksum included."""
    whole, updates, _ = messages(depth)
    rows = live(depth, whole).rows
    costs = [timed(lambda frame=frame: frames.book_frame(frame, rows)) for frame in updates]  # type: ignore[misc]
    empty = statistics.median(timed(lambda: None) for _ in range(MESSAGES))
    costs.sort()
    return [
        figure(f"bytes to book, depth {depth}, p50", costs[len(costs) // 2] - empty, "ns", 500.0),
        figure(f"bytes to book, depth {depth}, p99", costs[len(costs) * 99 // 100] - empty, "ns"),
    ]


def replayed(reader: FrameReader, updates: list[bytes]) -> float:
    """Return the nanoseconds a message of a replay takes."""
    reader.rows[0, book.VENUE_NS] = 0
    rows, read = reader.rows, frames.book_frame

    def run() -> None:
        for frame in updates:
            read(frame, rows)

    return timed(run) / len(updates)


def replayed_lines(reader: FrameReader, updates: list[bytes]) -> float:
    """Return the nanoseconds a message takes when whole lines are handed over at once."""
    reader.rows[0, book.VENUE_NS] = 0
    text = b"\n".join(updates)
    return timed(lambda: reader.read_run(text, 0)) / len(updates)


def peer(whole: bytes, updates: list[bytes], depth: int) -> float:
    """Return the nanoseconds a message takes the JSON library, dictionaries and zlib."""
    decoder = msgspec.json.Decoder(PeerFrame)
    sides: tuple[dict[float, float], dict[float, float]] = ({}, {})

    def take(frame: bytes) -> bool:
        data = decoder.decode(frame).data[0]
        for levels, side in ((data.bids, sides[0]), (data.asks, sides[1])):
            for level in levels:
                if level.qty == 0:
                    side.pop(level.price, None)
                else:
                    side[level.price] = level.qty
        bids, asks = sorted(sides[0], reverse=True), sorted(sides[1])
        for prices, side in ((bids, sides[0]), (asks, sides[1])):
            for price in prices[depth:]:
                del side[price]
        text = "".join(
            f"{round(price * 10)}{round(side[price] * 100_000_000)}"
            for prices, side in ((asks, sides[1]), (bids, sides[0]))
            for price in prices[:10]
        )
        return zlib.crc32(text.encode()) == data.checksum

    take(whole)
    return timed(lambda: [take(frame) for frame in updates]) / len(updates)


def replay(depth: int) -> list[Figure]:
    """Measure whole replays, with and without checksum, and the peer's, alternating."""
    whole, updates, _ = messages(depth)
    checked, unchecked, single, others = [], [], [], []
    for _ in range(ROUNDS):
        checked.append(replayed_lines(live(depth, whole), updates))
        unchecked.append(replayed_lines(live(depth, whole, checked=False), updates))
        single.append(replayed(live(depth, whole), updates))
        others.append(peer(whole, updates, depth))
    with_ns, without_ns, single_ns, peer_ns = (
        statistics.median(costs) for costs in (checked, unchecked, single, others)
    )
    return [
        figure(f"replay with checksum, depth {depth}", 1e9 / with_ns, "messages/s", 2_000_000.0),
        figure(f"replay without checksum, depth {depth}", 1e9 / without_ns, "messages/s", 2_000_000.0),
        figure(f"one dispatch a message, with checksum, depth {depth}", 1e9 / single_ns, "messages/s"),
        figure(f"msgspec and dictionaries, depth {depth}", 1e9 / peer_ns, "messages/s"),
        figure(f"times faster than msgspec and dictionaries, depth {depth}", peer_ns / single_ns, "x", 2.0),
    ]


def measure() -> list[Figure]:
    """Measure all."""
    figures = [update_in_kernel(depth) for depth in (10, 25, 100)]
    for depth in (10, 100):
        figures += each_message(depth) + replay(depth)
    return figures


if __name__ == "__main__":
    show(measure())
