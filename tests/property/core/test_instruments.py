"""The doors between decimal numbers and the integer grid."""

from collections.abc import Callable
from decimal import Decimal, localcontext

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from appliance.core.errors import ConversionError
from appliance.core.instruments import PRICE_TICKS_MAX, SIZE_LOTS_MAX, Instrument
from appliance.core.values import INT64_MAX, QUANTA_PER_QUOTE_UNIT


def instrument(
    tick: str = "0.1", lot: str = "0.00000001", symbol: str = "BTC/USD", size_lots_min: int = 1
) -> Instrument:
    """Define one on a grid, with fees that play no part here."""
    return Instrument.define(
        symbol,
        tick=Decimal(tick),
        lot=Decimal(lot),
        size_lots_min=size_lots_min,
        maker_fee_ppm=1_600,
        taker_fee_ppm=2_600,
    )


# Steps of ten, and steps that no power of ten divides evenly, down to the finest grid on which money stays exact.
INSTRUMENTS = st.sampled_from(
    [
        instrument("0.1", "0.00000001"),
        instrument("0.01", "0.00000001"),
        instrument("0.00000001", "0.01"),
        instrument("0.00003", "0.00005"),
        instrument("0.25", "0.0007"),
        instrument("50", "3"),
        instrument("1E+2", "1E-8"),
    ]
)
Door = tuple[Callable[[Instrument, Decimal], int], Callable[[Instrument, int], Decimal], str, int]
DOORS: tuple[Door, ...] = (
    (Instrument.price_to_ticks, Instrument.ticks_to_price, "tick", PRICE_TICKS_MAX),
    (Instrument.size_to_lots, Instrument.lots_to_size, "lot", SIZE_LOTS_MAX),
)


@pytest.mark.parametrize("door", DOORS)
@given(market=INSTRUMENTS, data=st.data())
def test_steps_survive_the_way_out_and_back(door: Door, market: Instrument, data: st.DataObject) -> None:
    """Shows that every count of steps up to the limit reads back exactly; fails when a division rounds."""
    inward, outward, _, limit = door
    steps = data.draw(st.integers(1, limit))
    assert inward(market, outward(market, steps)) == steps


@pytest.mark.parametrize("door", DOORS)
@given(market=INSTRUMENTS, data=st.data())
def test_what_lies_between_two_steps_is_refused(door: Door, market: Instrument, data: st.DataObject) -> None:
    """Shows that a number off the grid by any amount, however small, is refused; fails when it is rounded on."""
    inward, outward, step_name, limit = door
    steps = data.draw(st.integers(1, limit - 1))
    digits = data.draw(st.integers(1, 200))
    part = data.draw(st.integers(1, 9))
    with localcontext(prec=300):
        off_grid = outward(market, steps) + Decimal(part).scaleb(-digits) * getattr(market, step_name)
    with pytest.raises(ConversionError, match="not a multiple"):
        inward(market, off_grid)


@pytest.mark.parametrize("door", DOORS)
@given(market=INSTRUMENTS, amount=st.decimals())
@example(market=instrument(), amount=Decimal("1E+999999"))
@example(market=instrument(), amount=Decimal("1E-999999"))
@example(market=instrument(), amount=Decimal("sNaN"))
@example(market=instrument(), amount=Decimal("-Infinity"))
@example(market=instrument(), amount=Decimal("-0"))
def test_any_decimal_is_converted_exactly_or_refused(door: Door, market: Instrument, amount: Decimal) -> None:
    """Shows that every decimal, also the monstrous, is either on the grid or refused; fails with any other error."""
    inward, outward, _, limit = door
    try:
        steps = inward(market, amount)
    except ConversionError:
        return
    assert 0 < steps <= limit
    assert outward(market, steps) == amount


@pytest.mark.parametrize("door", DOORS)
def test_the_limit_bites_one_step_beyond(door: Door) -> None:
    """Shows both sides of the largest count of steps; fails when the bound moves by one."""
    inward, outward, _, limit = door
    market = instrument("0.1", "0.00000001")
    assert inward(market, outward(market, limit)) == limit
    with pytest.raises(ConversionError, match="beyond the limit"):
        inward(market, outward(market, limit + 1))


