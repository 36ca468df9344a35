"""Every message literal of another client's tests is decoded, and what we spell ourselves is spelled the same."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from appliance.core.errors import WireError
from appliance.core.secret import Secret
from appliance.core.values import Side
from appliance.wire.kraken import answers, requests
from appliance.wire.kraken.account import AccountDecoder, Balances, Executions
from appliance.wire.kraken.answers import Answer
from appliance.wire.kraken.market import MarketDecoder
from appliance.wire.kraken.numbers import Grid
from appliance.wire.kraken.refusals import Reason, Refused
from tests.recorded.kraken_data import literals

GRIDS = (Grid("BTC/USD", 1, 8), Grid("ETH/USD", 2, 8))
BALANCE = b'{"channel":"balances","type":"update","sequence":1,"data":[{"asset":"USD","balance":%b}]}'
LIMIT = b'"symbol":"BTC/USD","limit_price":2.40},"req_id":7}'
FILES = ("kraken_wss_client", "wss_messages", "base_messages")


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Return a decoded message as JSON values with exact decimals."""
    if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
        return Decimal(str(value)).normalize()
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list | tuple) else value


def is_request(raw: bytes) -> bool:
    """Tell whether a literal is sent by a client."""
    return b'"params":{' in raw


def is_level3(raw: bytes) -> bool:
    """Tell whether a literal is of the order-by-order channel, which is not used."""
    return b'"channel":"level3","type"' in b"".join(raw.split())


def test_every_literal_is_decoded() -> None:
    """Shows each received literal accepted by exactly one decoder; fails when a field of a real message is unknown."""
    market, account = MarketDecoder(GRIDS), AccountDecoder()
    decoded = 0
    for raw in (raw for part in FILES for raw in literals(part) if not is_request(raw)):
        accepted = [m for d in (market, account) if not isinstance(m := d.decode(raw), Refused)]
        assert len(accepted) == (0 if is_level3(raw) else 1), (raw, market.decode(raw), account.decode(raw))
        decoded += len(accepted)
    assert decoded > 40


def test_account_messages_survive_a_round_trip() -> None:
    """Shows executions and balances encode to what was decoded, number for number; fails when a field gets lost."""
    account = AccountDecoder()
    seen = set()
    for raw in literals("kraken_wss_client"):
        message = account.decode(raw)
        if isinstance(message, Executions | Balances):
            again = msgspec.to_builtins(message, builtin_types=(Decimal,))
            assert plain(again) == plain(json.loads(raw, parse_float=Decimal, parse_int=Decimal))
            seen.add(type(message))
    assert seen == {Executions, Balances} or not seen


def test_answers_survive_a_round_trip() -> None:
    """Shows that each answer's result encodes to what was decoded; fails when a field of a result gets lost."""
    account, count = AccountDecoder(), 0
    for raw in (raw for part in FILES for raw in literals(part)):
        answer = account.decode(raw)
        told = json.loads(raw)
        if isinstance(answer, Answer) and "result" in told:
            assert json.loads(msgspec.json.encode(answer.result)) == told["result"]
            assert (answer.method, answer.request) == (told["method"], told["req_id"])
            count += 1
    assert count > 15


def test_the_amend_request_is_spelled_as_the_literal() -> None:
    """Shows our bytes equal to the literal's; fails when the order of fields or a number's spelling differs."""
    raw = next(raw for raw in literals("kraken_wss_client") if is_request(raw))
    request = requests.AmendOrder(
        order_id="BQS60L-EGW18-UPAK9U", order_qty=Decimal("5.1"), limit_price=Decimal("0.96"), post_only=False
    )
    assert requests.encode(request, 0, Secret("aToken")) == raw


@pytest.mark.parametrize(
    ("request_", "spelled"),
    [
        (
            requests.Subscribe(channel="book", symbol=("BTC/USD",), depth=10),
            b'{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"],"depth":10},"req_id":7}',
        ),
        (requests.Ping(), b'{"method":"ping","req_id":7}'),
        (
            requests.CancelAllOrdersAfter(timeout=0),
            b'{"method":"cancel_all_orders_after","params":{"timeout":0},"req_id":7}',
        ),
        (
            requests.AddOrder(
                order_type="limit",
                side=Side.BUY,
                order_qty=Decimal("1E-8"),
                symbol="BTC/USD",
                limit_price=Decimal("2.40"),
            ),
            b'{"method":"add_order","params":{"order_type":"limit","side":"buy","order_qty":0.00000001,%b' % LIMIT,
        ),
        (requests.CancelOrder(cl_ord_id=("a",)), b'{"method":"cancel_order","params":{"cl_ord_id":["a"]},"req_id":7}'),
        (
            requests.BatchCancel(orders=("A", "B")),
            b'{"method":"batch_cancel","params":{"orders":["A","B"]},"req_id":7}',
        ),
    ],
)
def test_requests_are_spelled_exactly(request_: requests.Request, spelled: bytes) -> None:
    """Shows the bytes of each kind of request; fails when an exponent, a quote or a stray field appears."""
    assert requests.encode(request_, 7) == spelled


