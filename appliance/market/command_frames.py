"""`appliance frames` reads recorded venue frames and says whether every message and every checksum is good."""

import argparse
import contextlib
import io
import itertools
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
import zstandard

from appliance.core.clock import NANOSECONDS_PER_SECOND, Clock, SystemClock
from appliance.core.errors import ConfigError
from appliance.kernels.book import DEPTHS
from appliance.market.book import BookEvent, BookMoved, Books
from appliance.market.frame_grids import grids_in
from appliance.wire.kraken.account import AccountDecoder
from appliance.wire.kraken.numbers import Grid
from appliance.wire.kraken.reader import FrameReader
from appliance.wire.kraken.refusals import FRAME_BYTES_MAX, Reason, Refused

QUIET_NS: Final = 2 * NANOSECONDS_PER_SECOND
FILE_BYTES_MAX: Final = 64 * 1024**3
GRID_FRAMES_MAX: Final = 10_000
WINDOW_BYTES_MAX: Final = 2**27
CHUNK_BYTES: Final = 1 << 20
# What happens to a book by a message, and not by the connection.
MESSAGES: Final = frozenset(BookEvent) - {BookEvent.SUBSCRIBED, BookEvent.LOST, BookEvent.REFUSED}


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Carry what was found in the files."""

    good: bool
    frames: int
    frames_per_second: int
    read_by_library: int
    by_kind: dict[str, int]
    checksums_good: int
    checksums_wrong: int
    books: dict[str, dict[str, int]]
    refused: dict[str, int]
    first_refusal: str


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="frames, one a line; .zst is unpacked")
    parser.add_argument("--depth", type=int, choices=DEPTHS, default=10, help="levels that were subscribed to")
    parser.add_argument(
        "--digits",
        action="append",
        default=[],
        metavar="SYMBOL=P:S",
        help="digits of an instrument's prices and sizes, where the recording does not tell",
    )
    parser.add_argument("--json", action="store_true", help="print the report as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Read the files and say what was found."""
    told = [_grid(text) for text in arguments.digits]
    found = grids_in(frame for path in arguments.files for frame in _first(path))
    grids = tuple({**{grid.symbol: grid for grid in found}, **{grid.symbol: grid for grid in told}}.values())
    report = _Reading(grids, arguments.depth, SystemClock()).over(arguments.files)
    if arguments.json:
        print(msgspec.json.encode(report).decode())
    else:
        _print(report)
    return 0 if report.good else 1


class _Reading:
    def __init__(self, grids: tuple[Grid, ...], depth: int, clock: Clock) -> None:
        self._reader = FrameReader(grids, depth)
        self._books = Books(self._reader)
        self._account = AccountDecoder()
        self._clock = clock
        self._kinds: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._first_refusal = ""

    def over(self, paths: list[Path]) -> Report:
        """Read every file."""
        started_ns, frames_count = self._clock.monotonic_ns(), 0
        told_ns = started_ns
        for path in paths:
            for row in range(len(self._reader.grids)):
                self._books.subscribed(row)
            for chunk in _chunks(path):
                frames_count += self._chunk(chunk)
                if self._clock.monotonic_ns() - told_ns >= QUIET_NS:
                    told_ns = self._clock.monotonic_ns()
                    print(f"frames: {frames_count:,} read", file=sys.stderr)
        return self._report(frames_count, max(self._clock.monotonic_ns() - started_ns, 1))

    def _chunk(self, chunk: bytes) -> int:
        begin, blank_count = 0, 0
        while True:
            begin = self._books.take_run(chunk, begin)
            # A recording cannot be asked for another snapshot: the next one in it heals the book.
            for row in self._books.resubscribe_wanted():
                self._books.subscribed(row)
            if begin >= len(chunk):
                return chunk.count(b"\n") - blank_count
            end = chunk.index(b"\n", begin)
            frame = _frame(chunk[begin:end])
            begin = end + 1
            if frame:
                self._take(frame)
            else:
                blank_count += 1

    def _take(self, frame: bytes) -> None:
        taken = self._books.take(frame)
        if isinstance(taken, Refused) and taken.reason is Reason.UNKNOWN_CHANNEL:
            self._told(self._account.decode(frame))
        elif not isinstance(taken, BookMoved):
            self._told(taken)

    def _told(self, message: object) -> None:
        if isinstance(message, Refused):
            self._refused[message.reason] += 1
            self._first_refusal = self._first_refusal or f"{message.reason}: {message.detail}"
        else:
            self._kinds[type(message).__name__] += 1

    def _report(self, frames_count: int, took_ns: int) -> Report:
        counts = {
            grid.symbol: {str(event): count for event, count in self._books.counts[row].items() if count}
            for row, grid in enumerate(self._reader.grids)
        }
        totals = Counter[str]()
        for by_event in self._books.counts:
            totals.update(by_event)
        books = Counter({f"book {event}": count for event, count in totals.items() if event in MESSAGES and count})
        bad = sum(totals[event] for event in (BookEvent.MISMATCH, BookEvent.CROSSED, BookEvent.OUT_OF_ORDER))
        return Report(
            good=not bad and not self._refused,
            frames=frames_count,
            frames_per_second=frames_count * NANOSECONDS_PER_SECOND // took_ns,
            read_by_library=self._reader.fallback_count,
            by_kind=dict(sorted((self._kinds + books).items())),
            checksums_good=totals[BookEvent.SNAPSHOT] + totals[BookEvent.UPDATE],
            checksums_wrong=totals[BookEvent.MISMATCH],
            books=counts,
            refused=dict(sorted(self._refused.items())),
            first_refusal=self._first_refusal,
        )


