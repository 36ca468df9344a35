"""Each layer alone: what it lets pass, what it tells, and that it forgets in time."""

import itertools
import math
import random

import msgspec
import numpy as np
import pytest

from appliance.kernels.changes import LENGTHS_MAX, STRETCH_MIN, last_change
from appliance.market.quality.alerts import Alerts, Gravity
from appliance.market.quality.bayes import Bayes
from appliance.market.quality.benford import SHARES, WARM, Benford
from appliance.market.quality.changes import Changes
from appliance.market.quality.consensus import SOURCES_MAX, Consensus
from appliance.market.quality.cusum import Cusum
from appliance.market.quality.finding import FINE, Finding
from appliance.market.quality.kalman import AGREEING_BARS, WARM_BARS, Kalman
from appliance.market.quality.pelt import WINDOW
from appliance.market.quality.score import DIMENSION_MIN, Dimension, Score, Scorer
from tests.unit.quality.builders import Market


def test_benford_believes_volumes_and_doubts_inventions() -> None:
    """Shows log-normal volumes passing, uniform and constant ones not; fails when either is taken for the other."""
    draw = random.Random(1)
    honest, uniform, constant = Benford(), Benford(), Benford()
    good = odd = flat = FINE
    for _ in range(WARM * 3):
        good = honest.update(round(draw.lognormvariate(12.0, 2.0)))
        odd = uniform.update(draw.randrange(500_000, 999_999))
        flat = constant.update(5_000)
    assert good == FINE
    assert odd.score < 0.5
    assert flat.score == 0.0
    assert sum(SHARES) == pytest.approx(1.0)


def test_benford_forgets_and_skips_empty_bars() -> None:
    """Shows that only the last volumes count and bars without a trade do not; fails when the window never moves."""
    draw, layer, found = random.Random(2), Benford(), FINE
    for _ in range(500):
        layer.update(7_000)
    assert layer.update(0).score == 0.0
    for _ in range(500):
        found = layer.update(round(draw.lognormvariate(12.0, 2.0)))
    assert found == FINE


def warm_filter(market: Market) -> Kalman:
    """Return a filter that has followed a market long enough."""
    layer = Kalman()
    for _ in range(WARM_BARS + 100):
        layer.update(market.bar())
    return layer


@pytest.mark.parametrize("spoilt", ["close", "high", "low", "open"])
def test_a_bad_print_is_told_wherever_it_stands(spoilt: str) -> None:
    """Shows a print 30 % off found as close, wick or open, and the next good bar passing; fails when one slips by."""
    market = Market(3)
    layer = warm_filter(market)
    bar = market.bar()
    off = round(bar.close_ticks * (0.7 if spoilt in {"low", "open"} else 1.3))
    bad = msgspec.structs.replace(bar, **{f"{spoilt}_ticks": off})
    bad = msgspec.structs.replace(bad, high_ticks=max(bad.high_ticks, off), low_ticks=min(bad.low_ticks, off))
    assert layer.update(bad).outlier.score == 0.0
    assert layer.update(market.bar()).outlier == FINE


def test_a_market_that_really_moved_is_believed_again() -> None:
    """Shows a jump doubted at first and taken after bars that agree; fails when the filter never lets go."""
    market = Market(4)
    layer = warm_filter(market)
    market.close *= 1.2
    scores = [layer.update(market.bar()).outlier.score for _ in range(AGREEING_BARS + 3)]
    assert scores[0] < 1.0
    assert scores[-1] == 1.0


def test_honest_bars_are_rarely_doubted() -> None:
    """Shows 5,000 bars of a random market without an outlier; fails when the filter cries wolf."""
    market, layer = Market(5), Kalman()
    assert sum(layer.update(market.bar()).outlier.score < 1.0 for _ in range(5_000)) == 0


def test_a_gap_is_measured_by_what_is_usual() -> None:
    """Shows a hole in a busy market told, the same in a market full of holes not; fails when gaps are absolute."""
    busy, quiet = Market(6), Market(6)
    layer, used = warm_filter(busy), Kalman()
    for _ in range(200):
        used.update(quiet.bar(gap_bars=6))
    assert layer.update(busy.bar(gap_bars=40)).gap.score < DIMENSION_MIN
    assert used.update(quiet.bar(gap_bars=40)).gap == FINE


def test_two_thirds_must_agree() -> None:
    """Shows one of three that differs outvoted, two that differ not, old and single ones ignored; fails otherwise."""
    layer = Consensus(tolerance_ppm=1_000, age_ns_max=100)
    layer.heard("a", 100_000, 0)
    assert layer.judge(0) == FINE
    layer.heard("b", 100_050, 0)
    layer.heard("c", 120_000, 0)
    assert layer.judge(50) == FINE
    layer.heard("b", 80_000, 10)
    assert layer.judge(50).score < DIMENSION_MIN
    assert layer.judge(50).reason == "sources disagree: b, c"
    assert layer.judge(500) == FINE


