"""What the market channels refuse, by which reason, and what their other messages say."""

from decimal import Decimal

import pytest

from appliance.core.values import Side
from appliance.wire.kraken.market import MarketDecoder
from appliance.wire.kraken.messages import (
    BookChanged,
    Candles,
    Heartbeat,
    Instruments,
    MarketMessage,
    Ticker,
    TradePrint,
    TradesPrinted,
    VenueStatus,
)
from appliance.wire.kraken.numbers import Grid, moment_ns
from appliance.wire.kraken.refusals import Reason, Refused
from tests.recorded.kraken_data import literals

DECODER = MarketDecoder([Grid("BTC/USD", 1, 8), Grid("ETH/USD", 2, 8)])
UPDATE = (
    b'{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":%b,"qty":%b}],"asks":[],'
    b'"checksum":1,"timestamp":"2024-05-19T16:32:26.777454Z"}]}'
)


def told(frame: bytes) -> MarketMessage | Refused:
    """Decode a frame."""
    return DECODER.decode(frame)


@pytest.mark.parametrize(
    ("price", "size", "reason"),
    [
        (b"-1.0", b"1", Reason.BAD_NUMBER),
        (b"0", b"1", Reason.OUT_OF_RANGE),
        (b"0.0", b"1", Reason.OUT_OF_RANGE),
        (b"1.0", b"-1", Reason.BAD_NUMBER),
        (b'"1.0"', b"1", Reason.BAD_NUMBER),
        (b'"NaN"', b"1", Reason.BAD_NUMBER),
        (b"NaN", b"1", Reason.NOT_JSON),
        (b"null", b"1", Reason.BAD_NUMBER),
        (b"[1.0]", b"1", Reason.BAD_NUMBER),
        (b"1.05", b"1", Reason.OFF_GRID),
        (b"1.0", b"0.000000001", Reason.OFF_GRID),
        (b"1e15", b"1", Reason.OUT_OF_RANGE),
        (b"1e999", b"1", Reason.OUT_OF_RANGE),
        (b"1e-999", b"1", Reason.OFF_GRID),
        (b"1e9999", b"1", Reason.BAD_NUMBER),
        (b"1.0", b"1" * 65, Reason.BAD_NUMBER),
    ],
)
def test_a_price_or_size_that_cannot_be_is_refused(price: bytes, size: bytes, reason: Reason) -> None:
    """Shows each impossible number end in its reason (fault 8); fails when one becomes a level."""
    refusal = told(UPDATE % (price, size))
    assert isinstance(refusal, Refused)
    assert refusal.reason is reason


@pytest.mark.parametrize(("price", "ticks"), [(b"1e2", 1_000), (b"1.50", 15), (b"0.1", 1), (b"119174.000", 1_191_740)])
def test_every_spelling_of_a_number_is_exact(price: bytes, ticks: int) -> None:
    """Shows exponents and padding give exact ticks; fails when a float is made on the way."""
    change = told(UPDATE % (price, b"7.723e-05"))
    assert isinstance(change, BookChanged)
    assert change.bids == ((ticks, 7_723),)


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (b'"BTC/USD"', b'"XYZ/USD"', Reason.UNKNOWN_SYMBOL),
        (b'"checksum":1', b'"checksum":4294967296', Reason.WRONG_SHAPE),
        (b'"checksum":1', b'"checksum":-1', Reason.WRONG_SHAPE),
        (b'"checksum":1', b'"checksum":1,"level":2', Reason.UNKNOWN_FIELD),
        (b'"channel":"book"', b'"channel":"book","sequence":2', Reason.UNKNOWN_FIELD),
        (b'"channel":"book"', b'"channel":"l4"', Reason.UNKNOWN_CHANNEL),
        (b'"asks":[],', b"", Reason.WRONG_SHAPE),
        (b'"type":"update"', b'"type":"delta"', Reason.WRONG_SHAPE),
        (b'"type":"update"', b'"type":"snapshot"', Reason.OUT_OF_RANGE),
        (b',"timestamp":"2024-05-19T16:32:26.777454Z"', b"", Reason.BAD_TIME),
        (b"2024-05-19T", b"2024-02-30T", Reason.BAD_TIME),
        (b"2024-05-19T", b"1969-05-19T", Reason.BAD_TIME),
        (b"}]}", b"", Reason.NOT_JSON),
        (b"USD", b"\xff", Reason.NOT_JSON),
    ],
)
def test_a_message_of_another_shape_is_refused(before: bytes, after: bytes, reason: Reason) -> None:
    """Shows each deviation end in its reason; fails when a message whose meaning is not known is taken."""
    whole = UPDATE % (b"1.0", b"0")
    assert isinstance(told(whole), BookChanged)
    refusal = told(whole.replace(before, after))
    assert isinstance(refusal, Refused)
    assert refusal.reason is reason


def test_the_other_channels_say_what_they_mean() -> None:
    """Shows ticker, trade, ohlc, instrument, status and heartbeat of real messages in integers.

    Fails when a field is read from another's place.
    """
    messages = [m for raw in literals("kraken_wss_client") if not isinstance(m := told(raw), Refused)]
    ticker = next(m for m in messages if isinstance(m, Ticker))
    assert (ticker.bid_ticks, ticker.bid_lots, ticker.ask_ticks, ticker.ask_lots) == (659728, 10**7, 659729, 3967506683)
    assert (ticker.last_ticks, ticker.low_ticks, ticker.high_ticks) == (659729, 613254, 664500)
    assert (ticker.vwap, ticker.change_percent) == (Decimal("64275.2"), Decimal("7.17"))
    past = next(m for m in messages if isinstance(m, TradesPrinted))
    happened_ns = moment_ns("2024-05-27T12:33:10.980704Z")
    assert isinstance(happened_ns, int)
    assert past.snapshot
    assert past.trades[1] == TradePrint("BTC/USD", Side.BUY, 684712, 7_723, 70635252, happened_ns)
    candle = next(m for m in messages if isinstance(m, Candles)).candles[0]
    assert (candle.open_ticks, candle.high_ticks, candle.low_ticks, candle.close_ticks) == (
        302780,
        302780,
        302613,
        302613,
    )
    assert (candle.trades_count, candle.interval_minutes) == (9, 1)
    pairs = {pair.symbol: pair for pair in next(m for m in messages if isinstance(m, Instruments)).pairs}
    assert pairs["ETH/BTC"].grid() == Grid("ETH/BTC", 5, 8)
    assert VenueStatus("online", "2.0.4", 12393906104898154338) in messages
    assert Heartbeat() in messages
