"""The paper venue's promises under random requests and random passages of time."""

import math
import random
import zlib
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.core.values import Side, VenueState
from appliance.venues.simulator.kraken.books import changes
from appliance.venues.simulator.terms import OrderType
from tests.unit.venues.kraken.counter import PAIR, Counter

STEPS = st.lists(st.integers(0, 2**48), min_size=1, max_size=40)
FOLLOWED = (10, 100)
TRIGGERED = {"stop-loss", "stop-loss-limit", "take-profit", "take-profit-limit"}


class Reader:
    """Keep a book as any client does: apply, forget what lies beyond the depth, compare the checksum."""

    def __init__(self, depth: int) -> None:
        """Start empty."""
        self.depth = depth
        self.sides: dict[str, dict[Decimal, Decimal]] = {"bids": {}, "asks": {}}

    def take(self, message: Any) -> None:  # noqa: ANN401 - decoded JSON
        """Apply a message of the book channel."""
        data = message["data"][0]
        for name, side in self.sides.items():
            if message["type"] == "snapshot":
                side.clear()
            for level in data[name]:
                price, size = Decimal(str(level["price"])), Decimal(str(level["qty"]))
                if size:
                    side[price] = size
                else:
                    assert side.pop(price, None) is not None, "a level that was never there is removed"
            kept = sorted(side, reverse=name == "bids")[: self.depth]
            self.sides[name] = {price: side[price] for price in kept}
        text = "".join(
            f"{price:.1f}".replace(".", "").lstrip("0") + f"{size:.8f}".replace(".", "").lstrip("0")
            for name in ("asks", "bids")
            for price, size in list(self.sides[name].items())[:10]
        )
        assert zlib.crc32(text.encode()) == data["checksum"]
        assert max(self.sides["bids"]) < min(self.sides["asks"])


def request(counter: Counter, draw: random.Random) -> None:
    """Ask for something."""
    known = list(counter.floor.orders)
    some = draw.choice(known) if known else "OAAAAA-AAAAA-AAAAAA"
    size = Decimal(draw.choice([10_000, 250_000, 3_000_000, 40_000_000])).scaleb(-8)
    match draw.randrange(8):
        case 0:
            counter.ask("cancel_order", order_id=[some])
        case 1:
            price = counter.price(draw.choice(["bid", "ask"]), draw.randrange(-20, 60))
            counter.ask("amend_order", order_id=some, order_qty=size, limit_price=price)
        case 2:
            counter.ask("cancel_all_orders_after", timeout=draw.choice([0, 1, 30]))
        case 3:
            counter.ask("edit_order", order_id=some, symbol=PAIR, order_qty=size)
        case _:
            place(counter, draw, size)


def place(counter: Counter, draw: random.Random, size: Decimal) -> None:
    """Place an order of some kind near the market."""
    kind = draw.choice(list(OrderType)).value
    side = draw.choice(["buy", "sell"])
    params: dict[str, Any] = {"side": side, "order_qty": size}
    if kind in {"limit", "stop-loss-limit", "take-profit-limit"}:
        params["limit_price"] = counter.price("bid" if side == "buy" else "ask", draw.randrange(-20, 60))
        params["post_only"] = kind == "limit" and draw.random() < 0.2
    if kind in TRIGGERED:
        params["triggers"] = {"price": counter.price(draw.choice(["bid", "ask"]), draw.randrange(60))}
    if kind == "limit" and not params["post_only"]:
        params["time_in_force"] = draw.choice(["gtc", "ioc", "fok"])
    params["stp_type"] = draw.choice(["cancel_newest", "cancel_oldest", "cancel_both"])
    if draw.random() < 0.2:
        params["conditional"] = {"order_type": "limit", "limit_price": 64_000}
    counter.order(kind, **params)


