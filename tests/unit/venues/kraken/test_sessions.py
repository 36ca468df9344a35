"""What a WebSocket session answers: channels, tokens, permissions, limits, and the venue's own words for refusals."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from appliance.kernels import book
from appliance.venues.simulator.kraken.desk import System
from appliance.venues.simulator.kraken.keys import CANCEL, QUERY, TOKEN_LIFE_S
from appliance.venues.simulator.kraken.rates import STARTER
from appliance.wire.kraken.account import AccountDecoder, Executions
from appliance.wire.kraken.market import MarketDecoder
from appliance.wire.kraken.numbers import Grid, written_time
from appliance.wire.kraken.reader import BookOutcome, FrameReader
from appliance.wire.kraken.refusals import Refused
from tests.unit.venues.kraken.counter import PAIR, Counter

GRIDS = (Grid("BTC/USD", 1, 8), Grid("ETH/USD", 2, 8))


def test_our_own_codecs_read_everything_the_venue_writes() -> None:
    """Shows that each frame of every channel and answer is read by the client side's strict decoders, and books by
    its kernel with their checksums; fails when the two sides of our own protocol differ.
    """
    counter = Counter()
    for channel in ("executions", "balances", "instrument"):
        counter.follow(channel)
    for channel in ("book", "trade", "ticker", "ohlc"):
        counter.follow(channel, symbol=[grid.symbol for grid in GRIDS])
    resting = counter.placed(limit_price=50_000, cl_ord_id="b4-1")
    counter.ask("amend_order", cl_ord_id="b4-1", order_qty=Decimal("0.02"))
    counter.placed("market")
    counter.placed("stop-loss", side="sell", triggers={"price": 40_000})
    counter.ask("cancel_all_orders_after", timeout=60)
    counter.ask("edit_order", order_id=resting, symbol=PAIR, order_qty=Decimal("0.03"), limit_price=50_001)
    counter.order(order_qty=100, limit_price=50_000)
    counter.say({"method": "ping"})
    for _ in range(100):
        counter.pass_ms(100)
        counter.told()
    counter.ask("cancel_order", order_id=list(counter.floor.open)[:1])
    counter.ask("cancel_all")
    counter.told()
    reader, account, decoder = FrameReader(GRIDS, 10), AccountDecoder(), MarketDecoder(GRIDS)
    reader.rows[:, book.PHASE] = book.AWAITING
    books = 0
    for frame in counter.raw:
        seen = reader.read(frame)
        if isinstance(seen, BookOutcome):
            assert seen.outcome in {book.UPDATED, book.REPLACED}
            reader.rows[seen.row, book.PHASE] = book.LIVE
            books += 1
        else:
            read: Any = decoder.decode(frame) if b'"channel"' in frame[:11] else None
            assert not isinstance(account.decode(frame) if read is None or isinstance(read, Refused) else read, Refused)
    assert books > 100


def test_sequences_rise_by_one_in_each_channel() -> None:
    """Shows that a client can see a lost message of its account; fails when a sequence stands still or jumps."""
    counter = Counter()
    counter.follow("executions")
    counter.follow("balances")
    for _ in range(3):
        counter.placed("market", order_qty=Decimal("0.001"))
        counter.told()
    decoder = AccountDecoder()
    read = [decoder.decode(frame) for frame in counter.raw if b'"executions","type"' in frame]
    sequences = [message.sequence for message in read if isinstance(message, Executions)]
    assert sequences == list(range(1, len(sequences) + 1))
    assert len(sequences) >= 10


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b"[", "Malformed request"),
        (b'{"method":"nothing"}', "Unsupported event"),
        (b'{"method":"ping","params":{}}', "Unsupported field: 'params' for the given msg type: ping"),
        (b'{"method":"add_order","params":{"order_type":"limit"}}', "Side field is required"),
        (
            b'{"method":"subscribe","params":{"channel":"book","symbol":["WWW/USD"]}}',
            "Currency pair not supported WWW/USD",
        ),
        (b'{"method":"subscribe","params":{"channel":"book"}}', "Symbol field is required"),
        (
            b'{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"],"depth":11}}',
            "Subscription depth not supported",
        ),
        (b'{"method":"subscribe","params":{"channel":"executions"}}', "Token(s) not found"),
        (b'{"method":"subscribe","params":{"channel":"balances","token":"x"}}', "ESession:Invalid session"),
        (b'{"method":"unsubscribe","params":{"channel":"trade","symbol":["BTC/USD"]}}', "Subscription Not Found"),
        (b'{"method":"cancel_all","params":{"token":"x"}}', "ESession:Invalid session"),
        (
            b'{"method":"cancel_all","params":{"tokens":"x"}}',
            "Unsupported field: 'tokens' for the given msg type: cancel all",
        ),
    ],
)
def test_requests_that_do_not_fit_are_told_why(message: bytes, error: str) -> None:
    """Shows the venue's words for what cannot be done; fails when a bad request is carried out or ends the session."""
    assert Counter().say(message)["error"] == error


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"limit_price": Decimal("50000.01")}, "EOrder:Tick size check failed"),
        ({"limit_price": 50_000, "order_qty": Decimal("0.00001")}, "EOrder:Order minimum not met"),
        ({"limit_price": Decimal("0.1"), "order_qty": Decimal("0.001")}, "EOrder:Cost minimum not met"),
        ({"limit_price": 50_000, "order_qty": 10}, "EOrder:Insufficient funds"),
        ({"limit_price": 50_000, "side": "sell"}, "EOrder:Insufficient funds"),
        ({}, "EGeneral:Invalid arguments:price"),
        ({"limit_price": 50_000, "symbol": "DOGE/USD"}, "EQuery:Unknown asset pair"),
        ({"limit_price": 50_000, "cl_ord_id": "much too long for a client id"}, "EGeneral:Invalid arguments:cl_ord_id"),
        ({"limit_price": 50_000, "reduce_only": True}, "EOrder:Reduce only:No position exists"),
        ({"limit_price": "50000"}, "EOrder:Invalid price"),
    ],
)
def test_orders_that_cannot_be_are_refused(params: dict[str, Any], error: str) -> None:
    """Shows the refusals of orders; fails when one is accepted or told in other words."""
    counter = Counter()
    assert counter.order(**params)["error"] == error
    assert counter.floor.orders == {}


