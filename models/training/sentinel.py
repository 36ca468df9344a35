"""Look for skill where there can be none: outcomes are shuffled, and whoever forecasts them has seen the future.

Two ways, because each finds what the other cannot. Taught with shuffled outcomes and judged by the true ones, skill
means that the true ones reached the forecast by another way than the teaching. With one shuffled outcome for each
sample, in teaching and judging alike, skill means that a judged sample was taught: the outcomes tell nothing of each
other any more.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from appliance.lab import scores
from appliance.signals.models.joining import HORIZON_STEPS
from models.training import plan
from models.training.data import Fold, Samples

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
# Learn outcomes from vectors, and return what forecasts them from other vectors.
Learn = Callable[[Singles, Floats], Callable[[Singles], Floats]]
ERRORS_MAX: Final = 4.0


class LeakFound(Exception):
    """Report skill where there can be none: the future reaches the past somewhere."""


def sentinel(samples: Samples, folds: list[Fold], learn: Learn) -> dict[str, float]:
    """Forecast shuffled outcomes both ways, refuse to go on if that shows skill, and return the first way's figures.

    True outcomes of neighbouring steps overlap for a day and both symbols move together, so the judged rows count as
    one a day; shuffled ones count as they are. The error of a rank score over so many rows is what luck may show.
    """
    draw = np.random.default_rng(plan.SEED)
    chances = np.full(samples.won.size, np.nan)
    for fold in folds:
        shuffled = draw.permutation(samples.won[fold.train])
        chances[fold.test] = learn(samples.vectors[fold.train], shuffled)(samples.vectors[fold.test])
    verdict = _verdict(chances, samples.won, HORIZON_STEPS * len(plan.SYMBOLS))
    if verdict["errors"] > ERRORS_MAX:
        raise LeakFound(f"true outcomes were forecast from shuffled ones, rank score {verdict['rank_score']:.4f}")
    outcomes = draw.permutation(samples.won)
    for fold in folds:
        chances[fold.test] = learn(samples.vectors[fold.train], outcomes[fold.train])(samples.vectors[fold.test])
    everywhere = _verdict(chances, outcomes, 1)
    if everywhere["errors"] > ERRORS_MAX:
        raise LeakFound(
            f"shuffled outcomes were forecast, rank score {everywhere['rank_score']:.4f}: what is judged was learned"
        )
    return verdict


def _verdict(chances: Floats, outcomes: Floats, rows_that_count_as_one: int) -> dict[str, float]:
    judged = ~np.isnan(chances)
    won = outcomes[judged]
    score = scores.rank_score(chances[judged], won)
    counted = won.size / rows_that_count_as_one
    error = 1.0 / np.sqrt(12.0 * counted * won.mean() * (1.0 - won.mean()))
    return {"rank_score": score, "luck": float(error), "errors": abs(score - 0.5) / float(error)}
