"""The sentinel over training: shuffled outcomes show no skill where all is well, and any leak stops the build."""

import numpy as np
import pytest

from models.training import plan
from models.training.data import Fold, Samples, folds_of
from models.training.sentinel import Floats, LeakFound, Singles, sentinel

COUNT = 4_000
COLUMNS = 6


class Nearest:
    """A learner that remembers everything: its forecast is the outcome of the nearest sample it was taught."""

    def __init__(self, vectors: Singles, outcomes: Floats) -> None:
        self.vectors, self.outcomes = vectors.astype(np.float64), outcomes

    def __call__(self, vectors: Singles) -> Floats:
        """Return the forecasts."""
        rows = vectors.astype(np.float64)
        distances = (self.vectors**2).sum(axis=1)[None, :] - 2.0 * rows @ self.vectors.T
        return np.asarray(self.outcomes[distances.argmin(axis=1)])


def hours() -> Samples:
    """Return hours whose first figure does say something of the outcome, as a feature may."""
    draw = np.random.default_rng(41)
    vectors = draw.normal(size=(COUNT, COLUMNS)).astype(np.float32)
    won = (vectors[:, 0] + draw.normal(size=COUNT) > 0.0).astype(np.float64)
    times_s = 1_700_000_000 + 3_600 * np.arange(COUNT)
    nothing = np.zeros(COUNT)
    return Samples(
        times_s, nothing.astype(np.int64), np.arange(COUNT), vectors, vectors[:, None], won, nothing, nothing
    )


SAMPLES = hours()
FOLDS = folds_of(SAMPLES, plan.SMALL)


def test_an_honest_training_shows_no_skill_on_shuffled_outcomes() -> None:
    """Shows figures within luck although the features do forecast; fails when the sentinel cries without a leak."""
    verdict = sentinel(SAMPLES, FOLDS, Nearest)
    assert verdict["errors"] < 4.0
    assert abs(verdict["rank_score"] - 0.5) < 0.1


def test_judged_samples_among_the_taught_stop_the_build() -> None:
    """Shows a planted leak found: folds that teach a quarter of what they judge; fails when only the outcomes that are
    taught are shuffled, which such a leak survives.
    """
    leaking = [Fold(np.r_[fold.train, fold.test[::4]], fold.test) for fold in FOLDS]
    with pytest.raises(LeakFound, match="what is judged was learned"):
        sentinel(SAMPLES, leaking, Nearest)


def test_outcomes_that_reach_the_forecast_by_another_way_stop_the_build() -> None:
    """Shows a learner that looks its answers up found; fails when forecasts are judged by what they were taught."""
    true = {row.tobytes(): won for row, won in zip(SAMPLES.vectors, SAMPLES.won, strict=True)}

    def learn(_vectors: Singles, _outcomes: Floats) -> Nearest:
        known = np.frombuffer(b"".join(true), np.float32).reshape(-1, COLUMNS)
        return Nearest(known, np.array(list(true.values())))

    with pytest.raises(LeakFound, match="true outcomes"):
        sentinel(SAMPLES, FOLDS, learn)
