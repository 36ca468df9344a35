"""Scores of forecasts and returns, against their definitions and against what is known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.lab import scores


def test_forecasts_by_hand() -> None:
    """Shows Brier, log loss and rank score of three forecasts; fails when one is averaged or signed wrongly."""
    chances, won = np.array([0.9, 0.4, 0.4]), np.array([1.0, 0.0, 1.0])
    assert scores.brier(chances, won) == pytest.approx((0.01 + 0.16 + 0.36) / 3)
    assert scores.log_loss(chances, won) == pytest.approx(-(math.log(0.9) + math.log(0.6) + math.log(0.4)) / 3)
    assert scores.rank_score(chances, won) == pytest.approx((1.0 + 0.5) / 2)


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6))
def test_the_rank_score_counts_pairs(seed: int) -> None:
    """Shows the score equal to counting every pair, ties half; fails when ranks of ties are not averaged."""
    draw = np.random.default_rng(seed)
    chances, won = draw.integers(0, 5, 30) / 5.0, (draw.random(30) < 0.4).astype(float)
    pairs = [(a > b) + 0.5 * (a == b) for a in chances[won > 0].tolist() for b in chances[won == 0].tolist()]
    if pairs:
        assert scores.rank_score(chances, won) == pytest.approx(sum(pairs) / len(pairs))
    else:
        assert math.isnan(scores.rank_score(chances, won))


def test_calibration_bins_hold_every_forecast_once() -> None:
    """Shows a perfect forecaster without error and every row counted; fails when a bin drops one."""
    draw = np.random.default_rng(3)
    chances = draw.random(5_000)
    won = (draw.random(5_000) < chances).astype(float)
    curve = scores.calibration(chances, won)
    assert sum(curve.counts) == 5_000
    assert curve.error < 0.03
    assert scores.calibration(chances, 1.0 - won).error > 0.3


def test_the_probabilistic_ratio_for_normal_returns() -> None:
    """Shows the published formula with its skew and tail terms by hand; fails when the length or a moment is wrong."""
    returns = np.array([0.01, -0.005, 0.02, 0.003, -0.01, 0.015, 0.0, 0.007])
    ratio = returns.mean() / returns.std(ddof=1)
    scaled = (returns - returns.mean()) / returns.std()
    spread = 1 - (scaled**3).mean() * ratio + ((scaled**4).mean() - 1) / 4 * ratio**2
    z = ratio * math.sqrt(7) / math.sqrt(spread)
    assert scores.probabilistic_sharpe(returns) == pytest.approx(0.5 * (1 + math.erf(z / math.sqrt(2))))
    assert scores.probabilistic_sharpe(-returns) < 0.5


def test_the_best_of_many_worthless_trials_is_what_luck_shows() -> None:
    """Shows the expected best ratio near what a simulation of worthless trials gives; fails when the two quantiles of
    the formula are exchanged.
    """
    draw = np.random.default_rng(4)
    best = draw.normal(0.0, 0.1, (4_000, 50)).max(axis=1).mean()
    assert scores.luckiest_sharpe(50, 0.1) == pytest.approx(best, rel=0.03)
    assert scores.luckiest_sharpe(1, 0.1) == 0.0


def test_deflation_takes_certainty_away() -> None:
    """Shows that the same returns convince less the more was tried; fails when trials do not count."""
    draw = np.random.default_rng(5)
    returns = draw.normal(0.001, 0.01, 500)
    alone = scores.probabilistic_sharpe(returns)
    assert scores.deflated_sharpe(returns, draw.normal(0, 0.05, 10)) < alone
    many = scores.deflated_sharpe(returns, np.tile([-0.05, 0.05], 50))
    assert many < scores.deflated_sharpe(returns, np.tile([-0.05, 0.05], 5))


def test_falls_from_the_peak() -> None:
    """Shows a fall by hand, from the start too; fails when the peak begins below the first loss."""
    assert scores.drawdown(np.array([-0.1, 0.2, -0.5])) == pytest.approx(0.5)
    assert scores.drawdown(np.array([-0.3, 0.1])) == pytest.approx(0.3)
    assert scores.drawdown(np.array([])) == 0.0


def test_the_tests_of_returns_find_what_they_look_for() -> None:
    """Shows normal, independent returns passed and others not, and a random walk's unit root; fails when a p-value is
    turned round.
    """
    draw = np.random.default_rng(6)
    normal = draw.normal(size=2_000)
    assert scores.jarque_bera(normal)[1] > 0.01
    assert scores.jarque_bera(draw.standard_t(3, 2_000))[1] < 1e-6
    assert scores.ljung_box(normal)[1] > 0.01
    assert scores.ljung_box(normal[1:] + 0.3 * normal[:-1])[1] < 1e-6
    assert scores.unit_root(np.cumsum(normal))[1] is False
    assert scores.unit_root(normal)[1] is True


def test_known_tails() -> None:
    """Shows the closed forms at a textbook point: 5 % of chi-squared with 10 degrees of freedom lie above 18.307; fails
    when the sum stops early.
    """
    half = 18.307 / 2
    tail = sum(math.exp(-half) * half**k / math.factorial(k) for k in range(5))
    assert tail == pytest.approx(0.05, abs=1e-4)
    returns = np.array([1.0, -1.0] * 40)
    statistic, chance = scores.ljung_box(returns)
    centred = returns - returns.mean()
    power = float(centred @ centred)
    wanted = 80 * 82 * sum((float(centred[k:] @ centred[:-k]) / power) ** 2 / (80 - k) for k in range(1, 11))
    assert statistic == pytest.approx(wanted)
    assert chance < 1e-12


def test_no_returns_are_no_evidence() -> None:
    """Shows that flat or missing returns claim nothing; fails when zero over zero becomes a figure."""
    assert scores.sharpe(np.zeros(10)) == 0.0
    for score in (scores.probabilistic_sharpe, lambda r: scores.jarque_bera(r)[0], lambda r: scores.ljung_box(r)[0]):
        assert math.isnan(score(np.zeros(10)))
