"""The link codec against every way of cutting and damaging a stream."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.commands import SendCancel, SetDeadMan
from appliance.core.errors import WireError
from appliance.wire.link import Decoder, WireFault, encode
from appliance.wire.venue_link import (
    COMMAND_BYTES_MAX,
    PROTOCOL_VERSION,
    Channel,
    ClientMessage,
    Hello,
    Ping,
    Submit,
    client_decoder,
    venue_decoder,
)

_INT64 = st.integers(-(2**63), 2**63 - 1)
MESSAGES = st.one_of(
    st.builds(Ping, _INT64),
    st.builds(Hello, st.just(PROTOCOL_VERSION), st.sampled_from(Channel)),
    st.builds(Submit, _INT64, st.builds(SendCancel, st.text(max_size=80))),
    st.builds(Submit, _INT64, st.builds(SetDeadMan, _INT64)),
)


def outcome(decoder: Decoder[ClientMessage], chunks: list[bytes]) -> tuple[list[ClientMessage], str]:
    """Feed every chunk and return the messages and the fault, if any."""
    messages: list[ClientMessage] = []
    try:
        for chunk in chunks:
            messages += decoder.feed(chunk)
            assert decoder.pending_bytes < COMMAND_BYTES_MAX + 4
        decoder.finish()
    except WireError as problem:
        return messages, str(problem)
    return messages, ""


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    """Return the data in pieces, cut at those places."""
    places = sorted({min(place, len(data)) for place in cuts} | {0, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(places)]


@given(st.lists(MESSAGES, max_size=20), st.lists(st.integers(0, 2000), max_size=20))
def test_messages_survive_any_cutting(messages: list[ClientMessage], cuts: list[int]) -> None:
    """Shows that what was encoded comes out the same however it was cut; fails when a frame boundary is misjudged."""
    data = b"".join(map(encode, messages))
    assert outcome(venue_decoder(), cut(data, cuts)) == (messages, "")


@given(
    st.lists(MESSAGES, max_size=5),
    st.binary(max_size=200),
    st.lists(st.integers(0, 600), max_size=12),
)
def test_any_bytes_give_messages_or_one_error(messages: list[ClientMessage], noise: bytes, cuts: list[int]) -> None:
    """Shows that noise behind good frames gives exactly those and then an error of ours, whatever the chunks were;
    fails when another exception escapes, a message is lost or the outcome depends on the cutting.
    """
    data = b"".join(map(encode, messages)) + noise
    whole = outcome(venue_decoder(), [data])
    assert whole == outcome(venue_decoder(), cut(data, cuts))
    assert whole[0][: len(messages)] == messages


@given(st.binary(min_size=1, max_size=300))
def test_a_frame_of_noise_is_refused_or_a_message(body: bytes) -> None:
    """Shows that a well-framed body of noise never escapes as another exception; fails when a decoder error leaks."""
    messages, fault = outcome(venue_decoder(), [len(body).to_bytes(4, "big") + body])
    assert (len(messages) == 1) is (fault == "")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 4000,
        b'["Ping",1,' + b"[" * 4000,
        b'["Submit",0,["SendCancel","\xff"]]',
        b'["Submit",0,["WriteRow",[1,2,3,"x",""]]]',
        b'["Ping","1"]',
        b"null",
        b"",
    ],
)
def test_hostile_bodies_are_garbage(body: bytes) -> None:
    """Shows that deep nesting, bad text and foreign commands are refused; fails when one gets through
    or ends the process.
    """
    _, fault = outcome(venue_decoder(), [len(body).to_bytes(4, "big") + body])
    assert fault.startswith("garbage in a frame")


def test_a_length_is_refused_before_its_body_is_kept() -> None:
    """Shows that an announced giant costs four bytes of memory; fails when the decoder waits for the body."""
    decoder = venue_decoder()
    with pytest.raises(WireError, match="oversized"):
        decoder.feed((COMMAND_BYTES_MAX + 1).to_bytes(4, "big"))
    assert decoder.pending_bytes == 0
    assert sum(decoder.refused.values()) == 1


def test_a_refused_stream_stays_refused() -> None:
    """Shows that nothing after a fault is believed; fails when a good frame behind it is delivered."""
    decoder = client_decoder()
    with pytest.raises(WireError):
        decoder.feed(b"\x00\x00\x00\x01x")
    with pytest.raises(WireError):
        decoder.feed(encode(Ping(1)))
    assert decoder.frames == 0


def test_a_message_too_big_to_be_read_is_not_sent() -> None:
    """Shows that the sender refuses what the receiver would; fails when only the far end notices."""
    with pytest.raises(WireError, match="to send"):
        encode(Submit(0, SendCancel("x" * COMMAND_BYTES_MAX)), COMMAND_BYTES_MAX)


def test_a_stream_that_ends_inside_a_frame_is_an_error() -> None:
    """Shows that half a message is noticed at the end of the stream; fails when a cut looks clean."""
    frame = encode(Ping(1))
    decoder = venue_decoder()
    assert decoder.feed(frame) == [Ping(1)]
    decoder.finish()
    decoder.feed(frame[:-1])
    with pytest.raises(WireError, match="ended inside a frame"):
        decoder.finish()
    assert decoder.refused[WireFault.TRUNCATED] == 1
