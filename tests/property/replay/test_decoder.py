"""Whatever bytes pass for a recording, the reader yields items or refuses; it never breaks and never grows."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.core.errors import WireError
from appliance.core.events import AnyEvent, FeedChanged, OrderRefused, TimePassed
from appliance.market import recording
from appliance.market.recording import Bounds, Continued, End, Item, Start, Step, Stopped, file_items, session_items

BOUNDS = Bounds(item_bytes_max=20_000, file_bytes_decompressed_max=200_000)
EVENTS: st.SearchStrategy[AnyEvent] = st.one_of(
    st.builds(FeedChanged, st.booleans(), st.text()),
    st.builds(TimePassed, st.integers(-(2**63), 2**63 - 1), st.booleans()),
    st.builds(OrderRefused, st.text(), st.text()),
)
STEPS = st.lists(st.builds(Step, st.integers(0, 2**63 - 1), EVENTS, st.none() | st.text(max_size=16)), max_size=20)


def start(text: str) -> Start:
    """Return a start that holds some text."""
    return Start(
        device="bench-1",
        tag="abcde",
        boot_count=1,
        now_ns=1,
        wall_ns=2,
        synthetic=True,
        config_text=text,
        instruments=(),
        ledger_snapshot=text.encode(),
    )


def written(items: list[Item]) -> bytes:
    """Return items as one whole file."""
    compressor = recording.compressor()
    lines = [
        recording.marker_line(item)
        if not isinstance(item, Step)
        else recording.step_lines(
            [(item.now_ns, item.event) if item.digest is None else (item.now_ns, item.event, item.digest)]
        )
        for item in items
    ]
    return compressor.compress(b"".join(lines)) + compressor.flush()


def read(*contents: bytes) -> list[Item]:
    """Return what a reader yields before it ends or refuses."""
    found: list[Item] = []
    with contextlib.suppress(WireError):
        found.extend(session_items(([content] for content in contents), BOUNDS))
    return found


@given(text=st.text(), steps=STEPS)
def test_everything_written_is_read(text: str, steps: list[Step]) -> None:
    """Shows that any text and any number survive the file; fails when a line break or a quote tears a line."""
    items: list[Item] = [start(text), *steps, End(events_count=len(steps), commands_count=0, commands_digest="")]
    assert read(written(items)) == items


@given(st.binary(max_size=2_000))
def test_any_bytes_are_refused(content: bytes) -> None:
    """Shows that random bytes are refused in a sentence; fails when another error comes out."""
    assert read(content) == []


@given(st.binary(max_size=5_000))
def test_any_compressed_bytes_are_refused(content: bytes) -> None:
    """Shows the same for bytes inside a good frame, where JSON begins; fails when another error comes out."""
    compressor = recording.compressor()
    assert read(compressor.compress(content) + compressor.flush()) == []


@given(steps=STEPS, position=st.integers(0, 10_000), bits=st.integers(1, 255), cut=st.integers(0, 50))
@settings(max_examples=300)
def test_a_changed_file_never_breaks_the_reader(steps: list[Step], position: int, bits: int, cut: int) -> None:
    """Shows that a changed and shortened file yields at most what was written, or other items of ours; fails when
    anything but a refusal comes out.
    """
    content = bytearray(written([start(""), *steps, Stopped(events_count=len(steps), reason="")]))
    content[position % len(content)] ^= bits
    found = read(bytes(content[: len(content) - cut]))
    assert all(isinstance(item, Start | Step | Stopped | End) for item in found)


@given(
    lines=st.lists(
        st.sampled_from(
            [
                recording.marker_line(start("")),
                recording.marker_line(End(events_count=1, commands_count=0, commands_digest="")),
                recording.marker_line(
                    Continued(tag="abcde", boot_count=1, started_ns=1, file_number=1, events_count=1)
                ),
                recording.step_lines([(1, FeedChanged(connected=True, reason=""))]),
            ]
        ),
        max_size=8,
    ),
    files=st.integers(1, 3),
)
def test_a_session_is_one_start_then_steps_then_one_end(lines: list[bytes], files: int) -> None:
    """Shows for lines in any order that only this shape comes out; fails when a session holds two starts, or steps
    behind its end.
    """
    contents = []
    for number in range(files):
        compressor = recording.compressor()
        contents.append(compressor.compress(b"".join(lines[number::files])) + compressor.flush())
    found = read(*contents)
    shape = "".join("s" if isinstance(i, Start) else "." if isinstance(i, Step) else "e" for i in found)
    assert shape.lstrip("s").rstrip("e").strip(".") == ""
    assert (shape.count("s"), shape.count("e") <= 1) == (min(len(shape), 1), True)


@given(size_bytes=st.integers(20_001, 400_000), byte=st.sampled_from(b"0[{ \n"))
@settings(max_examples=30)
def test_no_bomb_is_unpacked(size_bytes: int, byte: int) -> None:
    """Shows that a few bytes that unpack to many are refused at the limit; fails when they are kept."""
    compressor = recording.compressor()
    content = compressor.compress(bytes([byte]) * size_bytes) + compressor.flush()
    try:
        found = list(file_items([content], BOUNDS))
    except WireError:
        return
    assert found == []
    assert size_bytes <= BOUNDS.item_bytes_max