def test_a_batch_is_spelled_exactly() -> None:
    """Shows two orders in one request, the token last; fails when it is kept in the message or comes earlier."""
    order = requests.OrderSpec(order_type="limit", side=Side.SELL, order_qty=Decimal("1.20"), limit_price=Decimal(9))
    batch = requests.BatchAdd(symbol="BTC/USD", orders=(order, order))
    spelled = b'{"order_type":"limit","side":"sell","order_qty":1.20,"limit_price":9}'
    assert requests.encode(batch, 1, Secret("T")) == (
        b'{"method":"batch_add","params":{"symbol":"BTC/USD","orders":['
        + spelled
        + b","
        + spelled
        + b'],"token":"T"},"req_id":1}'
    )


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1e40", "1e-40"])
def test_an_impossible_amount_is_never_sent(amount: str) -> None:
    """Shows amounts that no venue could read stop before the wire; fails when one is encoded."""
    request = requests.AddOrder(order_type="market", side=Side.BUY, order_qty=Decimal(amount), symbol="BTC/USD")
    with pytest.raises(WireError):
        requests.encode(request, 1)


@pytest.mark.parametrize("count", [0, 1, 16])
def test_batches_keep_to_the_venues_size(count: int) -> None:
    """Shows both sides of the venue's bounds; fails when a batch it would refuse is built."""
    order = requests.OrderSpec(order_type="market", side=Side.BUY, order_qty=Decimal(1))
    with pytest.raises(WireError):
        requests.BatchAdd(symbol="BTC/USD", orders=(order,) * count)
    with pytest.raises(WireError):
        requests.CancelOrder(cl_ord_id=("a",) * (51 if count else 0))
    with pytest.raises(WireError):
        requests.CancelAllOrdersAfter(timeout=-1 if count else 86_401)
    with pytest.raises(WireError):
        requests.Subscribe(channel="book" if count else "trade", depth=11 if count else 10)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b'{"method":"add_order","req_id":1}', Reason.WRONG_SHAPE),
        (b'{"method":"add_order","req_id":1,"success":true}', Reason.WRONG_SHAPE),
        (b'{"method":"add_order","req_id":1,"success":false}', Reason.WRONG_SHAPE),
        (b'{"method":"add_order","req_id":1,"success":true,"error":"E","result":{"order_id":"A"}}', Reason.WRONG_SHAPE),
        (b'{"method":"add_order","req_id":1,"success":true,"result":{"order_id":"A","new":1}}', Reason.UNKNOWN_FIELD),
        (b'{"method":"withdraw","req_id":1,"success":true,"result":{}}', Reason.UNKNOWN_METHOD),
        (b'{"method":"pong","time_in":"yesterday"}', Reason.BAD_TIME),
        (b'{"channel":"level3","type":"update","data":[]}', Reason.UNKNOWN_CHANNEL),
        (
            b'{"channel":"balances","type":"update","sequence":1,"data":[{"asset":"USD","balance":"NaN"}]}',
            Reason.BAD_NUMBER,
        ),
        (
            b'{"channel":"balances","type":"update","sequence":1,"data":[{"asset":"USD","balance":1e31}]}',
            Reason.OUT_OF_RANGE,
        ),
        (b'{"channel":"balances","type":"update","sequence":-1,"data":[]}', Reason.WRONG_SHAPE),
        (
            b'{"channel":"executions","type":"update","sequence":1,"data":[{"order_id":"A","exec_type":"new","timestamp":"x"}]}',
            Reason.BAD_TIME,
        ),
        (b'{"channel":"executions","type":"update","sequence":1}', Reason.WRONG_SHAPE),
        (b'{"channel":"executions"', Reason.NOT_JSON),
    ],
)
def test_what_does_not_fit_is_refused_by_reason(frame: bytes, reason: Reason) -> None:
    """Shows the reason of each refusal; fails when a half-said or unknown message passes for an answer."""
    told = AccountDecoder().decode(frame)
    assert isinstance(told, Refused)
    assert told.reason is reason


def test_an_error_is_an_answer() -> None:
    """Shows a refused request decoded as such; fails when an error is taken for a success."""
    told = AccountDecoder().decode(
        b'{"error":"EOrder:Insufficient funds","method":"add_order","req_id":3,"success":false}'
    )
    assert isinstance(told, Answer)
    assert (told.result, told.error, told.request) == (None, "EOrder:Insufficient funds", 3)


def test_a_timer_switched_off_is_decoded() -> None:
    """Shows the answer to timeout 0; fails when its trigger time of 0 is not accepted."""
    told = AccountDecoder().decode(
        b'{"method":"cancel_all_orders_after","req_id":1,"success":true,'
        b'"result":{"currentTime":"2024-05-19T19:22:20Z","triggerTime":"0"}}'
    )
    assert isinstance(told, Answer)
    assert told.result == answers.DeadManSet("2024-05-19T19:22:20Z", "0")
