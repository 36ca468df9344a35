"""What the models learn from and what they are judged on never touch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.lab.ohlcv import BarSeries
from appliance.lab.walking import outcomes_of
from appliance.signals.models.inputs import step_table
from appliance.signals.models.joining import HORIZON_BARS
from models.training import plan
from models.training.data import Market, Samples, folds_of, samples_of

DAY_S = 86_400
TRADE_S = HORIZON_BARS * 300


def samples_at(times_s: np.typing.NDArray[np.int64]) -> Samples:
    """Return samples of which only the time matters."""
    count = times_s.size
    nothing = np.zeros(count)
    singles = np.zeros((count, 1), np.float32)
    whole = np.zeros(count, np.int64)
    return Samples(times_s, whole, whole, singles, singles[:, None], nothing, nothing, nothing)


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), size=st.sampled_from([plan.FULL, plan.SMALL]))
def test_no_trade_learned_from_reaches_a_day_before_the_first_judged(seed: int, size: plan.Size) -> None:
    """Shows purge and embargo, walks that only expand, and every judged sample judged once; fails when one bar is in a
    label that was learned and in a figure that was judged.
    """
    draw = np.random.default_rng(seed)
    begin = int(plan.FIRST_TEST.timestamp()) - 200 * DAY_S
    times_s = np.sort(draw.integers(begin, begin + 900 * DAY_S, 3_000)) // 3_600 * 3_600
    folds = folds_of(samples_at(times_s), size)
    assert len(folds) == plan.FOLDS
    judged = np.concatenate([fold.test for fold in folds])
    assert np.unique(judged).size == judged.size
    for fold, later in zip(folds, [*folds[1:], None], strict=True):
        assert times_s[fold.train].max() + TRADE_S + plan.EMBARGO_S < times_s[fold.test].min()
        assert later is None or set(fold.train.tolist()) <= set(later.train.tolist())
    assert plan.EMBARGO_S >= DAY_S


def test_a_sample_is_labelled_by_what_came_after_it() -> None:
    """Shows that bars before a step change its label nowhere, and the next ones do; fails when label and figures are
    off by one bar.
    """
    draw = np.random.default_rng(31)
    count = 12 * 24 * 6
    closes = 100.0 * np.exp(np.cumsum(draw.normal(0.0, 0.002, count)))
    opens = np.r_[100.0, closes[:-1]]
    bars = np.column_stack([opens, np.maximum(opens, closes), np.minimum(opens, closes), closes, np.ones(count)])
    starts_s = 1_700_000_100 // 3_600 * 3_600 + 300 * np.arange(count)

    def market(changed: np.typing.NDArray[np.float64]) -> Market:
        series = BarSeries(starts_s, changed, 300)
        steps = step_table(starts_s, changed)
        return Market("BTCUSDT", "", "", series, steps, outcomes_of(series, steps))

    whole = market(bars)
    samples = samples_of([whole])
    middle = samples.times_s.size // 2
    row = int(whole.steps.rows[samples.numbers[middle]])
    assert samples.times_s[middle] == starts_s[row] + 300
    crashed = bars.copy()
    crashed[row + 1 :, :4] *= 0.5
    later = samples_of([market(crashed)])
    same = later.times_s == samples.times_s[middle]
    np.testing.assert_array_equal(later.vectors[same][0], samples.vectors[middle])
    np.testing.assert_array_equal(later.sequences[same][0], samples.sequences[middle])
    assert later.net[same][0] == pytest.approx(samples.net[middle])
    fell = bars.copy()
    fell[row + 2 :, :4] *= 0.5
    fallen = samples_of([market(fell)])
    assert fallen.won[fallen.times_s == samples.times_s[middle]][0] == 0.0
