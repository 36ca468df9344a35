"""The books: whatever is filled, every quantum and every lot is accounted for."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appliance.core.errors import InvariantBroken
from appliance.core.values import OrderKind, Side
from appliance.trading import records
from appliance.trading.ledger import CLOSED_ORDERS_KEPT_MAX, Ledger
from appliance.trading.projected import ProjectedLedger
from appliance.trading.snapshot import freeze, thaw
from tests.unit.trading.builders import MARKET, Bench, a_plan, acknowledged, ended, fold_of, instrument, refused, traded

CASH_QUANTA = 10**15
SIDES = st.sampled_from(Side)
# Few strategies, small sizes: flips through zero, and strategies that hold against each other, come often.
FILLS = st.lists(
    st.tuples(
        SIDES,
        st.integers(1, 9),
        st.integers(1, 1_000),
        st.integers(0, 50),
        st.sampled_from(["trend", "reversion"]),
    ),
    max_size=30,
)
Filled = tuple[Side, int, int, int, str]


def booked(fills: list[Filled]) -> Ledger:
    """Fold an account, and an intent and a fill for every line."""
    ledger = Ledger()
    facts: list[records.AnyRecord] = [records.Account(CASH_QUANTA)]
    market = instrument()
    for number, (side, lots, price, fee, strategy) in enumerate(fills):
        name = f"o{number}"
        facts.append(
            records.Intent(name, MARKET, strategy, side, OrderKind.LIMIT, price, lots, reduce_only=False, reason="")
        )
        notional = market.notional_quanta(price, lots)
        facts.append(
            records.Fill(name, f"t{number}", MARKET, side, price, lots, notional, fee, maker=False, venue_ns=number)
        )
    for sequence, fact in enumerate(facts, start=1):
        ledger.apply(sequence, sequence, 0, fact)
    return ledger


@given(FILLS)
@example([(Side.BUY, 5, 10, 1, "trend"), (Side.SELL, 9, 12, 1, "trend"), (Side.BUY, 9, 11, 1, "trend")])
@example([(Side.SELL, 3, 7, 0, "trend"), (Side.BUY, 2, 5, 0, "reversion"), (Side.BUY, 9, 9, 0, "trend")])
def test_cash_and_lots_are_conserved(fills: list[Filled]) -> None:
    """Shows that cash is what was paid and received, and the position the sum of the fills, through every flip; fails
    when a quantum or a lot appears or vanishes.
    """
    ledger = booked(fills)
    market = instrument()
    paid = sum(side.sign * market.notional_quanta(price, lots) for side, lots, price, _, _ in fills)
    fees = sum(fee for _, _, _, fee, _ in fills)
    assert ledger.cash_quanta == CASH_QUANTA - paid - fees
    assert ledger.position_lots(MARKET) == sum(side.sign * lots for side, lots, _, _, _ in fills)
    for strategy in ("trend", "reversion"):
        own = sum(side.sign * lots for side, lots, _, _, name in fills if name == strategy)
        assert ledger.strategy_lots(MARKET, strategy) == own
    assert ledger.fills_count == len(fills)


@given(FILLS)
def test_profit_and_cost_explain_the_cash(fills: list[Filled]) -> None:
    """Shows that realized profit less the cost still held is the cash that moved, exactly, and that a flat position has
    no cost; fails when rounding leaks a quantum.
    """
    ledger = booked(fills)
    if not fills:
        return
    position = ledger.positions[MARKET]
    moved = ledger.cash_quanta - CASH_QUANTA + position.fees_quanta
    assert position.realized_quanta - position.cost_quanta == moved
    if position.lots == 0:
        assert position.cost_quanta == 0
    else:
        assert (position.cost_quanta >= 0) == (position.lots > 0)
    assert set(position.opened_wall_ns) == set(position.lots_by_strategy)
    assert 0 not in position.lots_by_strategy.values()


def test_a_worked_example_of_a_flip() -> None:
    """Shows ten bought at 10, four sold at 13, and ten sold at 8: realized 12 less 12, and four short at 8; fails when
    the part that closes and the part that opens are not told apart.
    """
    unit = instrument().tick_lot_quanta
    ledger = booked([(Side.BUY, 10, 10, 0, "trend"), (Side.SELL, 4, 13, 0, "trend"), (Side.SELL, 10, 8, 0, "trend")])
    position = ledger.positions[MARKET]
    assert (position.lots, position.realized_quanta, position.cost_quanta) == (-4, 0, -32 * unit)


@given(FILLS)
def test_a_snapshot_holds_the_whole_ledger(fills: list[Filled]) -> None:
    """Shows that a ledger frozen and thawed is the same in every slot; fails when one is left behind."""
    ledger = booked(fills)
    ledger.apply(ledger.sequence + 1, 0, 0, records.Refused("equity"))
    assert fold_of(thaw(freeze(ledger))) == fold_of(ledger)


def test_closed_orders_are_forgotten_oldest_first() -> None:
    """Shows that memory holds a bounded number of settled orders and every unsettled one; fails when it grows, or when
    an open order is forgotten.
    """
    bench = Bench()
    open_for_ever = bench.opened()
    names = []
    for _ in range(CLOSED_ORDERS_KEPT_MAX + 20):
        order = bench.opened()
        bench.desk.ended(ended(order))
        names.append(order.client_id)
    assert len(bench.ledger.orders) == CLOSED_ORDERS_KEPT_MAX + 1
    assert open_for_ever.client_id in bench.ledger.orders
    assert [name for name in names if name not in bench.ledger.orders] == names[:20]
    assert list(bench.ledger.unsettled()) == [open_for_ever]


def test_an_order_that_came_back_is_as_young_as_its_last_end() -> None:
    """Shows that an order reopened by announced fills is forgotten by the age of its last end; fails when it vanishes
    at its first, while a late word about it may still come.
    """
    bench = Bench()
    order = bench.opened()
    bench.desk.ended(ended(order, 0))
    bench.desk.ended(ended(order, 5))
    bench.desk.traded(traded(order, "late", 5))
    for _ in range(CLOSED_ORDERS_KEPT_MAX - 1):
        bench.desk.ended(ended(bench.opened()))
    assert order.client_id in bench.ledger.orders
    bench.desk.ended(ended(bench.opened()))
    assert order.client_id not in bench.ledger.orders
    projected = ProjectedLedger()
    bench.asked()
    for row in bench.rows:
        projected.apply(row)
    assert fold_of(projected.ledger) == fold_of(bench.ledger)


def test_rows_come_in_order_each_once() -> None:
    """Shows that a gap, a repetition, a second account and a second use of an id stop the process; fails when a broken
    journal is folded.
    """
    intent = records.Intent("x", MARKET, "t", Side.BUY, OrderKind.LIMIT, 1, 1, reduce_only=False, reason="")
    order = records.Order("never planned", "cancel", "canceled", 0, "")
    for second, sequence in ((records.Account(1), 2), (intent, 1), (intent, 3), (order, 2)):
        ledger = Ledger()
        ledger.apply(1, 0, 0, records.Account(1))
        with pytest.raises(InvariantBroken):
            ledger.apply(sequence, 0, 0, second)
    ledger = Ledger()
    ledger.apply(1, 0, 0, intent)
    with pytest.raises(InvariantBroken, match="used twice"):
        ledger.apply(2, 0, 0, intent)


def test_an_order_whose_intent_found_no_room_is_passed_over() -> None:
    """Shows that after a refused row its order's later records change nothing; fails when the replay stops there."""
    ledger = Ledger()
    ledger.apply(1, 0, 0, records.Refused("intent"))
    ledger.apply(2, 0, 0, records.Order("lost", "withdraw", "never", 0, ""))
    assert (ledger.rows_lost, ledger.orders) == (1, {})