def _chunks(path: Path) -> Iterator[bytes]:
    """Yield a file's text in pieces of whole lines, each line ended."""
    with contextlib.ExitStack() as stack:
        try:
            opened: BinaryIO | io.BufferedReader = stack.enter_context(path.open("rb"))
            if path.suffix == ".zst":
                unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES_MAX)
                unpacked = unpacker.stream_reader(opened, read_across_frames=True)
                opened = stack.enter_context(io.BufferedReader(unpacked, CHUNK_BYTES))
            total_bytes = 0
            while chunk := opened.read(CHUNK_BYTES):
                chunk += opened.readline(FRAME_BYTES_MAX)
                total_bytes += len(chunk)
                if total_bytes > FILE_BYTES_MAX:
                    raise ConfigError(f"{path} unpacks to more than {FILE_BYTES_MAX} bytes; split it.")
                yield chunk if chunk.endswith(b"\n") else chunk + b"\n"
        except (OSError, EOFError, zstandard.ZstdError) as problem:
            raise ConfigError(f"{path} cannot be read ({problem}); give a file of frames, one a line.") from problem


def _frame(line: bytes) -> bytes:
    text = line.strip()
    received, separator, rest = text.partition(b" ")
    return rest if separator and received.isdigit() else text


def _first(path: Path) -> Iterator[bytes]:
    lines = (line for chunk in _chunks(path) for line in chunk.splitlines())
    return (_frame(line) for line in itertools.islice(lines, GRID_FRAMES_MAX))


def _grid(text: str) -> Grid:
    symbol, _, digits = text.partition("=")
    price, _, size = digits.partition(":")
    if not (symbol and price.isdecimal() and size.isdecimal()):
        raise ConfigError(f"--digits {text} must be written SYMBOL=PRICE:SIZE, as in BTC/USD=1:8")
    return Grid(symbol, int(price), int(size))


def _print(report: Report) -> None:
    print(f"frames    {report.frames:,}  ({report.frames_per_second:,}/s, {report.read_by_library:,} by the library)")
    for kind, count in report.by_kind.items():
        print(f"          {count:>12,}  {kind}")
    print(f"checksums {report.checksums_good:,} good, {report.checksums_wrong:,} WRONG")
    for reason, count in report.refused.items():
        print(f"refused   {count:>12,}  {reason}")
    if report.first_refusal:
        print(f"first     {report.first_refusal}")
    print("Every message and every checksum is good." if report.good else "Something is NOT good; see above.")