def test_a_client_id_is_one_open_orders() -> None:
    """Shows that a second order under an open order's id is refused and that the id is free again afterwards;
    fails when a repeated request opens a second order.
    """
    counter = Counter()
    counter.placed(limit_price=50_000, cl_ord_id="b4-1")
    assert counter.order(limit_price=50_000, cl_ord_id="b4-1")["error"] == "EOrder:cl_ord_id already in use"
    assert len(counter.floor.open) == 1
    counter.ask("cancel_order", cl_ord_id=["b4-1"])
    counter.placed(limit_price=50_000, cl_ord_id="b4-1")


def test_a_request_after_its_deadline_is_never_carried_out() -> None:
    """Shows that a deadline that has passed refuses order and amendment; fails when a late request trades."""
    counter = Counter()
    past = written_time(counter.floor.venue_ns - 1)
    assert counter.order("market", deadline=past)["error"] == "EService:Deadline elapsed"
    assert counter.floor.orders == {}
    ahead = written_time(counter.floor.venue_ns + 10**9)
    counter.placed("market", deadline=ahead)
    far = written_time(counter.floor.venue_ns + 61 * 10**9)
    assert counter.order("market", deadline=far)["error"] == "EGeneral:Invalid arguments:deadline"


def test_a_key_may_do_only_what_it_was_given() -> None:
    """Shows that a key for queries cannot order or cancel and one for canceling cannot order;
    fails when a permission is not looked at.
    """
    query, cancel = Counter(permissions=QUERY), Counter(permissions=CANCEL)
    for counter in (query, cancel):
        assert counter.order("market")["error"] == "EGeneral:Permission denied"
    assert query.ask("cancel_all")["error"] == "EGeneral:Permission denied"
    assert cancel.ask("cancel_all")["result"] == {"count": 0}


def test_a_token_ages_and_can_be_made_worthless() -> None:
    """Shows that a token opens nothing new after its time, keeps what it opened, and loses that when all tokens expire;
    fails when an old token opens a session or an expired one goes on trading.
    """
    used, fresh = Counter(), Counter()
    used.ask("cancel_all")
    for counter in (used, fresh):
        counter.pass_ms((TOKEN_LIFE_S + 1) * 1_000)
    assert used.ask("cancel_all")["success"]
    assert fresh.ask("cancel_all")["error"] == "ESession:Invalid session"
    used.keyring.expire_tokens()
    assert used.ask("cancel_all")["error"] == "ESession:Invalid session"