def test_marks_and_modes_are_kept() -> None:
    """Shows that every other record is found again in the ledger; fails when one is folded into the wrong slot."""
    ledger = Ledger()
    facts: list[records.AnyRecord] = [
        records.Boot(4, "bench", "f", 9),
        records.Parameters({"a": "1"}),
        records.Mode("BOOT", "RECONCILING", "why", "trader", 3, 8),
        records.Equity(50, 40, 60, 55, 20_000),
        records.Reconciled(agreed=True, differences=(), venue_ns=1),
    ]
    for sequence, fact in enumerate(facts, start=1):
        ledger.apply(sequence, 100 + sequence, 0, fact)
    assert (ledger.boot_count, ledger.parameters) == (4, {"a": "1"})
    assert (ledger.mode, ledger.mode_reason, ledger.mode_wall_ns) == ("RECONCILING", "why", 103)
    assert (ledger.latch_sequence, ledger.start_sequence) == (3, 8)
    assert (ledger.peak_quanta, ledger.day_start_quanta, ledger.day) == (60, 55, 20_000)


def test_refusals_are_counted_once() -> None:
    """Shows that a refused order counts once however often it is repeated; fails when a duplicate counts again."""
    bench = Bench()
    order, other = bench.sent(a_plan(side=Side.SELL)), bench.opened()
    for _ in range(2):
        bench.desk.refused(refused(order))
        bench.desk.acknowledged(acknowledged(other))
    assert bench.ledger.refused_count == 1
