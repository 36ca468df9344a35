"""The quick writer of orders against the codec of every request."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from appliance.core.commands import SendOrder
from appliance.core.instruments import PRICE_TICKS_MAX, SIZE_LOTS_MAX, Instrument
from appliance.core.secret import Secret
from appliance.core.values import OrderKind, SelfTrade, Side
from appliance.wire.kraken.order_bytes import OrderWriter
from appliance.wire.kraken.requests import encode
from tests.property.wire.kraken.order_spelling import spelled_order

STEPS = [("0.1", "0.00000001"), ("0.25", "0.001"), ("5", "1"), ("1E+1", "1E-5"), ("0.010", "0.10")]
INSTRUMENTS = tuple(
    Instrument.define(
        f"{'ABCDE'[number]}/USD",
        tick=Decimal(tick),
        lot=Decimal(lot),
        size_lots_min=1,
        maker_fee_ppm=0,
        taker_fee_ppm=0,
    )
    for number, (tick, lot) in enumerate(STEPS)
)
ORDERS = st.builds(
    SendOrder,
    client_id=st.text(max_size=18),
    instrument=st.sampled_from([each.symbol for each in INSTRUMENTS]),
    side=st.sampled_from(Side),
    kind=st.sampled_from(OrderKind),
    price_ticks=st.integers(1, PRICE_TICKS_MAX),
    size_lots=st.integers(1, SIZE_LOTS_MAX),
    reduce_only=st.booleans(),
    deadline_ms=st.just(1),
    trace=st.just(0),
    trigger_ticks=st.integers(1, PRICE_TICKS_MAX),
    self_trade=st.sampled_from(SelfTrade),
)
# A writer that has just written another order, so that what it remembers of a second is tried as well.
SECOND_NS = 1_000_000_000
MOMENTS = st.integers(0, 2**32 * SECOND_NS) | st.sampled_from([0, 999_999_000, SECOND_NS, SECOND_NS + 1])
TOKENS = st.none() | st.builds(Secret, st.text(max_size=12))


@given(order=ORDERS, before_ns=MOMENTS, due_ns=MOMENTS, number=st.integers(1, 2**40), token=TOKENS)
def test_the_quick_bytes_are_the_codecs(
    order: SendOrder, before_ns: int, due_ns: int, number: int, token: Secret | None
) -> None:
    """Shows every kind of order on every kind of grid spelled alike by both; fails when a byte of one differs."""
    instrument = next(each for each in INSTRUMENTS if each.symbol == order.instrument)
    writer = OrderWriter(INSTRUMENTS)
    writer.write(order, before_ns, number, token)
    assert writer.write(order, due_ns, number, token) == encode(spelled_order(order, instrument, due_ns), number, token)
