"""What each strategy makes of features: enter, leave, or wait; and always wait on what is not a number."""

import itertools
import math
from types import SimpleNamespace
from typing import cast

import pytest

from appliance.market.bars import Bar
from appliance.signals import features as f
from appliance.signals.features import Features
from appliance.signals.figures import Figures
from appliance.signals.timeframes import Confluence
from appliance.strategies.breakout import Breakout
from appliance.strategies.candlesticks import Candlesticks
from appliance.strategies.contract import WAIT, Stance, Strategy
from appliance.strategies.cross import Cross
from appliance.strategies.momentum import Momentum
from appliance.strategies.reversion import Reversion
from appliance.strategies.shapes import Shapes
from appliance.strategies.timeframes import SeveralTimeframes
from appliance.strategies.trend import Trend

NAN = float("nan")
MINUTE_NS = 60_000_000_000
STRATEGIES: list[Strategy] = [
    Trend(),
    Reversion(),
    Breakout(),
    Momentum(),
    Cross(),
    SeveralTimeframes(),
    Candlesticks(),
    Shapes(),
]


def features(**figures: object) -> Features:
    """Stand in for features of exactly these figures."""
    return cast("Features", SimpleNamespace(**figures))


def bar(number: int, close: int, reach: int = 5) -> Bar:
    """Return one minute's bar."""
    return Bar("BTC/USD", number * MINUTE_NS, close, close + reach, close - reach, close, 1, 1, 0)


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
    ("deviations", "stance"),
    [
        (-1.76, Stance.ENTER),
        (-1.75, Stance.WAIT),
        (-0.01, Stance.WAIT),
        (0.0, Stance.LEAVE),
        (3.0, Stance.LEAVE),
        (NAN, Stance.WAIT),
    ],
)
def test_reversion(deviations: float, stance: Stance) -> None:
    """Shows both sides of the entry at 1.75 deviations and of the mean, and NaN; fails when a bound moves."""
    opinion = Reversion().opinion(features(deviations_from_mean=deviations))
    assert opinion.stance is stance
    assert bool(opinion.reason) == (stance is not Stance.WAIT)


@pytest.mark.parametrize(
    ("close", "channel", "stance"),
    [
        (110.1, (90.0, 110.0), Stance.ENTER),
        (110.0, (90.0, 110.0), Stance.WAIT),
        (100.0, (90.0, 110.0), Stance.WAIT),
        (99.9, (90.0, 110.0), Stance.LEAVE),
        (120.0, (NAN, NAN), Stance.WAIT),
        (NAN, (90.0, 110.0), Stance.WAIT),
    ],
)
def test_breakout(close: float, channel: tuple[float, float], stance: Stance) -> None:
    """Shows both sides of the channel's top and of its middle, and every NaN; fails when a touch is a breakout."""
    assert Breakout().opinion(features(close=close, channel_before=channel)).stance is stance


@pytest.mark.parametrize(
    ("rate", "directed", "stance"),
    [
        (0.6, 21.0, Stance.ENTER),
        (0.5, 21.0, Stance.WAIT),
        (0.6, 20.0, Stance.WAIT),
        (0.0, 21.0, Stance.WAIT),
        (-0.1, 50.0, Stance.LEAVE),
        (NAN, 50.0, Stance.WAIT),
        (0.6, NAN, Stance.WAIT),
    ],
)
def test_momentum(rate: float, directed: float, stance: Stance) -> None:
    """Shows both sides of both bounds and of zero, and every NaN; fails when chop without direction is bought."""
    assert Momentum().opinion(features(rate_percent=rate, directed=directed)).stance is stance


@pytest.mark.parametrize(
    ("before", "now", "stance"),
    [
        (-1.0, 0.1, Stance.ENTER),
        (0.0, 0.1, Stance.ENTER),
        (0.1, 0.2, Stance.WAIT),
        (-1.0, 0.0, Stance.WAIT),
        (-1.0, -0.1, Stance.LEAVE),
        (NAN, 1.0, Stance.WAIT),
        (-1.0, NAN, Stance.WAIT),
    ],
)
def test_cross(before: float, now: float, stance: Stance) -> None:
    """Shows that only the bar of the cross enters, and every NaN; fails when a cross of long ago is run after."""
    assert Cross().opinion(features(mean_gap=(before, now))).stance is stance


@pytest.mark.parametrize(
    ("direction", "alignment", "stance"),
    [
        (0.31, 1.0, Stance.ENTER),
        (0.3, 1.0, Stance.WAIT),
        (0.31, 0.8, Stance.WAIT),
        (0.0, 0.0, Stance.WAIT),
        (-0.1, 0.5, Stance.LEAVE),
        (NAN, NAN, Stance.WAIT),
    ],
)
def test_several_timeframes(direction: float, alignment: float, stance: Stance) -> None:
    """Shows both sides of both bounds and NaN; fails when timeframes that disagree are followed."""
    assert SeveralTimeframes().opinion(features(confluence=Confluence(direction, alignment))).stance is stance


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_cold_features_wait(strategy: Strategy) -> None:
    """Shows that before the windows are full every strategy waits; fails when one acts on its first bars."""
    cold = Features(figures=Figures())
    assert strategy.opinion(cold) == WAIT
    for number in range(f.RANGE_BARS):
        cold.update(bar(number, 1_000 + 10 * number))
        assert strategy.opinion(cold) == WAIT


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_a_market_is_entered_and_left_by_every_strategy(strategy: Strategy) -> None:
    """Shows both opinions of each on real bars through the kernel; fails when a strategy reads the wrong figure."""
    warm, stances = Features(figures=Figures()), set()
    for number in range(6_000):
        close = 100_000 + int(8_000 * math.sin(number / 700.0) + 900 * math.sin(number / 11.0))
        warm.update(bar(number, close))
        stances.add(strategy.opinion(warm).stance)
    assert stances == set(Stance)


def test_names_are_distinct() -> None:
    """Shows that no two strategies share a name; fails when two would share their limits and positions."""
    assert all(a.name != b.name for a, b in itertools.combinations(STRATEGIES, 2))