@given(INSTRUMENTS, st.integers(1, PRICE_TICKS_MAX), st.integers(1, PRICE_TICKS_MAX))
def test_the_order_of_prices_is_the_order_of_ticks(market: Instrument, one: int, other: int) -> None:
    """Shows that comparing ticks is comparing prices; fails when a conversion is not monotonic."""
    assert (one < other) == (market.ticks_to_price(one) < market.ticks_to_price(other))


@given(INSTRUMENTS, st.integers(1, 10**8), st.integers(1, 10**8))
def test_money_is_exact(market: Instrument, price_ticks: int, size_lots: int) -> None:
    """Shows that ticks times lots is price times size to the last quantum; fails when a quantum is lost or gained."""
    with localcontext(prec=80):
        exact = market.ticks_to_price(price_ticks) * market.lots_to_size(size_lots) * QUANTA_PER_QUOTE_UNIT
    assume(exact <= INT64_MAX)
    assert market.notional_quanta(price_ticks, size_lots) == exact
    assert market.notional_quanta(price_ticks, -size_lots) == -exact


def test_a_million_dollars_and_the_finest_lot_fit() -> None:
    """Shows a price of two million dollars on 1e-8 lots without overflow, and the refusal of what the ledger cannot
    hold; fails when a product wraps or is let through.
    """
    market = instrument("0.1", "0.00000001")
    price_ticks = market.price_to_ticks(Decimal(2_000_000))
    assert market.notional_quanta(price_ticks, market.size_to_lots(Decimal(400))) == 800_000_000 * QUANTA_PER_QUOTE_UNIT
    for sign in (1, -1):
        with pytest.raises(ConversionError, match="do not fit the ledger"):
            market.notional_quanta(price_ticks, sign * market.size_to_lots(Decimal(500)))


@given(INSTRUMENTS, st.integers(-(10**18), 10**18), st.integers(1, 10**9))
def test_a_budget_never_buys_more_than_it_pays_for(market: Instrument, budget_quanta: int, price_ticks: int) -> None:
    """Shows that the lots cost at most the budget and one more would not; fails when the division rounds up."""
    lots = market.lots_for(budget_quanta, price_ticks)
    one = price_ticks * market.tick_lot_quanta
    assert lots * one <= max(budget_quanta, 0) < (lots + 1) * one


@pytest.mark.parametrize(
    ("tick", "lot", "symbol", "size_lots_min", "words"),
    [
        ("0.1", "0.1", "BTCUSD", 1, "BASE/QUOTE"),
        ("0.1", "0.1", "/USD", 1, "BASE/QUOTE"),
        ("0.1", "0.1", "BTC/", 1, "BASE/QUOTE"),
        ("0", "0.1", "BTC/USD", 1, "positive"),
        ("0.1", "-1", "BTC/USD", 1, "positive"),
        ("NaN", "1", "BTC/USD", 1, "positive"),
        ("1", "Infinity", "BTC/USD", 1, "positive"),
        ("0.1", "0.1", "BTC/USD", 0, "positive"),
        ("0.00001", "0.000001", "BTC/USD", 1, "whole number of cash quanta"),
        ("0.3", "0.0000000001", "BTC/USD", 1, "whole number of cash quanta"),
        ("1E+6", "1", "BTC/USD", 1, "whole number of cash quanta"),
        ("1E+600000", "1E+600000", "BTC/USD", 1, "whole number of cash quanta"),
    ],
)
def test_a_grid_on_which_money_is_inexact_is_refused(
    tick: str, lot: str, symbol: str, size_lots_min: int, words: str
) -> None:
    """Shows each way an instrument can be unfit; fails when one is admitted or refused for another reason."""
    with pytest.raises(ConversionError, match=words):
        instrument(tick, lot, symbol, size_lots_min)


def test_the_coarsest_admitted_grid_is_just_inside() -> None:
    """Shows that the largest tick times lot is admitted; fails when the bound moves."""
    assert instrument("1E+5", "1").tick_lot_quanta == PRICE_TICKS_MAX
