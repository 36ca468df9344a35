"""The private and public REST calls, signed by our own client's signing and read without a socket."""

from decimal import Decimal
from typing import Any

import pytest

from appliance.venues.simulator.kraken.keys import CANCEL, QUERY, TRADE, WITHDRAW
from appliance.venues.simulator.kraken.rates import STARTER
from appliance.venues.simulator.kraken.rest_private import PAGE, PrivateCalls
from appliance.venues.simulator.kraken.rest_public import PublicCalls
from appliance.wire.kraken.signing import signed
from tests.unit.venues.kraken.counter import PAIR, Counter

ORDER = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.01", "price": "50000"}


class Caller:
    """Make signed calls with rising nonces."""

    def __init__(self, counter: Counter) -> None:
        """Call a venue."""
        self.counter = counter
        self.calls = PrivateCalls(counter.state, counter.keyring)
        self.nonce = 0

    def call(self, method: str, **fields: str) -> Any:  # noqa: ANN401 - any result
        """Return the result of a call, or the error's text."""
        self.nonce += 1
        return self.call_with(self.nonce, method, **fields)

    def call_with(self, nonce: int, method: str, **fields: str) -> Any:  # noqa: ANN401 - any result
        """Return the result of a call under a nonce."""
        key = self.counter.key
        request = signed(f"/0/private/{method}", fields, nonce, key.key, key.private_key)
        headers = dict(request.headers)
        return self.calls.answer(
            request.path, request.body, headers["Content-Type"], headers["API-Key"], headers["API-Sign"]
        )


def test_a_nonce_is_good_once() -> None:
    """Shows that a nonce must rise with every call; fails when a recorded call could be played again."""
    caller = Caller(Counter())
    assert isinstance(caller.call_with(5, "Balance"), dict)
    assert caller.call_with(5, "Balance") == "EAPI:Invalid nonce"
    assert caller.call_with(4, "Balance") == "EAPI:Invalid nonce"
    assert isinstance(caller.call_with(6, "Balance"), dict)


def test_an_unknown_key_and_a_changed_body_are_refused() -> None:
    """Shows that neither a stranger's key nor a signature of other words is taken; fails when either is."""
    counter = Counter()
    calls, key = PrivateCalls(counter.state, counter.keyring), counter.key
    request = signed("/0/private/CancelAll", {}, 1, key.key, key.private_key)
    sign = dict(request.headers)["API-Sign"]
    form = "application/x-www-form-urlencoded"
    assert calls.answer(request.path, request.body, form, "stranger", sign) == "EAPI:Invalid key"
    assert calls.answer(request.path, request.body + b"&a=b", form, key.key, sign) == "EAPI:Invalid signature"
    assert calls.answer("/0/private/Balance", request.body, form, key.key, sign) == "EAPI:Invalid signature"
    assert calls.answer("/0/private/Nothing", request.body, form, key.key, sign) == "EGeneral:Unknown method"
    assert calls.answer(request.path, b"", form, key.key, sign) == "EAPI:Invalid nonce"


@pytest.mark.parametrize(
    ("permissions", "denied"),
    [
        (QUERY, {"AddOrder", "AmendOrder", "EditOrder", "CancelOrder", "CancelAll", "GetWebSocketsToken"}),
        (CANCEL, {"AddOrder", "AmendOrder", "EditOrder"}),
        (TRADE, set()),
    ],
)
def test_permissions_are_looked_at(permissions: frozenset[str], denied: set[str]) -> None:
    """Shows what each kind of key may call and that it is told its permissions; fails when a key can do more."""
    caller = Caller(Counter(permissions=permissions))
    methods = ["AddOrder", "AmendOrder", "EditOrder", "CancelOrder", "CancelAll", "GetWebSocketsToken", "Balance"]
    assert {each for each in methods if caller.call(each) == "EGeneral:Permission denied"} == denied
    assert caller.call("GetApiKeyInfo")["permissions"] == sorted(permissions)


def test_a_key_that_can_withdraw_says_so() -> None:
    """Shows that a client can see an over-privileged key; fails when it could not refuse to start with it."""
    assert "withdraw-funds" in Caller(Counter(permissions=WITHDRAW)).call("GetApiKeyInfo")["permissions"]


def test_calls_are_counted_and_time_heals() -> None:
    """Shows that too many calls are refused and later ones are not; fails when the REST limit does not bite."""
    counter = Counter(tier=STARTER)
    caller = Caller(counter)
    answers = [caller.call("Balance") for _ in range(20)]
    assert answers[14] != answers[15] == "EAPI:Rate limit exceeded"
    counter.pass_ms(10_000)
    assert isinstance(caller.call("Balance"), dict)


