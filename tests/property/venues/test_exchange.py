"""The exchange's promises under random commands and random passages of time."""

import itertools
import random
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.core.commands import (
    AskAccount,
    AskOrder,
    SendCancel,
    SendCancelAll,
    SendOrder,
    SetDeadMan,
    VenueCommand,
)
from appliance.core.events import (
    AccountReported,
    AnyEvent,
    OrderAcknowledged,
    OrderEnded,
    OrderTraded,
    QuoteChanged,
    TradePrinted,
)
from appliance.core.instruments import Instrument
from appliance.core.values import Ending, OrderKind, Side
from appliance.venues.simulator.exchange import Exchange
from appliance.venues.simulator.instruments import BUILT_IN

SECOND_NS = 1_000_000_000
# A grid this coarse has few prices and cheap lots, so that random orders share prices, queues and the last quantum.
COARSE = Instrument.define(
    "XYZ/USD",
    tick=Decimal("0.01"),
    lot=Decimal("0.00000001"),
    size_lots_min=1,
    maker_fee_ppm=1_600,
    taker_fee_ppm=2_600,
)
LISTED = (*BUILT_IN, COARSE)
START_TICKS = {"BTC/USD": 640_000, "ETH/USD": 320_000, "XYZ/USD": 1_000}
SYMBOLS = ["XYZ/USD", "BTC/USD", "nothing"]


@dataclass
class Witness:
    """Keep what the events alone say, to hold against the exchange's books."""

    lots: dict[str, int] = field(default_factory=dict)
    cash_quanta: int = 0
    sizes: dict[str, int] = field(default_factory=dict)
    filled: dict[str, int] = field(default_factory=dict)
    trade_ids: set[str] = field(default_factory=set)
    acknowledged: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    trade_numbers: dict[str, int] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    venue_ns: int = 0

    def see(self, event: AnyEvent) -> None:
        """Check one event against all before it and take it in."""
        assert getattr(event, "venue_ns", self.venue_ns) >= self.venue_ns, "venue time went back"
        self.venue_ns = getattr(event, "venue_ns", self.venue_ns)
        match event:
            case QuoteChanged():
                assert 0 < event.bid_ticks < event.ask_ticks, "crossed book"
                assert event.bid_lots > 0
                assert event.ask_lots > 0
                assert event.sequence > self.sequences.get(event.instrument, 0)
                self.sequences[event.instrument] = event.sequence
            case TradePrinted():
                assert event.trade_number == self.trade_numbers.get(event.instrument, 0) + 1
                assert event.size_lots > 0
                self.trade_numbers[event.instrument] = event.trade_number
            case OrderTraded():
                self._see_execution(event)
            case OrderAcknowledged():
                assert event.client_id not in self.acknowledged, "one id, two orders"
                self.acknowledged.append(event.client_id)
            case OrderEnded():
                assert event.client_id not in self.ended, "ended twice"
                assert event.filled_lots == self.filled.get(event.client_id, 0)
                self.ended.append(event.client_id)
            case _:
                pass

    def _see_execution(self, trade: OrderTraded) -> None:
        assert trade.trade_id not in self.trade_ids, "one trade, twice"
        assert trade.client_id in self.acknowledged
        assert trade.client_id not in self.ended, "traded after its end"
        self.trade_ids.add(trade.trade_id)
        self.filled[trade.client_id] = self.filled.get(trade.client_id, 0) + trade.size_lots
        assert self.filled[trade.client_id] <= self.sizes[trade.client_id], "more was filled than ordered"
        instrument = next(each for each in LISTED if each.symbol == trade.instrument)
        self.lots[trade.instrument] = self.lots.get(trade.instrument, 0) + trade.side.sign * trade.size_lots
        notional = instrument.tick_lot_quanta * trade.price_ticks * trade.size_lots
        self.cash_quanta -= trade.side.sign * notional + trade.fee_quanta
        assert self.lots[trade.instrument] >= 0, "a holding below zero"
        assert self.cash_quanta >= 0, "cash below zero"


