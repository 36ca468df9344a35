"""What everything the trader was fed looks like on disk: JSON lines inside zstandard, codecs only.

Theory of operation. A session is one life of the trader's process, in one or more files, each one zstandard frame:

    file 0    {"kind":"start", ...}   all that a trader is built from: configuration, instruments, ledger, times
              [now_ns, event]         a step that asked for nothing
              [now_ns, event, digest] a step that asked for something: 16 hex digits of SHA-256 of its commands' bytes
    file n    {"kind":"continued", ...} which session, which file of it, how many steps came before
    the last  {"kind":"end", ...}     a clean end; or {"kind":"stopped", ...}: recording gave up here and says why

The trader is a function of these, so replaying them yields the same commands; a recording with a hole would not. That
is why recording stops rather than skips, and why a reader refuses a file that does not continue the one before it.

A process that was killed leaves a file that just stops. Everything up to the last whole line is read; that no end
marker followed tells the reader. Anything else that does not fit is damage and raises. A file may come from anywhere,
so what one line, one file and the decompressor's window may take is bounded before a byte is believed.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec
import zstandard

from appliance.core.commands import AnyCommand
from appliance.core.errors import WireError
from appliance.core.events import AnyEvent
from appliance.core.instruments import Instrument

FORMAT_VERSION = 1
CRASHED = "crashed"
COMPRESSION_LEVEL = 3
ITEM_BYTES_MAX = 16 << 20
FILE_BYTES_DECOMPRESSED_MAX = 16 << 30
WINDOW_BYTES_MAX = 8 << 20
_DIGEST_DIGITS = 16
# A block of 4 compressed bytes can stand for 128 KiB, so a slice this long makes 32 MiB at most.
_SLICE_BYTES = 1024


class Marker(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag=str.lower):
    """Be the common parent of the lines that are no steps."""


class Start(Marker, frozen=True, kw_only=True):
    """Begin a session: everything the trader was built from; the ledger as it was before the trader was built."""

    device: str
    tag: str
    boot_count: int
    now_ns: int
    wall_ns: int
    synthetic: bool
    config_text: str
    instruments: tuple[Instrument, ...]
    ledger_snapshot: bytes
    version: int = FORMAT_VERSION


class Continued(Marker, frozen=True, kw_only=True):
    """Begin a further file of a session, naming the session by what started it."""

    tag: str
    boot_count: int
    started_ns: int
    file_number: int
    events_count: int


class Stopped(Marker, frozen=True, kw_only=True):
    """Say that recording gave up here, although the trader went on."""

    events_count: int
    reason: str


class End(Marker, frozen=True, kw_only=True):
    """End a session whose trader ended in good order; the digest is SHA-256 over all commands' bytes."""

    events_count: int
    commands_count: int
    commands_digest: str