def test_an_order_by_all_its_names() -> None:
    """Shows that an order is found by the venue's id, ours and its group, open and closed; fails when one is lost."""
    caller = Caller(Counter())
    [order_id] = caller.call("AddOrder", **ORDER, cl_ord_id="b4-1")["txid"]
    [other_id] = caller.call("AddOrder", **ORDER, userref="7")["txid"]
    assert list(caller.call("QueryOrders", txid=order_id)) == [order_id]
    assert list(caller.call("QueryOrders", cl_ord_id="b4-1")) == [order_id]
    assert list(caller.call("OpenOrders", userref="7")["open"]) == [other_id]
    assert caller.call("QueryOrders", txid="OAAAAA-AAAAA-AAAAAA") == "EOrder:Unknown order"
    assert caller.call("QueryOrders", cl_ord_id="nobody") == {}
    assert caller.call("CancelOrder", txid="7") == {"count": 1}
    assert caller.call("CancelOrder", cl_ord_id="b4-1") == {"count": 1}
    closed = caller.call("ClosedOrders")["closed"]
    assert [closed[name]["status"] for name in (order_id, other_id)] == ["canceled", "canceled"]
    assert closed[order_id]["cl_ord_id"] == "b4-1"


def test_long_histories_come_in_pages() -> None:
    """Shows that all executions can be read page by page, the newest first, each once; fails when one is missing."""
    counter = Counter()
    caller = Caller(counter)
    for _ in range(60):
        counter.placed("market", order_qty=Decimal("0.0001"))
        counter.pass_ms(1_000)
    first, second = caller.call("TradesHistory"), caller.call("TradesHistory", ofs=str(PAGE))
    assert first["count"] == second["count"] == counter.floor.account.trades_count
    names = list(first["trades"]) + list(second["trades"])
    assert len(names) == len(set(names)) == first["count"]
    times = [each["time"] for each in [*first["trades"].values(), *second["trades"].values()]]
    assert times == sorted(times, reverse=True)
    later = caller.call("TradesHistory", start=f"{times[9]:.9f}")
    assert 9 <= later["count"] <= 10


def test_validation_places_nothing() -> None:
    """Shows that an order that is only validated is described and not placed; fails when it rests."""
    counter = Counter()
    answer = Caller(counter).call("AddOrder", **ORDER, validate="true")
    assert answer == {"descr": {"order": "buy 0.01000000 XBTUSD @ limit 50000.0"}}
    assert counter.floor.open == {}


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"leverage": "2"}, "EGeneral:Invalid arguments:leverage"),
        ({"oflags": "viqc"}, "EGeneral:Invalid arguments:oflags"),
        ({"expiretm": "soon"}, "EGeneral:Invalid arguments:expiretm"),
        ({"trigger": "index"}, "EGeneral:Invalid arguments:Index unavailable"),
        ({"userref": "--1"}, "EGeneral:Invalid arguments:userref"),
        ({"ordertype": "iceberg"}, "EGeneral:Invalid arguments:ordertype"),
        ({"price": "+5%"}, "EOrder:Invalid price"),
        ({"timeinforce": "GTD"}, "EGeneral:Invalid arguments:expiretm"),
    ],
)
def test_forms_that_cannot_be_are_refused(fields: dict[str, str], error: str) -> None:
    """Shows that what this venue does not do is refused by name; fails when it is taken for something else."""
    assert Caller(Counter()).call("AddOrder", **ORDER | fields) == error


def test_public_calls_refuse_what_they_do_not_know() -> None:
    """Shows the refusals of public calls; fails when one answers for another pair, depth or interval."""
    calls = PublicCalls(Counter().state).calls
    for method in ("Ticker", "AssetPairs", "Depth", "Trades", "OHLC"):
        assert calls[method]({"pair": "DOGEUSD"}) == "EQuery:Unknown asset pair"
    assert calls["Depth"]({"pair": PAIR, "count": "9999"}) == "EGeneral:Invalid arguments:count"
    assert calls["OHLC"]({"pair": PAIR, "interval": "7"}) == "EGeneral:Invalid arguments"
    assert calls["Trades"]({"pair": PAIR, "since": "yesterday"}) == "EGeneral:Invalid arguments:since"
    named: Any = calls["AssetPairs"]({"pair": "BTC/USD,XBTUSD"})
    assert set(named) == {"BTC/USD", "XXBTZUSD"}