CLIENT_IDS = st.integers(0, 60).map(lambda number: f"c{number}")
# Orders that have a chance: near the price, of a size that meets several levels, in time.
ORDERS = st.builds(
    SendOrder,
    CLIENT_IDS,
    st.sampled_from(["XYZ/USD", "XYZ/USD", "XYZ/USD", "BTC/USD"]),
    st.sampled_from([Side.BUY, Side.BUY, Side.SELL]),
    st.sampled_from([OrderKind.LIMIT, OrderKind.LIMIT, OrderKind.MARKET]),
    st.one_of(st.integers(992, 1_008), st.integers(639_900, 640_100)),
    st.one_of(st.integers(10_000, 10**12), st.sampled_from([10_000, 3 * 10**11])),
    st.sampled_from([False, False, True]),
    st.sampled_from([2_000, 2_000, 2_000, 1]),
    st.just(0),
)
WILD = st.integers(-(10**30), 10**30)
WILD_ORDERS = st.builds(
    SendOrder,
    st.text(max_size=70),
    st.sampled_from(SYMBOLS),
    st.sampled_from(Side),
    st.sampled_from(OrderKind),
    WILD,
    WILD,
    st.booleans(),
    WILD,
    WILD,
)
COMMANDS: st.SearchStrategy[VenueCommand] = st.one_of(
    *[ORDERS] * 12,
    WILD_ORDERS,
    st.builds(SendCancel, CLIENT_IDS),
    st.builds(SendCancel, CLIENT_IDS),
    st.just(SendCancelAll()),
    st.builds(AskOrder, CLIENT_IDS),
    st.builds(AskAccount, WILD, WILD),
    st.builds(SetDeadMan, st.integers(-2, 5)),
    st.builds(SetDeadMan, WILD),
)
STEPS = st.lists(
    st.tuples(COMMANDS, st.integers(0, SECOND_NS), st.sampled_from([0, 0, 0, 1_000_000, 1_500_000, SECOND_NS, -1])),
    min_size=10,
    max_size=60,
)


def submit(exchange: Exchange, witness: Witness, now_ns: int, command: VenueCommand, age_ns: int) -> list[AnyEvent]:
    """Submit a command, let the witness see what happened, and return it."""
    if isinstance(command, SendOrder):
        witness.sizes.setdefault(command.client_id, command.size_lots)
    events = exchange.submit(now_ns, command, now_ns - age_ns)
    for event in events:
        witness.see(event)
    return events


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**63), st.sampled_from([0, 10**12, 10**14, 10**15, 2 * 10**15]), STEPS)
def test_the_books_are_exact_whatever_is_asked(
    seed: int, cash_quanta: int, steps: list[tuple[VenueCommand, int, int]]
) -> None:
    """Shows that after every command cash and holdings equal what the executions alone add up to, nothing is ever
    negative, no order fills beyond its size, no id makes two orders and no published book is crossed;
    fails when one quantum or one lot goes astray.
    """
    drive(Exchange(LISTED, seed, cash_quanta, trade_interval_ns=SECOND_NS // 20, start_ticks=START_TICKS), steps)


@pytest.mark.parametrize("seed", range(20))
def test_a_crowded_market_keeps_exact_books(seed: int) -> None:
    """Shows the same over hundreds of orders that really trade, in memory too small for them: makers and takers,
    parts, endings and refusals all occur; fails when a lot goes astray or when the day was too quiet to show it.
    """
    draw = random.Random(seed)
    exchange = Exchange(
        LISTED, seed, 2 * 10**15, trade_interval_ns=SECOND_NS // 20, start_ticks=START_TICKS, ended_orders_kept_max=150
    )
    exchange.account._trades_kept_max = 100
    seen = drive(exchange, [(likely_command(draw, number), draw.randrange(SECOND_NS), 0) for number in range(400)])
    traded = [event for event in seen if isinstance(event, OrderTraded)]
    assert {(trade.side, trade.maker) for trade in traded} == set(itertools.product(Side, (True, False)))
    assert {event.how for event in seen if isinstance(event, OrderEnded) and event.filled_lots} == set(Ending)
    assert len(traded) > 100, "the forgetting of executions was not reached"
    assert len({trade.client_id for trade in traded}) < len(traded), "nothing filled in parts"


def likely_command(draw: random.Random, number: int) -> VenueCommand:
    """Return an order near the price, or one of the other commands."""
    if draw.random() < 0.15:
        earlier = f"c{draw.randrange(number + 1)}"
        others: list[VenueCommand] = [
            SendCancel(earlier),
            AskOrder(earlier),
            SetDeadMan(draw.randrange(20)),
            SendCancelAll(),
        ]
        return draw.choice(others)
    return SendOrder(
        f"c{number}",
        "XYZ/USD",
        draw.choice(list(Side)),
        draw.choice([OrderKind.LIMIT, OrderKind.LIMIT, OrderKind.MARKET]),
        990 + draw.randrange(21),
        draw.choice([10**9, 10**10, 10**11, 10**12, 10**13]) + draw.randrange(10**9),
        draw.random() < 0.2,
        2_000,
        0,
    )


def drive(exchange: Exchange, steps: list[tuple[VenueCommand, int, int]]) -> list[AnyEvent]:
    """Carry out every step, check the books after each, and return all events."""
    witness = Witness(cash_quanta=exchange.cash_quanta)
    now_ns = 0
    events: list[AnyEvent] = []
    for command, wait_ns, age_ns in steps:
        now_ns += wait_ns
        events += submit(exchange, witness, now_ns, command, age_ns)
        assert exchange.audit() == ()
        assert exchange.cash_quanta == witness.cash_quanta
        for symbol in START_TICKS:
            assert exchange.position_lots(symbol) == witness.lots.get(symbol, 0)
        open_ids = {order.client_id for order in exchange.open_orders()}
        assert open_ids.isdisjoint(witness.ended)
        assert all(witness.filled.get(name, 0) < witness.sizes[name] for name in open_ids)
    return events


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**63), STEPS, st.lists(st.integers(0, SECOND_NS), max_size=10))
def test_the_same_seed_and_commands_give_the_same_events(
    seed: int, steps: list[tuple[VenueCommand, int, int]], pauses: list[int]
) -> None:
    """Shows that a run replays exactly even when time is told in smaller pieces; fails when anything but the seed,
    the commands and their times decides.
    """
    runs: list[list[AnyEvent]] = []
    for pieces in ([], pauses):
        exchange = Exchange(LISTED, seed, 10**14, start_ticks=START_TICKS)
        now_ns, events = 0, list[AnyEvent]()
        for command, wait_ns, age_ns in steps:
            for piece in pieces:
                if piece < wait_ns:
                    events += exchange.advance(max(now_ns + piece, exchange._now_ns))
            now_ns += wait_ns
            events += exchange.submit(now_ns, command, now_ns - age_ns)
        runs.append(events)
    assert runs[0] == runs[1]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**63), STEPS, st.integers(1, 5))
