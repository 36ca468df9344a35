"""The format of a recording: what was written is read, and nothing else."""

import hashlib
from collections.abc import Iterable, Sequence

import msgspec
import pytest
import zstandard

from appliance.core.commands import SendCancel
from appliance.core.errors import WireError
from appliance.core.events import AnyEvent, FeedChanged, TimePassed
from appliance.market import recording
from appliance.market.recording import Bounds, Continued, End, Item, Start, Step, Stopped, digest_of, session_items
from appliance.trading.ledger import Ledger
from appliance.trading.snapshot import freeze
from appliance.venues.simulator.instruments import BUILT_IN

START = Start(
    device="bench-1",
    tag="abcde",
    boot_count=4,
    now_ns=17,
    wall_ns=1_700_000_000_000_000_000,
    synthetic=True,
    config_text="",
    instruments=BUILT_IN,
    ledger_snapshot=freeze(Ledger()),
)
STEPS: Sequence[tuple[int, AnyEvent] | tuple[int, AnyEvent, str]] = (
    (18, FeedChanged(connected=True, reason="")),
    (19, TimePassed(5, wall_synchronized=False), "0123456789abcdef"),
    (20, TimePassed(6, wall_synchronized=True), recording.CRASHED),
)
END = End(events_count=3, commands_count=1, commands_digest="00")
STOPPED = Stopped(events_count=3, reason="because")
CONTINUED = Continued(tag="abcde", boot_count=4, started_ns=17, file_number=1, events_count=3)


def lines_of(*parts: recording.AnyMarker | Sequence[tuple[int, AnyEvent] | tuple[int, AnyEvent, str]]) -> bytes:
    """Return markers and steps as their lines."""
    return b"".join(
        recording.marker_line(part) if isinstance(part, recording.Marker) else recording.step_lines(part)
        for part in parts
    )


def compressed(lines: bytes) -> bytes:
    """Return lines as one whole file."""
    compressor = recording.compressor()
    return compressor.compress(lines) + compressor.flush()


def items(*contents: bytes, bounds: Bounds = recording.BOUNDS) -> list[Item]:
    """Return the items of a session of these files."""
    files: Iterable[Iterable[bytes]] = [[content] for content in contents]
    return list(session_items(files, bounds))


WHOLE = compressed(lines_of(START, STEPS, END))


def test_what_was_written_is_read() -> None:
    """Shows that a session comes back as it was; fails when a line is lost or decodes to something else."""
    steps = [Step(18, STEPS[0][1]), Step(19, STEPS[1][1], "0123456789abcdef"), Step(20, STEPS[2][1], "crashed")]
    assert items(WHOLE) == [START, *steps, END]


@pytest.mark.parametrize("size_bytes", [1, 7, 1024, 5000])
def test_the_size_of_pieces_does_not_matter(size_bytes: int) -> None:
    """Shows that a file reads alike however it is cut; fails when a line across two pieces is lost."""
    pieces = [WHOLE[offset : offset + size_bytes] for offset in range(0, len(WHOLE), size_bytes)]
    assert list(session_items([pieces])) == items(WHOLE)


def test_a_session_goes_on_in_its_next_file() -> None:
    """Shows that a second file that names the session and the count continues it; fails when it is refused."""
    assert items(compressed(lines_of(START, STEPS)), compressed(lines_of(CONTINUED, END)))[-1] == END


@pytest.mark.parametrize(
    "stranger",
    [
        msgspec.structs.replace(CONTINUED, tag="other"),
        msgspec.structs.replace(CONTINUED, boot_count=5),
        msgspec.structs.replace(CONTINUED, started_ns=18),
        msgspec.structs.replace(CONTINUED, file_number=2),
        msgspec.structs.replace(CONTINUED, events_count=4),
        START,
        END,
    ],
)
def test_a_file_that_does_not_continue_is_refused(stranger: recording.AnyMarker) -> None:
    """Shows that a lost file or one of another session is found; fails when a hole would be replayed over."""
    with pytest.raises(WireError, match="does not continue"):
        items(compressed(lines_of(START, STEPS)), compressed(lines_of(stranger)))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        compressed(b""),
        compressed(lines_of(STEPS)),
        compressed(lines_of(CONTINUED, STEPS)),
        compressed(lines_of(END)),
    ],
)
def test_a_recording_begins_with_its_start(content: bytes) -> None:
    """Shows that what no trader can be built from is refused; fails when it passes for a recording."""
    with pytest.raises(WireError, match="does not begin"):
        items(content)


