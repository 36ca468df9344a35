"""The regime's opinions: a hidden Markov model, trees and a sequence model that learn what it says in hindsight.

All three learn from the samples before the first judged one and from nothing later, so every judged step is out of
their sample and so is the shipped calibration that rests on them.
"""

from typing import NamedTuple

import lightgbm
import numpy as np
import numpy.typing as npt
from hmmlearn.hmm import GaussianHMM

from appliance.signals.feature_table import NAMES
from appliance.signals.regime import HiddenStates, blend, regimes
from models.training import nets, plan, trees
from models.training.data import Market, Samples

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
TREES = 30
ROUNDS = 60


class Regimes(NamedTuple):
    """Hold the trained opinions, and the regime of every sample."""

    hidden: HiddenStates
    trees: lightgbm.Booster
    sequence: nets.Chance
    of_samples: Integers


def figures_of(market: Market) -> Floats:
    """Return what the hidden Markov model reads, a row a step."""
    places = [NAMES.index(name) for name in plan.REGIME_COLUMNS]
    return market.steps.vectors[:, places].astype(np.float64)


def train(markets: list[Market], samples: Samples, known: Integers, size: plan.Size) -> Regimes:
    """Return the opinions learned from the known samples, and the regimes of all."""
    until_s = int(samples.times_s[known].max())
    hidden, hindsight = _hidden(markets, until_s)
    target = np.array([hindsight[s][n] for s, n in zip(samples.symbol, samples.numbers, strict=True)])
    taught = known[target[known] >= 0]
    boosted = trees.train(samples.vectors[taught], target[taught].astype(np.float64), TREES, plan.STATES)
    sequence = nets.train("gru", samples.sequences[taught], target[taught].astype(np.float64), size, plan.STATES)
    beliefs = [hidden.beliefs(figures_of(market)) for market in markets]
    opinions = {
        "hidden": np.array([beliefs[s][n] for s, n in zip(samples.symbol, samples.numbers, strict=True)]),
        "trees": np.asarray(boosted.predict(samples.vectors)),
        "sequence": nets.predict(sequence, samples.sequences),
    }
    blended = blend(opinions)
    found = np.empty(samples.times_s.size, np.int64)
    for which in range(len(markets)):
        rows = np.flatnonzero(samples.symbol == which)
        found[rows] = regimes(blended[rows])
    return Regimes(hidden, boosted, sequence, found)


def _hidden(markets: list[Market], until_s: int) -> tuple[HiddenStates, list[Integers]]:
    figures = [figures_of(market) for market in markets]
    parts = []
    for market, rows in zip(markets, figures, strict=True):
        early = market.series.starts_s[market.steps.rows] < until_s
        parts.append(rows[early & np.isfinite(rows).all(axis=1)])
    raw = np.concatenate(parts)
    raw[:, 1] = np.log(np.maximum(raw[:, 1], 1e-9))
    center, scale = raw.mean(axis=0), raw.std(axis=0)
    model = GaussianHMM(plan.STATES, covariance_type="diag", n_iter=ROUNDS, random_state=plan.SEED, tol=1e-3)
    model.fit((raw - center) / scale, [len(part) for part in parts])
    order, names = _named(model.means_)
    hidden = HiddenStates(
        names,
        model.startprob_[order],
        model.transmat_[order][:, order],
        model.means_[order],
        np.array([np.diag(model.covars_[state]) for state in order]),
        center,
        scale,
    )
    place = np.argsort(order)
    hindsight = []
    for rows in figures:
        states = np.full(len(rows), -1, np.int64)
        finite = np.isfinite(rows).all(axis=1)
        states[finite] = place[model.predict(hidden.seen(rows[finite]))]
        hindsight.append(states)
    return hidden, hindsight


def _named(means: Floats) -> tuple[Integers, tuple[str, ...]]:
    """Name the states: the wildest, then those of the lowest and highest return, then the two left by wildness."""
    left = list(range(len(means)))
    wild = max(left, key=lambda state: means[state, 1])
    left.remove(wild)
    falling = min(left, key=lambda state: means[state, 0])
    left.remove(falling)
    rising = max(left, key=lambda state: means[state, 0])
    left.remove(rising)
    calm, choppy = sorted(left, key=lambda state: means[state, 1])
    return np.array([calm, choppy, rising, falling, wild]), ("calm", "choppy", "rising", "falling", "turbulent")
