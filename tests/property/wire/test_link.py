"""The link codec against every way of cutting and damaging a stream."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.errors import WireError
from appliance.core.records import Row
from appliance.wire.link import Decoder, WireFault, encode
from appliance.wire.report import Hello, RowFrame, TraderFrame

FRAME_BYTES_MAX = 4_096
_INT64 = st.integers(-(2**63), 2**63 - 1)
MESSAGES = st.one_of(
    st.builds(Hello, _INT64, st.text(max_size=80), st.text(max_size=8), _INT64, st.booleans(), _INT64),
    st.builds(RowFrame, st.builds(Row, _INT64, _INT64, _INT64, st.text(max_size=9), st.binary(max_size=99))),
)


def decoder_of_frames() -> Decoder[TraderFrame]:
    """Return a decoder of what a trader sends, for small frames only."""
    return Decoder(TraderFrame, FRAME_BYTES_MAX)


def hello(number: int) -> Hello:
    """Return a small message."""
    return Hello(number, "device", "tag", 0, synthetic=True, started_wall_ns=0)


def outcome(decoder: Decoder[TraderFrame], chunks: list[bytes]) -> tuple[list[TraderFrame], str]:
    """Feed every chunk and return the messages and the fault, if any."""
    messages: list[TraderFrame] = []
    try:
        for chunk in chunks:
            messages += decoder.feed(chunk)
            assert decoder.pending_bytes < FRAME_BYTES_MAX + 4
        decoder.finish()
    except WireError as problem:
        return messages, str(problem)
    return messages, ""


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    """Return the data in pieces, cut at those places."""
    places = sorted({min(place, len(data)) for place in cuts} | {0, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(places)]


@given(st.lists(MESSAGES, max_size=20), st.lists(st.integers(0, 2000), max_size=20))
def test_messages_survive_any_cutting(messages: list[TraderFrame], cuts: list[int]) -> None:
    """Shows that what was encoded comes out the same however it was cut; fails when a frame boundary is misjudged."""
    data = b"".join(map(encode, messages))
    assert outcome(decoder_of_frames(), cut(data, cuts)) == (messages, "")


@given(
    st.lists(MESSAGES, max_size=5),
    st.binary(max_size=200),
    st.lists(st.integers(0, 600), max_size=12),
)
def test_any_bytes_give_messages_or_one_error(messages: list[TraderFrame], noise: bytes, cuts: list[int]) -> None:
    """Shows that noise behind good frames gives exactly those and then an error of ours, whatever the chunks were;
    fails when another exception escapes, a message is lost or the outcome depends on the cutting.
    """
    data = b"".join(map(encode, messages)) + noise
    whole = outcome(decoder_of_frames(), [data])
    assert whole == outcome(decoder_of_frames(), cut(data, cuts))
    assert whole[0][: len(messages)] == messages


@given(st.binary(min_size=1, max_size=300))
def test_a_frame_of_noise_is_refused_or_a_message(body: bytes) -> None:
    """Shows that a well-framed body of noise never escapes as another exception; fails when a decoder error leaks."""
    messages, fault = outcome(decoder_of_frames(), [len(body).to_bytes(4, "big") + body])
    assert (len(messages) == 1) is (fault == "")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 4_000,
        b'["Hello",1,' + b"[" * 3_000,
        b'["Hello",1,"\xff","t",0,true,0,[]]',
        b'["Subscribe",1]',
        b'["RowFrame","1"]',
        b"null",
        b"",
    ],
)
def test_hostile_bodies_are_garbage(body: bytes) -> None:
    """Shows that deep nesting, bad text and foreign messages are refused; fails when one gets through
    or ends the process.
    """
    _, fault = outcome(decoder_of_frames(), [len(body).to_bytes(4, "big") + body])
    assert fault.startswith("garbage in a frame")


def test_a_length_is_refused_before_its_body_is_kept() -> None:
    """Shows that an announced giant costs four bytes of memory; fails when the decoder waits for the body."""
    decoder = decoder_of_frames()
    with pytest.raises(WireError, match="oversized"):
        decoder.feed((FRAME_BYTES_MAX + 1).to_bytes(4, "big"))
    assert decoder.pending_bytes == 0
    assert sum(decoder.refused.values()) == 1


def test_a_refused_stream_stays_refused() -> None:
    """Shows that nothing after a fault is believed; fails when a good frame behind it is delivered."""
    decoder = decoder_of_frames()
    with pytest.raises(WireError):
        decoder.feed(b"\x00\x00\x00\x01x")
    with pytest.raises(WireError):
        decoder.feed(encode(hello(1)))
    assert decoder.frames == 0


def test_a_message_too_big_to_be_read_is_not_sent() -> None:
    """Shows that the sender refuses what the receiver would; fails when only the far end notices."""
    with pytest.raises(WireError, match="to send"):
        encode(RowFrame(Row(1, 1, 1, "x" * FRAME_BYTES_MAX, b"")), FRAME_BYTES_MAX)


def test_a_stream_that_ends_inside_a_frame_is_an_error() -> None:
    """Shows that half a message is noticed at the end of the stream; fails when a cut looks clean."""
    frame = encode(hello(1))
    decoder = decoder_of_frames()
    assert decoder.feed(frame) == [hello(1)]
    decoder.finish()
    decoder.feed(frame[:-1])
    with pytest.raises(WireError, match="ended inside a frame"):
        decoder.finish()
    assert decoder.refused[WireFault.TRUNCATED] == 1
