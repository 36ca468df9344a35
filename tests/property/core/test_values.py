"""The integer arithmetic of money, against exact fractions."""

from decimal import ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appliance.core.values import (
    INT64_MAX,
    PARTS_PER_MILLION,
    QUANTA_PER_QUOTE_UNIT,
    Side,
    cash_to_quanta,
    fee_quanta,
    parts_of,
    percent_to_ppm,
    quanta_to_cash,
)

AMOUNTS = st.integers(-INT64_MAX, INT64_MAX)
SHARES_PPM = st.integers(0, 100 * PARTS_PER_MILLION)


@given(AMOUNTS, SHARES_PPM)
@example(-1, 500_000)
@example(1, 999_999)
def test_a_share_is_rounded_toward_zero(amount: int, parts_ppm: int) -> None:
    """Shows that a share never exceeds its exact value on either side of zero; fails when a negative one is floored."""
    exact = Fraction(amount * parts_ppm, PARTS_PER_MILLION)
    share = parts_of(amount, parts_ppm)
    assert abs(share) <= abs(exact) < abs(share) + 1
    assert share == -parts_of(-amount, parts_ppm)


@given(st.integers(0, INT64_MAX), st.integers(0, PARTS_PER_MILLION))
@example(1, 1)
@example(PARTS_PER_MILLION, 1)
def test_a_fee_is_rounded_up(notional_quanta: int, fee_ppm: int) -> None:
    """Shows that a fee is never less than its exact value and less than one quantum more; fails when it is floored."""
    exact = Fraction(notional_quanta * fee_ppm, PARTS_PER_MILLION)
    assert 0 <= fee_quanta(notional_quanta, fee_ppm) - exact < 1


@given(AMOUNTS)
def test_quanta_survive_the_way_out_and_back(amount_quanta: int) -> None:
    """Shows that quanta printed as cash read back the same; fails when a digit is lost to a decimal context."""
    assert cash_to_quanta(quanta_to_cash(amount_quanta)) == amount_quanta


@given(st.decimals(-900_000_000, 900_000_000, allow_nan=False, allow_infinity=False, places=10))
def test_cash_on_the_grid_is_exact(amount: Decimal) -> None:
    """Shows that ten decimals of cash are kept exactly; fails when the scale of a quantum is wrong."""
    assert Fraction(cash_to_quanta(amount), QUANTA_PER_QUOTE_UNIT) == Fraction(amount)


@given(st.integers(-(10**19), 10**19), st.integers(0, 10**40 - 1))
@example(999_999_999_9999999999, 10**40 - 1)
@example(-1, 1)
def test_cash_between_quanta_is_rounded_down(whole_quanta: int, rest: int) -> None:
    """Shows that digits below a quantum are dropped downward, however many; fails when they round up."""
    with localcontext(prec=80):
        amount = (Decimal(whole_quanta) + Decimal(rest).scaleb(-40)).scaleb(-10)
    assert cash_to_quanta(amount) == whole_quanta


@given(st.decimals(0, 100, places=4, allow_nan=False, allow_infinity=False))
def test_a_percentage_is_whole_parts(percent: Decimal) -> None:
    """Shows that four decimals of a percent are whole parts per million; fails when a digit is lost."""
    assert percent_to_ppm(percent) * Fraction(1, 10_000) == Fraction(percent)
    assert Decimal(percent_to_ppm(percent)) == (percent * 10_000).to_integral_value(rounding=ROUND_FLOOR)


@pytest.mark.parametrize(("side", "sign", "other"), [(Side.BUY, 1, Side.SELL), (Side.SELL, -1, Side.BUY)])
def test_the_sides_mirror_each_other(side: Side, sign: int, other: Side) -> None:
    """Shows each side's sign and opposite; fails when the two are swapped."""
    assert (side.sign, side.opposite) == (sign, other)
