"""What each strategy makes of features: enter, leave, or wait; and always wait on what is not a number."""

import math

import numpy as np
import pytest

from appliance.kernels import bar_features as kernel
from appliance.market.bars import Bar
from appliance.signals.features import Features
from appliance.strategies.contract import WAIT, Stance, Strategy
from appliance.strategies.reversion import Reversion
from appliance.strategies.trend import Trend

NAN = float("nan")


def features(
    *, fast: float = 0, slow: float = 0, true_range: float = 0, mean: float = 0, deviation: float = 0, close: float = 0
) -> Features:
    """Construct features with exactly these figures."""
    made = Features()
    made.close = close
    made._out = np.array([fast, slow, true_range, mean, deviation, 0.0])
    return made


@pytest.mark.parametrize(
    ("fast", "slow", "true_range", "close", "stance"),
    [
        (102.6, 100, 10, 103, Stance.ENTER),
        (102.5, 100, 10, 103, Stance.WAIT),
        (102.6, 100, 10, 102.6, Stance.WAIT),
        (100, 100, 10, 103, Stance.WAIT),
        (99.9, 100, 10, 103, Stance.LEAVE),
        (100.1, 100, 0, 103, Stance.ENTER),
        (NAN, 100, 10, 103, Stance.WAIT),
        (102.6, NAN, 10, 103, Stance.WAIT),
        (102.6, 100, NAN, 103, Stance.WAIT),
        (102.6, 100, 10, NAN, Stance.WAIT),
    ],
)
def test_trend(fast: float, slow: float, true_range: float, close: float, stance: Stance) -> None:
    """Shows both sides of the dead band, of the close and of the crossing, and every NaN; fails when a bound moves or a
    cold figure is taken for a signal.
    """
    opinion = Trend().opinion(features(fast=fast, slow=slow, true_range=true_range, close=close))
    assert opinion.stance is stance
    assert bool(opinion.reason) == (stance is not Stance.WAIT)


@pytest.mark.parametrize(
    ("close", "mean", "deviation", "stance"),
    [
        (82.4, 100, 10, Stance.ENTER),
        (82.5, 100, 10, Stance.WAIT),
        (99.9, 100, 10, Stance.WAIT),
        (100, 100, 10, Stance.LEAVE),
        (130, 100, 10, Stance.LEAVE),
        (50, 100, 0, Stance.WAIT),
        (50, 100, NAN, Stance.WAIT),
        (50, NAN, 10, Stance.WAIT),
        (NAN, 100, 10, Stance.WAIT),
    ],
)
def test_reversion(close: float, mean: float, deviation: float, stance: Stance) -> None:
    """Shows both sides of the entry at 1.75 deviations and of the mean, and every NaN; fails when a bound moves or a
    flat market is a signal.
    """
    opinion = Reversion().opinion(features(close=close, mean=mean, deviation=deviation))
    assert opinion.stance is stance
    assert bool(opinion.reason) == (stance is not Stance.WAIT)


@pytest.mark.parametrize("strategy", [Trend(), Reversion()], ids=lambda strategy: strategy.name)
def test_cold_features_wait(strategy: Strategy) -> None:
    """Shows that before the windows are full every strategy waits; fails when one acts on its first bars."""
    cold = Features()
    assert strategy.opinion(cold) == WAIT
    for number in range(kernel.RANGE_BARS - 1):
        close = 1_000 + 10 * number
        cold.update(Bar("BTC/USD", number, close, close + 5, close - 5, close, 1, 1, 0))
        assert strategy.opinion(cold) == WAIT


def test_a_rising_market_is_entered_and_a_falling_one_left() -> None:
    """Shows both opinions on real bars through the kernel; fails when a strategy reads the wrong figure."""
    warm, strategy = Features(), Trend()
    stances = []
    for number in range(80):
        close = 10_000 + 20 * number if number < 40 else 10_800 - 20 * (number - 40)
        warm.update(Bar("BTC/USD", number, close, close + 5, close - 5, close, 1, 1, 0))
        stances.append(strategy.opinion(warm).stance)
    assert (stances[39], stances[79]) == (Stance.ENTER, Stance.LEAVE)
    assert not math.isnan(warm.fast)