def run(seed: int, steps: list[int]) -> tuple[Counter, dict[int, Reader], list[Any]]:
    """Let a client do random things and follow everything."""
    counter = Counter(seed=seed)
    counter.keyring._tokens[counter.token] = (counter.key, 10**18)
    counter.follow("executions")
    counter.follow("balances")
    readers = {depth: Reader(depth) for depth in FOLLOWED}
    messages: list[Any] = []
    views = dict.fromkeys(FOLLOWED, counter.state.books[PAIR])
    for depth, view in views.items():
        readers[depth].take(msgspec.json.decode(view.snapshot(depth, 0)))
    for step in steps:
        draw = random.Random(step)
        counter.pass_ms(draw.choice([0, 1, 50, 700]))
        messages += counter.told()
        request(counter, draw)
        messages += counter.told()
        for depth, view in views.items():
            update = view.update(depth, 0)
            if update is not None:
                readers[depth].take(msgspec.json.decode(update))
        assert counter.floor.audit() == ()
    return counter, readers, messages


@settings(max_examples=40)
@given(seed=st.integers(0, 50), steps=STEPS)
def test_every_promise_holds_under_random_requests(seed: int, steps: list[int]) -> None:
    """Shows that after each request the books are exact, no client's book is crossed or differs from its checksum,
    and what the account was told adds up to what it has; fails when one order type or race breaks any of these.
    """
    counter, readers, messages = run(seed, steps)
    for depth, reader in readers.items():
        for side, name in ((Side.BUY, "bids"), (Side.SELL, "asks")):
            levels = counter.state.books[PAIR].levels(side, depth)
            assert [(int(p * 10), int(s * 10**8)) for p, s in reader.sides[name].items()] == levels
    lots = {"buy": 0, "sell": 0}
    for message in messages:
        for each in message["data"] if message["channel"] == "executions" else ():
            if each["exec_type"] == "trade":
                lots[each["side"]] += round(each["last_qty"] * 10**8)
    assert lots["buy"] - lots["sell"] == counter.floor.account.lots[PAIR]
    balances = [each for message in messages if message["channel"] == "balances" for each in message["data"]]
    known = {"USD": 10_000.0, "BTC": 0.0}
    for each in balances:
        known[each["asset"]] += each["amount"] - each["fee"]
        assert math.isclose(known[each["asset"]], each["balance"], abs_tol=1e-6)
    last = [each["balance"] for each in balances if each["asset"] == "BTC"]
    assert round(last[-1] * 10**8 if last else 0) == counter.floor.account.lots[PAIR]
    for order in counter.floor.orders.values():
        assert (order.state is VenueState.OPEN) == (order.venue_id in counter.floor.open)
        assert order.filled_lots == order.told_lots <= max(order.size_lots, order.filled_lots)


@settings(max_examples=10)
@given(seed=st.integers(0, 50), steps=STEPS)
def test_the_same_requests_have_the_same_consequences(seed: int, steps: list[int]) -> None:
    """Shows that seed, requests and times decide everything; fails when a run cannot be repeated."""
    assert run(seed, steps)[2] == run(seed, steps)[2]


LEVELS = st.dictionaries(st.integers(1, 30), st.integers(1, 3), max_size=20)


@given(old=LEVELS, new=LEVELS, depth=st.sampled_from([1, 3, 10]), sign=st.sampled_from([1, -1]))
def test_changes_turn_the_old_view_into_the_new(
    old: dict[int, int], new: dict[int, int], depth: int, sign: int
) -> None:
    """Shows that a client that applies an update and truncates has the new view, whatever both were;
    fails when a level is missing, left behind, or removed that the client does not have.
    """
    before, after = (sorted(view.items(), key=lambda level: level[0] * sign)[:depth] for view in (old, new))
    kept = dict(before)
    told = changes(before, after, sign)
    # What only falls out of the depth is not told: a client that does not truncate is to be found out.
    assert all(lots or len(after) < len(before) or price * sign <= after[-1][0] * sign for price, lots in told)
    for price, lots in told:
        if lots:
            kept[price] = lots
        else:
            del kept[price]
    assert sorted(kept.items(), key=lambda level: level[0] * sign)[:depth] == after
