"""How alike two instruments moved: against numpy's own, and unknown when it cannot be known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.risk.correlation import SAMPLES_MIN, WINDOW_BARS, Correlations

RETURNS = st.lists(st.tuples(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1)), min_size=SAMPLES_MIN, max_size=WINDOW_BARS)


def filled(pairs: list[tuple[float, float]]) -> Correlations:
    """Give both instruments a return for every bar."""
    correlations = Correlations(("A", "B"))
    for start_ns, (left, right) in enumerate(pairs):
        correlations.add("A", start_ns, left)
        correlations.add("B", start_ns, right)
    return correlations


@given(st.integers(0, 2**32 - 1), st.floats(-1.0, 1.0))
def test_the_measure_is_pearsons(seed: int, mixing: float) -> None:
    """Shows that the correlation equals numpy's on random walks of any likeness; fails when a term is wrong."""
    generator = np.random.default_rng(seed)
    left = generator.normal(0, 0.01, WINDOW_BARS)
    right = mixing * left + (1 - abs(mixing)) * generator.normal(0, 0.01, WINDOW_BARS)
    measured = filled(list(zip(left.tolist(), right.tolist(), strict=True))).between("A", "B")
    assert measured == pytest.approx(np.corrcoef(left, right)[0, 1], abs=1e-9)


@given(RETURNS)
def test_it_is_symmetric_and_bounded(pairs: list[tuple[float, float]]) -> None:
    """Shows that order does not matter and no measure exceeds one; fails when either does."""
    correlations = filled(pairs)
    measured = correlations.between("A", "B")
    assert measured == correlations.between("B", "A")
    assert measured is None or abs(measured) <= 1.0 + 1e-9


def test_too_few_common_bars_are_unknown() -> None:
    """Shows both sides of the smallest sample, counting only bars that both have; fails when few pass for enough."""
    pairs = [(0.01 * (-1) ** number, 0.02 * (-1) ** number) for number in range(SAMPLES_MIN)]
    assert filled(pairs[1:]).between("A", "B") is None
    assert filled(pairs).between("A", "B") == pytest.approx(1.0)
    apart = Correlations(("A", "B"))
    for number in range(WINDOW_BARS):
        apart.add("A", number, 0.01 * (-1) ** number)
        apart.add("B", number + WINDOW_BARS, 0.01 * (-1) ** number)
    assert apart.between("A", "B") is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_no_sample(value: float) -> None:
    """Shows that a return that is not a number is left out; fails when it poisons the measure."""
    correlations = filled([(0.01 * (-1) ** number, 0.01 * (-1) ** number) for number in range(SAMPLES_MIN)])
    correlations.add("A", 1_000, value)
    correlations.add("B", 1_000, 0.5)
    assert correlations.between("A", "B") == pytest.approx(1.0)


def test_a_market_that_never_moved_is_unknown() -> None:
    """Shows that a constant has no correlation with anything; fails with a division by zero or a zero."""
    assert filled([(0.0, 0.01 * (-1) ** number) for number in range(WINDOW_BARS)]).between("A", "B") is None


def test_only_the_window_is_remembered() -> None:
    """Shows that bars beyond the window are forgotten; fails when memory grows."""
    correlations = filled([(0.01, 0.01)] * (3 * WINDOW_BARS))
    assert correlations._returns.shape == (2, WINDOW_BARS)


def test_rings_that_stand_apart_measure_the_same_bits() -> None:
    """Shows two rings of the same bars in other places measured to the bit as side by side; fails when a sum moves."""
    draw = np.random.default_rng(5)
    pairs = [(float(left), float(right)) for left, right in draw.normal(0.0, 0.01, (2 * WINDOW_BARS + 17, 2))]
    apart, side_by_side = Correlations(("A", "B")), Correlations(("A", "B"))
    apart.add("B", -1, 0.5)
    for start_ns, (left, right) in enumerate(pairs):
        apart.add("A", start_ns, left)
        apart.add("B", start_ns, right)
        side_by_side.add("A", start_ns, left)
        side_by_side.add("B", start_ns, right)
        assert apart.between("A", "B") == side_by_side.between("A", "B")