class Step(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    """Hold one step's input and the digest of what came of it."""

    now_ns: int
    event: AnyEvent
    digest: str | None = None


class Bounds(NamedTuple):
    """Bound what a reader takes from one file."""

    item_bytes_max: int = ITEM_BYTES_MAX
    file_bytes_decompressed_max: int = FILE_BYTES_DECOMPRESSED_MAX


AnyMarker = Start | Continued | Stopped | End
Item = Start | Step | Stopped | End
BOUNDS = Bounds()
_ENCODER = msgspec.json.Encoder()
_MARKERS: msgspec.json.Decoder[AnyMarker] = msgspec.json.Decoder(AnyMarker)
_STEPS = msgspec.json.Decoder(Step)


def bytes_of(commands: Sequence[AnyCommand]) -> bytes:
    """Return one step's commands as the exact bytes that a replay must make again."""
    return _ENCODER.encode(commands)


def digest_of(commands: Sequence[AnyCommand]) -> str:
    """Return the short digest of one step's commands."""
    return digest_of_bytes(bytes_of(commands))


def digest_of_bytes(commands_bytes: bytes) -> str:
    """Return the short digest of commands that are already bytes."""
    return hashlib.sha256(commands_bytes).hexdigest()[:_DIGEST_DIGITS]


def marker_line(marker: AnyMarker) -> bytes:
    """Return a marker as its line, refusing one that a reader would refuse."""
    line = _ENCODER.encode(marker) + b"\n"
    if len(line) > ITEM_BYTES_MAX:
        raise WireError(f"a recording's line of {len(line)} bytes is longer than the limit of {ITEM_BYTES_MAX}")
    return line


def step_lines(steps: Sequence[tuple[int, AnyEvent] | tuple[int, AnyEvent, str]]) -> bytes:
    """Return many steps as their lines in one call."""
    return _ENCODER.encode_lines(steps)


def compressor() -> "zstandard.ZstdCompressionObj":
    """Return the compressor of one file; its checksum lets a reader know a whole frame from a changed one."""
    return zstandard.ZstdCompressor(level=COMPRESSION_LEVEL, write_checksum=True).compressobj()


def session_items(files: Iterable[Iterable[bytes]], bounds: Bounds = BOUNDS) -> Iterator[Item]:
    """Return one session's items from the chunks of its files, refusing files that do not follow one another."""
    start: Start | None = None
    events_count = 0
    ended = False
    for file_number, chunks in enumerate(files):
        items = file_items(chunks, bounds)
        first = next(items, None)
        if start is not None:
            _refuse_stranger(first, start, file_number, events_count)
        elif isinstance(first, Start):
            start = first
            yield first
        else:
            raise WireError("the recording does not begin with its start; give all files of the session")
        for item in items:
            if ended or isinstance(item, Start | Continued):
                raise WireError(f"after event {events_count} comes a line that has no place there")
            ended = not isinstance(item, Step)
            events_count += isinstance(item, Step)
            yield item


def file_items(chunks: Iterable[bytes], bounds: Bounds = BOUNDS) -> Iterator[AnyMarker | Step]:
    """Return the items in one file's chunks, up to the last whole line."""
    for number, line in enumerate(_lines(_decompressed(chunks, bounds), bounds), 1):
        try:
            item = _MARKERS.decode(line) if line.startswith(b"{") else _STEPS.decode(line)
        except (ValueError, RecursionError) as problem:  # msgspec's errors and UnicodeDecodeError are ValueErrors
            raise WireError(f"line {number} is not one of a recording: {problem}") from problem
        if isinstance(item, Start) and item.version != FORMAT_VERSION:
            raise WireError(f"the recording has format {item.version}; this program reads {FORMAT_VERSION}")
        yield item


def _refuse_stranger(first: AnyMarker | Step | None, start: Start, file_number: int, events_count: int) -> None:
    if first is None:  # killed after the file was made and before its first line was
        return
    expected = Continued(
        tag=start.tag,
        boot_count=start.boot_count,
        started_ns=start.now_ns,
        file_number=file_number,
        events_count=events_count,
    )
    if first != expected:
        raise WireError(f"file {file_number} of the session does not continue the one before it after {events_count}")


def _decompressed(chunks: Iterable[bytes], bounds: Bounds) -> Iterator[bytes]:
    decompressor = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES_MAX).decompressobj()
    total_bytes = 0
    for chunk in chunks:
        for offset in range(0, len(chunk), _SLICE_BYTES):
            if decompressor.eof:
                raise WireError("bytes follow the end of the compressed recording")
            try:
                block = decompressor.decompress(chunk[offset : offset + _SLICE_BYTES])
            except zstandard.ZstdError as problem:
                raise WireError(f"the compressed recording is damaged: {problem}") from problem
            total_bytes += len(block)
            if total_bytes > bounds.file_bytes_decompressed_max:
                raise WireError(f"the file holds more than {bounds.file_bytes_decompressed_max} bytes decompressed")
            yield block
    if decompressor.unused_data:
        raise WireError("bytes follow the end of the compressed recording")


def _lines(blocks: Iterable[bytes], bounds: Bounds) -> Iterator[bytes]:
    pending = bytearray()
    for block in blocks:
        *whole, rest = block.split(b"\n")
        for part in whole:
            pending += part
            _refuse_long(pending, bounds)
            yield bytes(pending)
            pending.clear()
        pending += rest
        _refuse_long(pending, bounds)


def _refuse_long(line: bytearray, bounds: Bounds) -> None:
    if len(line) > bounds.item_bytes_max:
        raise WireError(f"a line is longer than the limit of {bounds.item_bytes_max} bytes")
