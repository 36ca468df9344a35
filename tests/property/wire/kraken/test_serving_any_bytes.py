"""The server side's readers take anything: they return a refusal or a request, and never fail in another way."""

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appliance.core.errors import WireError
from appliance.core.values import Side
from appliance.venues.simulator.kraken.http import BODY_BYTES_MAX, HEAD_BYTES_MAX, HttpReader, HttpRequest
from appliance.wire.kraken.numbers import Grid
from appliance.wire.kraken.requests import AddOrder, CancelOrder, Subscribe, encode
from appliance.wire.kraken.serving import rest
from appliance.wire.kraken.serving.orders import NewOrder
from appliance.wire.kraken.serving.requests import Asked, OrderParams, RequestDecoder, Unreadable
from tests.unit.venues.kraken.counter import Counter

DECODER = RequestDecoder()
SEEDS = [
    encode(Subscribe(channel="book", symbol=("BTC/USD",), depth=10), 1),
    encode(CancelOrder(order_id=("OAAAAA-AAAAA-AAAAAA",)), 2),
    b'{"method":"add_order","params":{"order_type":"limit","side":"buy","order_qty":1e400,"limit_price":-0.0}}',
    b'{"method":"add_order","params":{"order_type":"limit","side":"buy","order_qty":[[[[]]]],"symbol":"\\ud800"}}',
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    [
        "method",
        "params",
        "req_id",
        "channel",
        "symbol",
        "depth",
        "order_type",
        "side",
        "order_qty",
        "limit_price",
        "token",
    ]
)
METHODS = st.sampled_from(["subscribe", "add_order", "amend_order", "cancel_order", "batch_add", "ping", "cancel_all"])
FORM_NAMES = [
    "pair",
    "type",
    "ordertype",
    "volume",
    "price",
    "price2",
    "oflags",
    "expiretm",
    "userref",
    "close[ordertype]",
]


@given(frame=st.binary(max_size=300) | st.sampled_from(SEEDS))
@example(frame=b"[" * 70_000)
@example(frame=b'{"method":"ping","req_id":' + b"9" * 30 + b"}")
def test_any_bytes_are_read_or_refused(frame: bytes) -> None:
    """Shows that whatever arrives is a request or an answerable refusal; fails when a session could be ended by it."""
    assert isinstance(DECODER.decode(frame), Asked | Unreadable)


@given(method=METHODS, params=st.dictionaries(NAMES, JSON, max_size=8))
def test_any_parameters_are_answered(method: str, params: dict[str, Any]) -> None:
    """Shows that a session answers requests of every shape, also such as carry a good token;
    fails when one gets through to the books half-read.
    """
    frame = msgspec.json.encode({"method": method, "params": {**params, "token": SHARED.token}, "req_id": 1})
    orders = len(SHARED.floor.orders)
    for answer in SHARED.session.receive(frame, SHARED.floor.venue_ns):
        assert msgspec.json.decode(answer)
    # Nothing that was drawn here names a price, a size and a side that fit together.
    assert len(SHARED.floor.orders) == orders


SHARED = Counter()


@given(
    pieces=st.lists(
        st.binary(max_size=80) | st.sampled_from([b"POST / HTTP/1.1\r\n", b"\r\n", b"a: b\r\n"]), max_size=12
    )
)
def test_any_stream_is_a_request_or_refused(pieces: list[bytes]) -> None:
    """Shows that a stream yields requests, waits for more or is refused; fails when it raises anything else."""
    reader = HttpReader()
    try:
        for piece in pieces:
            reader.feed(piece)
            found = reader.next()
            assert found is None or isinstance(found, HttpRequest)
    except WireError:
        return


@given(cuts=st.lists(st.integers(1, 30), min_size=1, max_size=30))
def test_a_request_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    """Shows that two requests come out whole from any pieces; fails when a boundary loses or joins bytes."""
    whole = b"POST /0/private/Balance HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\nnonce=1GET /0 HTTP/1.1\r\n\r\n"
    reader, found = HttpReader(), []
    for size in itertools.cycle(cuts):
        reader.feed(whole[:size])
        whole = whole[size:]
        while (request := reader.next()) is not None:
            found.append((request.method, request.target, request.body))
        if not whole:
            break
    assert found == [("POST", "/0/private/Balance", b"nonce=1"), ("GET", "/0", b"")]


@given(body=st.binary(max_size=200), json=st.booleans())
def test_any_body_is_fields_or_nothing(body: bytes, json: bool) -> None:
    """Shows that a body is a flat set of texts or refused; fails when another type gets through."""
    found = rest.fields(body, "application/json" if json else "application/x-www-form-urlencoded")
    assert found is None or all(isinstance(value, str) for value in found.values())


@given(form=st.dictionaries(st.sampled_from(FORM_NAMES), st.text(max_size=12), max_size=10))
@example(form={"pair": "x", "volume": "1", "userref": "--1"})
def test_any_form_is_an_order_or_refused(form: dict[str, str]) -> None:
    """Shows that a form asks for an order or is refused in words; fails when it raises."""
    found = rest.new_order(form, 0)
    assert isinstance(found, NewOrder) or found.startswith("EGeneral:Invalid arguments")


@given(lots=st.integers(1, 10**12), ticks=st.integers(1, 10**9), side=st.sampled_from(list(Side)))
def test_what_our_client_encodes_is_what_the_server_reads(lots: int, ticks: int, side: Side) -> None:
    """Shows that an order arrives as it was meant, amounts to the last digit; fails when the sides differ."""
    grid = Grid("BTC/USD", 1, 8)
    order = AddOrder(
        order_type="limit", side=side, order_qty=grid.size(lots), symbol=grid.symbol, limit_price=grid.price(ticks)
    )
    asked = DECODER.decode(encode(order, 3))
    assert isinstance(asked, Asked)
    assert isinstance(asked.params, OrderParams)
    read = asked.params.asked()
    assert (grid.lots(read.quantity), grid.ticks(read.limit_price), read.side) == (lots, ticks, side.value)


def feed(reader: HttpReader, pieces: list[bytes]) -> None:
    """Feed pieces and look for a request."""
    for piece in pieces:
        reader.feed(piece)
    reader.next()


def test_the_bounds_of_a_request() -> None:
    """Shows that a head, a body or a buffer over its limit ends the connection; fails when it is collected for ever."""
    for pieces in (
        [b"GET / HTTP/1.1\r\n", b"a" * (HEAD_BYTES_MAX + 1)],
        [b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (BODY_BYTES_MAX + 1)],
        [b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"],
        [b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"],
        [b"x" * (HEAD_BYTES_MAX + BODY_BYTES_MAX + 1)],
    ):
        reader = HttpReader()
        with pytest.raises(WireError):
            feed(reader, pieces)