@pytest.mark.parametrize("after", [STEPS, START, END, CONTINUED])
@pytest.mark.parametrize("marker", [END, STOPPED])
def test_nothing_follows_the_end(marker: End | Stopped, after: recording.AnyMarker) -> None:
    """Shows that a line after an end marker is refused; fails when two recordings in one file would pass."""
    with pytest.raises(WireError, match="no place"):
        items(compressed(lines_of(START, STEPS, marker, after)))


def test_every_prefix_reads_up_to_its_last_whole_line() -> None:
    """Shows that a file cut anywhere yields a beginning of what the whole one yields; fails when a cut raises, or
    makes a half line pass for a whole one.
    """
    whole = items(WHOLE)
    compressor = recording.compressor()
    first = compressor.compress(lines_of(START)) + compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    flushed = first + compressor.compress(lines_of(STEPS, END)) + compressor.flush()
    for length in range(len(first), len(flushed)):
        found = items(flushed[:length])
        assert found == whole[: len(found)]
        assert found[0] == START


def test_another_format_is_refused() -> None:
    """Shows that a recording of another format is named as such; fails when it is read as if it were this one."""
    with pytest.raises(WireError, match="format 2"):
        items(compressed(lines_of(msgspec.structs.replace(START, version=2))))


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"[1]\n",
        b'[1,["NoSuchEvent"]]\n',
        b'[1,["FeedChanged",1,""]]\n',
        b'["1",["FeedChanged",true,""]]\n',
        b'[1,["FeedChanged",true,""],"digest",4]\n',
        b'{"kind":"no such marker"}\n',
        b"\xff\xff\n",
        b"[" * 200_000 + b"\n",
        b'[1,["FeedChanged",true,""],' + b"[" * 200_000 + b"\n",
        b'{"kind":"end","x":' + b"[" * 200_000 + b"\n",
    ],
)
def test_a_line_that_is_none_of_ours_is_refused(line: bytes) -> None:
    """Shows that wrong, extra and deeply nested JSON is refused with its line's number; fails when it passes or
    raises anything else.
    """
    with pytest.raises(WireError, match="line 2"):
        items(compressed(lines_of(START) + line))


def test_a_giant_line_is_refused() -> None:
    """Shows that a line without an end is refused at the limit; fails when it is collected for ever."""
    with pytest.raises(WireError, match="longer than the limit of 16777216"):
        items(compressed(lines_of(START) + b"x" * (recording.ITEM_BYTES_MAX + 1)))


def test_a_bomb_is_refused() -> None:
    """Shows that a small file cannot unpack without end; fails when the limit is gone and a billion lines are read."""
    bounds = Bounds(file_bytes_decompressed_max=1_000_000)
    line = recording.step_lines(STEPS[:1])
    bomb = compressed(lines_of(START) + line * 200_000)
    assert len(bomb) < 10_000
    with pytest.raises(WireError, match="more than 1000000 bytes"):
        items(bomb, bounds=bounds)


def test_a_wide_window_is_refused() -> None:
    """Shows that a file cannot ask for more memory than a recording needs; fails when its window is granted."""
    parameters = zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=False)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    content = compressor.compress(lines_of(START)) + compressor.flush()
    with pytest.raises(WireError, match="damaged"):
        items(content)


@pytest.mark.parametrize("more", [b"x", WHOLE])
def test_nothing_follows_the_compressed_frame(more: bytes) -> None:
    """Shows that bytes after the frame are refused; fails when a second recording hides behind the first."""
    with pytest.raises(WireError, match="follow the end"):
        items(WHOLE + more)
    with pytest.raises(WireError, match="follow the end"):
        list(session_items([[WHOLE, more]]))


def test_a_start_that_no_reader_takes_is_not_written() -> None:
    """Shows that writer and reader have one limit; fails when a line is written that cannot be read."""
    with pytest.raises(WireError, match="longer than the limit"):
        recording.marker_line(msgspec.structs.replace(START, config_text="x" * recording.ITEM_BYTES_MAX))


def test_the_digest_is_of_the_exact_bytes() -> None:
    """Shows that the digest is the start of SHA-256 over the JSON; fails when either changes unnoticed."""
    assert digest_of([SendCancel("b4-1")]) == hashlib.sha256(b'[["SendCancel","b4-1"]]').hexdigest()[:16]
