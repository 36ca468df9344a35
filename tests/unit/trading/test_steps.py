"""A venue that changes an instrument's steps changes the meaning of no kept integer."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.errors import InvariantBroken
from appliance.core.values import OrderKind, Side
from appliance.trading import records
from appliance.trading.ledger import Ledger, OrderView, Position
from appliance.trading.steps import Conversion
from tests.unit.trading.builders import MARKET

STEP = st.sampled_from([Decimal(1).scaleb(-places) for places in range(9)])


def intent(side: Side, price_ticks: int, lots: int) -> records.Intent:
    """Return an intent with a trigger a tick away from its price."""
    kind, trigger_ticks = OrderKind.STOP_LIMIT, price_ticks + 1
    return records.Intent(
        "b4x-1",
        MARKET,
        "trend",
        side,
        kind,
        price_ticks,
        lots,
        reduce_only=True,
        reason="",
        trigger_ticks=trigger_ticks,
    )


@given(old=st.tuples(STEP, STEP), new=st.tuples(STEP, STEP), lots=st.integers(0, 10**12), ticks=st.integers(1, 10**9))
def test_amounts_keep_their_meaning(
    old: tuple[Decimal, Decimal], new: tuple[Decimal, Decimal], lots: int, ticks: int
) -> None:
    """Shows that sizes convert exactly or not at all, and prices within one new tick toward less risk; fails when a
    position grows or shrinks, a buyer would pay more, or a stop would sell later.
    """
    conversion = Conversion.between((str(old[0]), str(old[1])), (str(new[0]), str(new[1])))
    position, size = Position(), lots * Fraction(old[1])
    position.lots, position.lots_by_strategy = lots, {"trend": lots}
    whole = (size / Fraction(new[1])).denominator == 1
    assert conversion.carries_position(position) is whole
    if not whole:
        with pytest.raises(InvariantBroken):
            conversion.position(position)
        return
    conversion.position(position)
    assert position.lots * Fraction(new[1]) == position.lots_by_strategy["trend"] * Fraction(new[1]) == size
    for side in Side:
        order = OrderView(intent(side, ticks, lots), 1, 0, 0)
        conversion.order(order)
        assert order.size_lots * Fraction(new[1]) == size
        for had, has in ((ticks, order.price_ticks), (ticks + 1, order.trigger_ticks)):
            moved = has * Fraction(new[0]) - had * Fraction(old[0])
            assert abs(moved) < Fraction(new[0]) or has == 1
            assert moved >= 0 or side is Side.BUY
            assert moved <= 0 or side is Side.SELL or has == 1


def folded(*facts: records.AnyRecord) -> Ledger:
    """Return the ledger of these rows."""
    ledger = Ledger()
    for sequence, fact in enumerate(facts, start=1):
        ledger.apply(sequence, 0, 0, fact)
    return ledger


def test_what_is_over_and_does_not_fit_is_forgotten_and_the_rest_kept() -> None:
    """Shows that a settled order of an odd size does not keep the account from going on, and that the first word of
    steps converts nothing; fails when a start breaks on the past, or an open order is lost.
    """
    facts: list[records.AnyRecord] = [
        records.Steps(MARKET, "0.1", "0.001"),
        intent(Side.SELL, 500, 15),
        records.Order("b4x-1", "cancel", "canceled", 0, ""),
        records.Steps(MARKET, "0.1", "0.01"),
    ]
    ledger = folded(*facts)
    assert (ledger.orders, ledger.steps) == ({}, {MARKET: ("0.1", "0.01")})
    with pytest.raises(InvariantBroken):
        folded(*facts[:2], facts[3])
    (order,) = folded(facts[1], facts[3]).orders.values()
    assert (order.size_lots, order.price_ticks) == (15, 500)
    (order,) = folded(facts[0], facts[1], records.Steps(MARKET, "0.01", "0.0001")).orders.values()
    assert (order.size_lots, order.price_ticks, order.trigger_ticks) == (150, 5_000, 5_010)