def test_the_dead_man_leaves_nothing_open(
    seed: int, steps: list[tuple[VenueCommand, int, int]], timeout_s: int
) -> None:
    """Shows that whatever came before, an armed timer that nobody refreshes cancels every order exactly when due and
    fires once; fails when an order outlives it.
    """
    exchange = Exchange(LISTED, seed, 10**15, start_ticks=START_TICKS)
    witness = Witness(cash_quanta=10**15)
    now_ns = 0
    for command, wait_ns, age_ns in steps:
        now_ns += wait_ns
        submit(exchange, witness, now_ns, command, age_ns)
    exchange.submit(now_ns, SetDeadMan(timeout_s), now_ns)
    before = [event for event in exchange.advance(now_ns + timeout_s * SECOND_NS - 1) if "DeadMan" in repr(event)]
    fired = [event for event in exchange.advance(now_ns + 3 * timeout_s * SECOND_NS) if "DeadMan" in repr(event)]
    assert (len(before), len(fired)) == (0, 1)
    assert exchange.open_orders() == ()
    assert exchange.audit() == ()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**63), STEPS)
def test_the_account_report_is_the_books(seed: int, steps: list[tuple[VenueCommand, int, int]]) -> None:
    """Shows that a trader who asks sees exactly the books: cash, holdings, open orders, executions;
    fails when the report and the truth differ.
    """
    exchange = Exchange(LISTED, seed, 10**15, start_ticks=START_TICKS)
    witness = Witness(cash_quanta=10**15)
    now_ns = 0
    for command, wait_ns, age_ns in steps:
        now_ns += wait_ns
        submit(exchange, witness, now_ns, command, age_ns)
    report = exchange.submit(now_ns, AskAccount(7, 0), now_ns)[-1]
    assert isinstance(report, AccountReported)
    assert report.cash_quanta == witness.cash_quanta
    assert {each.instrument: each.size_lots for each in report.holdings} == {s: n for s, n in witness.lots.items() if n}
    assert {trade.trade_id for trade in report.trades} == witness.trade_ids
    assert {order.client_id for order in report.open_orders} == {order.client_id for order in exchange.open_orders()}
    assert report.trades_complete
