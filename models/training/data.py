"""From recorded bars to samples: the step tables, what became of a trade after each, and the folds."""

import hashlib
import itertools
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from appliance.lab.ohlcv import BarSeries, read_bars, resampled
from appliance.lab.walking import Outcomes, outcomes_of
from appliance.signals.feature_table import BASE_BAR_S, NAMES
from appliance.signals.models.inputs import StepTable, step_table
from appliance.signals.models.joining import HORIZON_BARS
from models.training import plan

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Market(NamedTuple):
    """Hold one symbol's bars, steps and outcomes."""

    symbol: str
    file: str
    sha256: str
    series: BarSeries
    steps: StepTable
    outcomes: Outcomes


class Samples(NamedTuple):
    """Hold every usable step of every symbol in order of time."""

    times_s: Integers
    symbol: Integers
    numbers: Integers
    vectors: Singles
    sequences: Singles
    won: Floats
    net: Floats
    widths: Floats


class Fold(NamedTuple):
    """Hold which samples are learned from and which are judged."""

    train: Integers
    test: Integers


def load(folder: Path, size: plan.Size) -> list[Market]:
    """Return the markets, from whole files whose hashes go into the manifest."""
    markets = []
    for symbol in plan.SYMBOLS:
        path = folder / f"binance_spot_{symbol}_5m.parquet"
        series = resampled(read_bars(path), BASE_BAR_S)
        year_s = int(np.datetime64(f"{size.from_year}-01-01", "s").astype(np.int64))
        series = series.between(year_s, 2**40)
        steps = step_table(series.starts_s, series.bars)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        markets.append(Market(symbol, path.name, digest, series, steps, outcomes_of(series, steps)))
    return markets


def samples_of(markets: list[Market]) -> Samples:
    """Return the steps that have a whole vector, a whole sequence and an outcome."""
    vector_places = [NAMES.index(name) for name in plan.VECTOR_COLUMNS]
    sequence_places = tuple(NAMES.index(name) for name in plan.SEQUENCE_COLUMNS)
    parts = []
    for which, market in enumerate(markets):
        steps, outcomes = market.steps, market.outcomes
        usable = steps.whole & np.isfinite(steps.vectors[:, vector_places]).all(axis=1) & np.isfinite(outcomes.net)
        numbers = np.flatnonzero(usable)
        sequences = steps.sequences(numbers, sequence_places)
        finite = np.isfinite(sequences).all(axis=(1, 2))
        numbers, sequences = numbers[finite], sequences[finite]
        parts.append(
            Samples(
                market.series.starts_s[steps.rows[numbers]] + BASE_BAR_S,
                np.full(numbers.size, which),
                numbers,
                steps.vectors[numbers][:, vector_places],
                sequences,
                outcomes.won[numbers],
                outcomes.net[numbers],
                outcomes.widths[numbers],
            )
        )
    joined = Samples._make(np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(joined.times_s, kind="stable")
    return Samples._make(column[order] for column in joined)


def folds_of(samples: Samples, size: plan.Size) -> list[Fold]:
    """Return an expanding walk forward, purged and embargoed.

    A training sample's trade must have ended a day before the first judged step: no bar is in both, and what lingers in
    the features has a day to fade.
    """
    first = samples.times_s[0] + 86_400 * 120 if size.name == "small" else int(plan.FIRST_TEST.timestamp())
    edges = np.linspace(first, samples.times_s[-1] + 1, plan.FOLDS + 1).astype(np.int64)
    gap_s = HORIZON_BARS * BASE_BAR_S + plan.EMBARGO_S
    return [
        Fold(
            np.flatnonzero(samples.times_s < begin - gap_s),
            np.flatnonzero((samples.times_s >= begin) & (samples.times_s < end)),
        )
        for begin, end in itertools.pairwise(edges)
    ]