def test_sources_are_bounded() -> None:
    """Shows that sources beyond the limit are not taken in; fails when the memory grows with invented names."""
    layer = Consensus(tolerance_ppm=1_000, age_ns_max=100)
    for number in range(SOURCES_MAX + 50):
        layer.heard(f"s{number}", 100, 0)
    assert len(layer._heard) == SOURCES_MAX


def test_cusum_notices_a_shift_and_not_noise() -> None:
    """Shows a mean that shifts by one deviation noticed within 30 values; fails when noise sets it off as often."""
    draw, layer = random.Random(7), Cusum()
    noise = sum(layer.update(draw.gauss(0.0, 1.0)) for _ in range(2_000))
    delays = []
    for _ in range(20):
        layer = Cusum()
        delays.append(next(n for n in itertools.count() if layer.update(draw.gauss(1.2, 1.0))))
    assert noise <= 3
    assert max(delays) <= 40


def brute_last_change(values: tuple[float, ...], penalty: float) -> int:
    """Find the best cut by trying every one, without dropping a start."""
    best: list[tuple[float, int]] = [(-penalty, 0)]
    for end in range(1, len(values) + 1):
        options = []
        for start in (0, *range(STRETCH_MIN, end - STRETCH_MIN + 1)):
            if end - start >= STRETCH_MIN and math.isfinite(best[start][0]):
                part = np.array(values[start:end])
                cost = len(part) * math.log(max(float(part.var()), 0.05))
                options.append((best[start][0] + cost + penalty, start))
        best.append(min(options) if options else (math.inf, 0))
    return best[-1][1]


@pytest.mark.parametrize("seed", range(40))
def test_pelt_is_the_best_cut(seed: int) -> None:
    """Shows PELT's newest cut equal to a search of every cut, with and without a change; fails when pruning errs."""
    draw = np.random.default_rng(seed)
    values = draw.normal(0.0, 1.0, WINDOW)
    if seed % 3:
        values[int(draw.integers(8, 25)) :] *= 5.0 if seed % 3 == 1 else 0.1
    drawn = tuple(values.tolist())
    assert last_change(values, 0) == brute_last_change(drawn, 4.0 * math.log(WINDOW))


def test_bayes_notices_a_new_variance_and_keeps_calm() -> None:
    """Shows a variance of five-fold deviation noticed within 12 values; fails when calm values set it off."""
    draw, late, false = random.Random(9), 0, 0
    for _ in range(20):
        layer = Bayes()
        false += sum(layer.update(draw.gauss(0.0, 1.0)) for _ in range(200))
        late += not any(layer.update(draw.gauss(0.0, 5.0)) for _ in range(12))
    assert false <= 8
    assert late <= 3


def test_bayes_weights_stay_a_distribution() -> None:
    """Shows weights that add to one and a bounded memory after wild values; fails on underflow or growth."""
    layer = Bayes()
    for value in [0.0] * 100 + [20.0, -20.0] * 50 + [0.0] * 100:
        layer.update(value)
        assert sum(layer.weights) == pytest.approx(1.0)
        assert len(layer.weights) <= LENGTHS_MAX


def test_witnesses_must_agree() -> None:
    """Shows a lasting change of behaviour told and a calm market hardly ever; fails when one witness is enough."""
    draw, layer = random.Random(11), Changes()
    calm = sum(layer.update(draw.gauss(0.0, 0.001)).score < 1.0 for _ in range(1_000))
    told = [layer.update(draw.gauss(0.0, 0.008)) for _ in range(40)]
    assert calm <= 4
    assert any("the market changed" in finding.reason for finding in told)


def test_a_flat_market_has_no_change() -> None:
    """Shows prices that never move without a division by zero; fails when one is raised or told."""
    layer = Changes()
    assert all(layer.update(0.0) == FINE for _ in range(200))


def test_a_dimension_recovers_slowly_and_cannot_be_bought_off() -> None:
    """Shows one bad finding forbidding some bars, then passing; fails when the others make up for it or it sticks."""
    scorer = Scorer()
    score = scorer.update({Dimension.ACCURATE: (FINE, Finding(0.0, "off"))})
    assert not score.usable
    assert score.total == pytest.approx(0.7)
    assert score.reasons == ("off",)
    bars = next(n for n in itertools.count(1) if scorer.update({}).usable)
    assert bars == 4
    assert Scorer().update({Dimension.CONSISTENT: (Finding(0.0, "changed"),)}).usable


def score_of(part: float) -> Score:
    """Return a score that is fine but for one dimension."""
    return Score(0.9, dict.fromkeys(Dimension, 1.0) | {Dimension.TIMELY: part}, ("why",))


def test_an_alert_is_told_once_each_way() -> None:
    """Shows a score that trembles on the limit as one alert, and the way back; fails when each bar rings."""
    alerts = Alerts()
    told = [
        alert.gravity
        for part in (1.0, 0.59, 0.61, 0.59, 0.7, 0.2, 0.31, 0.29, 0.5, 0.9)
        for alert in alerts.update(score_of(part), 5)
    ]
    assert told == [Gravity.POOR, Gravity.BAD, Gravity.POOR, Gravity.WELL]