def test_the_trading_counter_refuses_a_storm_and_recovers() -> None:
    """Shows that too many orders at once are refused, that canceling young ones costs the most, that canceling is
    never refused, and that time heals; fails when the limit does not bite.
    """
    counter = Counter(tier=STARTER)
    ids = [counter.placed(limit_price=50_000, order_qty=Decimal("0.0001")) for _ in range(60)]
    assert counter.order(limit_price=50_000)["error"] == "EOrder:Rate limit exceeded"
    assert counter.ask("cancel_order", order_id=ids[:10])["success"]
    counter.pass_ms(10_000)
    assert counter.order(limit_price=50_000)["error"] == "EOrder:Rate limit exceeded"
    counter.pass_ms(90_000)
    assert counter.placed(limit_price=50_000)


@pytest.mark.parametrize(
    ("system", "placing", "canceling"),
    [
        (System.MAINTENANCE, "EService:Unavailable", False),
        (System.CANCEL_ONLY, "EService:Market in cancel_only mode", True),
        (System.POST_ONLY, "EService:Market in post_only mode", True),
    ],
)
def test_the_venue_keeps_to_its_mode(system: System, placing: str, canceling: bool) -> None:
    """Shows what each mode refuses and still does; fails when an order is taken in a mode that has none."""
    counter = Counter()
    resting = counter.placed(limit_price=50_000)
    counter.state.desk.system = system
    assert counter.order("market")["error"] == placing
    assert counter.ask("cancel_order", order_id=[resting])["success"] is canceling
    if system is System.POST_ONLY:
        counter.placed(limit_price=50_000, post_only=True)


def test_the_dead_man_timer_cancels_everything() -> None:
    """Shows that an armed timer that is not refreshed cancels every order, stops too, and a refreshed or disarmed one
    does not; fails when something survives it or it fires when told not to.
    """
    counter = Counter()
    counter.placed("market")
    counter.placed("stop-loss", side="sell", triggers={"price": 40_000})
    counter.placed(limit_price=50_000)
    counter.ask("cancel_all_orders_after", timeout=2)
    counter.pass_ms(1_500)
    counter.ask("cancel_all_orders_after", timeout=2)
    counter.pass_ms(1_500)
    assert len(counter.floor.open) == 2
    counter.ask("cancel_all_orders_after", timeout=0)
    counter.pass_ms(5_000)
    assert len(counter.floor.open) == 2
    counter.ask("cancel_all_orders_after", timeout=2)
    counter.pass_ms(2_001)
    assert counter.floor.open == {}
    assert counter.floor.audit() == ()


def test_subscriptions_are_bounded_and_can_be_given_up() -> None:
    """Shows that a session follows a channel once, leaves it when asked, and no request follows more than the limit;
    fails when it is told twice or for ever.
    """
    counter = Counter()
    counter.follow("book", symbol=[PAIR], depth=25)
    assert counter.ask("subscribe", channel="book", symbol=[PAIR])["error"] == "Already subscribed"
    counter.pass_ms(1_000)
    assert [message["channel"] for message in counter.told()] == ["book"]
    assert counter.ask("unsubscribe", channel="book", symbol=[PAIR])["success"]
    counter.pass_ms(1_000)
    assert counter.told() == []
    many = counter.ask("subscribe", channel="book", symbol=["X"] * 101)
    assert "error" in many


def test_a_batch_is_answered_order_by_order() -> None:
    """Shows that a batch tells for each order whether it was placed; fails when one bad order hides the others."""
    counter = Counter()
    good = {"order_type": "limit", "side": "buy", "order_qty": Decimal("0.01"), "limit_price": 50_000}
    bad = good | {"order_qty": 10}
    answer = counter.ask("batch_add", symbol=PAIR, orders=[good, bad])
    assert "order_id" in answer["result"][0]
    assert answer["result"][1] == {"error": "EOrder:Insufficient funds"}
    canceled = counter.ask("batch_cancel", orders=[answer["result"][0]["order_id"]])
    assert canceled["orders_cancelled"] == 1


def test_frames_are_json_without_exponents() -> None:
    """Shows that tiny and whole amounts are written as plain decimals; fails when a client would see 1E-8."""
    counter = Counter()
    counter.follow("instrument")
    counter.placed("market", order_qty=Decimal("0.0001"))
    counter.follow("balances")
    for frame in counter.raw:
        assert b"E-" not in frame
        assert msgspec.json.decode(frame)
