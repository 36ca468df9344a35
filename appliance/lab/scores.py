"""How good forecasts and returns are, and how likely that is luck.

Probabilistic and deflated Sharpe ratios after Bailey and López de Prado (2012, 2014): the first is the chance that the
true ratio is above a benchmark, given the sample's length, skew and tails; the second takes as benchmark the best ratio
that so many trials would reach by luck alone.
"""

import math
from statistics import NormalDist
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

EULER: Final = 0.5772156649015329
DAYS_PER_YEAR: Final = 365.0
CLIP: Final = 1e-6
# MacKinnon's asymptotic 5 % point for a regression with a constant (2010).
ADF_CRITICAL: Final = -2.8615
_NORMAL = NormalDist()


class Calibration(NamedTuple):
    """Hold a calibration curve: mean forecast, share that came true and how many, for each bin that has any."""

    forecast: list[float]
    observed: list[float]
    counts: list[int]

    @property
    def error(self) -> float:
        """Return the mean distance of forecast and outcome, weighted by count."""
        total = sum(self.counts)
        distances = zip(self.forecast, self.observed, self.counts, strict=True)
        return sum(abs(f - o) * n for f, o, n in distances) / total if total else math.nan


def brier(chances: Floats, won: Floats) -> float:
    """Return the mean squared distance of forecast and outcome."""
    return float(np.mean((chances - won) ** 2)) if won.size else math.nan


def log_loss(chances: Floats, won: Floats) -> float:
    """Return the mean negative log likelihood of the outcomes."""
    if not won.size:
        return math.nan
    safe = np.clip(chances, CLIP, 1.0 - CLIP)
    return float(-np.mean(won * np.log(safe) + (1.0 - won) * np.log(1.0 - safe)))


def rank_score(chances: Floats, won: Floats) -> float:
    """Return the chance that a winner was ranked above a loser (area under the ROC curve; ties count half)."""
    winners = float(won.sum())
    losers = won.size - winners
    if winners == 0 or losers == 0:
        return math.nan
    _, places, counts = np.unique(chances, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[places]
    return float((ranks[won > 0].sum() - winners * (winners + 1.0) / 2.0) / (winners * losers))


def calibration(chances: Floats, won: Floats, bins: int = 10) -> Calibration:
    """Return the calibration curve over bins of equal count."""
    order = np.argsort(chances, kind="stable")
    parts = [part for part in np.array_split(order, bins) if part.size]
    return Calibration(
        [float(chances[part].mean()) for part in parts],
        [float(won[part].mean()) for part in parts],
        [int(part.size) for part in parts],
    )


def sharpe(returns: Floats) -> float:
    """Return mean over deviation, a period each; zero for returns that never differ."""
    deviation = float(returns.std(ddof=1)) if returns.size > 1 else 0.0
    return float(returns.mean()) / deviation if deviation > 0.0 else 0.0


def probabilistic_sharpe(returns: Floats, benchmark: float = 0.0) -> float:
    """Return the chance that the true Sharpe ratio is above the benchmark, both a period each."""
    if returns.size < 3 or returns.std() == 0.0:  # noqa: PLR2004 - skew needs three
        return math.nan
    found = sharpe(returns)
    scaled = (returns - returns.mean()) / returns.std()
    skew, tails = float(np.mean(scaled**3)), float(np.mean(scaled**4))
    variance = 1.0 - skew * found + (tails - 1.0) / 4.0 * found * found
    if variance <= 0.0:
        return math.nan
    return _NORMAL.cdf((found - benchmark) * math.sqrt(returns.size - 1.0) / math.sqrt(variance))


def luckiest_sharpe(trials_count: int, trials_deviation: float) -> float:
    """Return the best Sharpe ratio that so many worthless trials are expected to show."""
    if trials_count < 2:  # noqa: PLR2004 - one trial is not a choice
        return 0.0
    first = _NORMAL.inv_cdf(1.0 - 1.0 / trials_count)
    second = _NORMAL.inv_cdf(1.0 - 1.0 / (trials_count * math.e))
    return trials_deviation * ((1.0 - EULER) * first + EULER * second)


def deflated_sharpe(returns: Floats, trials: Floats) -> float:
    """Return the chance that the true Sharpe ratio is above what the trials would show by luck."""
    deviation = float(trials.std(ddof=1)) if trials.size > 1 else 0.0
    return probabilistic_sharpe(returns, luckiest_sharpe(trials.size, deviation))


def drawdown(returns: Floats) -> float:
    """Return the deepest fall of the compounded returns from their peak, as a positive share."""
    if not returns.size:
        return 0.0
    wealth = np.r_[1.0, np.cumprod(1.0 + returns)]
    return float(np.max(1.0 - wealth / np.maximum.accumulate(wealth)))


def jarque_bera(returns: Floats) -> tuple[float, float]:
    """Return the statistic against normal returns and its p-value (chi-squared with two degrees of freedom)."""
    if returns.size < 3 or returns.std() == 0.0:  # noqa: PLR2004 - skew needs three
        return math.nan, math.nan
    scaled = (returns - returns.mean()) / returns.std()
    statistic = returns.size / 6.0 * (np.mean(scaled**3) ** 2 + (np.mean(scaled**4) - 3.0) ** 2 / 4.0)
    return float(statistic), math.exp(-float(statistic) / 2.0)


def ljung_box(returns: Floats, lags: int = 10) -> tuple[float, float]:
    """Return the statistic against uncorrelated returns and its p-value; the lags must be even."""
    count = returns.size
    if count <= lags or returns.std() == 0.0 or lags % 2:
        return math.nan, math.nan
    centred = returns - returns.mean()
    power = float(centred @ centred)
    total = sum((float(centred[lag:] @ centred[:-lag]) / power) ** 2 / (count - lag) for lag in range(1, lags + 1))
    statistic = count * (count + 2.0) * total
    # With an even number of degrees of freedom chi-squared's tail is a finite Poisson sum.
    half = statistic / 2.0
    tail = sum(math.exp(-half + k * math.log(half) - math.lgamma(k + 1.0)) for k in range(lags // 2)) if half else 1.0
    return statistic, min(tail, 1.0)


def unit_root(levels: Floats, lags: int = 5) -> tuple[float, bool]:
    """Return the augmented Dickey-Fuller statistic with a constant, and whether 5 % reject a unit root."""
    steps = np.diff(levels)
    rows = steps.size - lags
    if rows <= lags + 3 or steps.std() == 0.0:
        return math.nan, False
    columns = [np.ones(rows), levels[lags:-1]] + [steps[lags - lag : -lag] for lag in range(1, lags + 1)]
    design = np.column_stack(columns)
    target = steps[lags:]
    solution, *_ = np.linalg.lstsq(design, target, rcond=None)
    left = target - design @ solution
    variance = float(left @ left) / (rows - design.shape[1])
    spread = math.sqrt(variance * float(np.linalg.pinv(design.T @ design)[1, 1]))
    statistic = float(solution[1]) / spread if spread > 0.0 else math.nan
    return statistic, statistic < ADF_CRITICAL
