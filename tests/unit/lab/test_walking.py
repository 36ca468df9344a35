"""What became of a trade, and trading one position at a time: against a plain twin, net of every cost."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.kernels.barriers import LOWER, NONE, TIME, UPPER, outcome
from appliance.lab.walking import Outcomes, daily_returns, walk

Floats = npt.NDArray[np.float64]
BASE_S, HORIZON = 300, 8


def walked(seed: int, count: int = 40) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return a rough seeded market."""
    draw = np.random.default_rng(seed)
    closes = 100.0 * np.exp(np.cumsum(draw.normal(0.0, 0.01, count)))
    opens = np.r_[100.0, closes[:-1]] * np.exp(draw.normal(0.0, 0.003, count))
    high = np.maximum(opens, closes) * (1 + 0.005 * draw.random(count))
    low = np.minimum(opens, closes) * (1 - 0.005 * draw.random(count))
    return BASE_S * np.arange(count), np.column_stack([opens, high, low, closes, np.ones(count)])


def twin(bars: Floats, row: int, width: float, cost: float, slip: float) -> tuple[float, int, int]:
    """Follow one trade in plain words."""
    future = bars[row + 1 : row + 1 + HORIZON].tolist()
    if len(future) < HORIZON:
        return math.nan, NONE, 0
    entry = future[0][0] * (1 + slip)
    upper, lower = entry * (1 + width), entry * (1 - width)
    left, barrier, lasted = future[-1][3], TIME, HORIZON
    for number, (opened, high, low, _, _) in enumerate(future, start=1):
        if number > 1 and not lower < opened < upper:
            left, barrier, lasted = opened, UPPER if opened >= upper else LOWER, number
        elif low <= lower:
            left, barrier, lasted = lower, LOWER, number
        elif high >= upper:
            left, barrier, lasted = upper, UPPER, number
        else:
            continue
        break
    return left * (1 - slip) * (1 - cost) / (entry * (1 + cost)) - 1, barrier, lasted


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), row=st.integers(0, 39), width=st.floats(0.002, 0.05))
def test_an_outcome_equals_its_twin(seed: int, row: int, width: float) -> None:
    """Shows barriers, gaps, time and costs equal to a plain twin; fails when a bar that touches both sides wins, or a
    cost is paid once.
    """
    starts_s, bars = walked(seed)
    found = outcome(bars, starts_s, BASE_S, row, width, HORIZON, 0.0026, 0.0002)
    wanted = twin(bars, row, width, 0.0026, 0.0002)
    assert found[1:] == wanted[1:]
    assert found[0] == pytest.approx(wanted[0], abs=1e-12, nan_ok=True)


def test_a_trade_that_goes_nowhere_costs_both_ways() -> None:
    """Shows fee, spread and slippage on entry and exit by hand; fails when one of the four is missing."""
    bars = np.tile([100.0, 100.0, 100.0, 100.0, 1.0], (12, 1))
    net, barrier, _ = outcome(bars, BASE_S * np.arange(12), BASE_S, 0, 0.02, HORIZON, 0.0026, 0.0002)
    assert barrier == TIME
    assert net == pytest.approx(0.9998 * 0.9974 / (1.0002 * 1.0026) - 1.0)


def test_a_trade_over_a_hole_has_no_outcome() -> None:
    """Shows that what nobody recorded is not guessed; fails when a hole counts as calm."""
    starts_s, bars = walked(1)
    starts_s[5:] += BASE_S
    assert outcome(bars, starts_s, BASE_S, 0, 0.5, HORIZON, 0.0, 0.0)[1] == NONE
    assert outcome(bars, starts_s, BASE_S, 5, 0.5, HORIZON, 0.0, 0.0)[1] == TIME


def test_one_position_at_a_time() -> None:
    """Shows that nothing is opened before the last trade has ended; fails when overlapping trades are both counted."""
    outcomes = Outcomes(np.array([0.1, 0.2, 0.3, math.nan, 0.5]), np.array([3, 1, 1, 1, 1]), np.full(5, 0.02))
    made = walk(np.ones(5, np.bool_), BASE_S * np.arange(5), outcomes, BASE_S)
    assert made.net.tolist() == [0.1, 0.5]
    assert walk(np.zeros(5, np.bool_), BASE_S * np.arange(5), outcomes, BASE_S).net.size == 0
    days = daily_returns(made, 0, 2 * 86_400, BASE_S)
    assert days.tolist() == pytest.approx([0.6, 0.0])
