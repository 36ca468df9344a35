"""Trade a forecast through recorded steps, one position at a time, and tell what came of it, net of every cost.

Where the forecast's expected return after costs is above zero a trade is opened at the next bar's open; nothing else is
opened before it has ended. The expectation takes a win and a loss as the mean ones of the training data, in barrier
widths. Nothing here looks past the step it stands on except to carry a trade out.
"""

import math
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from appliance.kernels import barriers
from appliance.lab import scores
from appliance.lab.ohlcv import BarSeries
from appliance.signals.models.inputs import StepTable
from appliance.signals.models.joining import HORIZON_BARS, barrier_widths

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

FEE: Final = 0.0026
SLIP: Final = 0.0002
FEES_TRIED: Final = (0.0, 0.0005, 0.0010, 0.0016, 0.0026, 0.0040)
DAY_S: Final = 86_400


class Outcomes(NamedTuple):
    """Hold what a trade opened after each step would have come to, net; NaN where there is no outcome."""

    net: Floats
    lasted_bars: Integers
    widths: Floats

    @property
    def won(self) -> Floats:
        """Return 1 where the trade would have made money, 0 where not; NaN where there is no outcome."""
        return np.where(np.isnan(self.net), np.nan, (self.net > 0.0).astype(np.float64))


class Trades(NamedTuple):
    """Hold the trades that were made: when each was decided, how long it lasted and what it came to."""

    starts_s: Integers
    lasted_bars: Integers
    net: Floats


def outcomes_of(series: BarSeries, steps: StepTable, fee: float = FEE, slip: float = SLIP) -> Outcomes:
    """Return what became of a trade opened after each step."""
    count = steps.rows.size
    net, ended, lasted = np.empty(count), np.empty(count, np.int64), np.empty(count, np.int64)
    widths = barrier_widths(steps.vectors)
    by_bar = np.full(series.starts_s.size, np.nan)
    by_bar[steps.rows] = widths
    barriers.outcomes(
        series.bars,
        series.starts_s,
        series.base_s,
        steps.rows,
        by_bar,
        HORIZON_BARS,
        fee,
        slip,
        net,
        ended,
        lasted,
    )
    return Outcomes(net, lasted, widths)


def walk(entered: npt.NDArray[np.bool_], starts_s: Integers, outcomes: Outcomes, base_s: int) -> Trades:
    """Open where told to while nothing is open."""
    made: list[int] = []
    free_s = -1
    for number in np.flatnonzero(entered & ~np.isnan(outcomes.net)):
        if starts_s[number] >= free_s:
            made.append(int(number))
            free_s = int(starts_s[number]) + int(outcomes.lasted_bars[number]) * base_s
    chosen = np.array(made, np.int64)
    return Trades(starts_s[chosen], outcomes.lasted_bars[chosen], outcomes.net[chosen])


def daily_returns(trades: Trades, from_s: int, to_s: int, base_s: int) -> Floats:
    """Return what each day earned, days without a trade included; a trade counts on the day it ended."""
    days = np.zeros(max(1, -(-(to_s - from_s) // DAY_S)))
    ended = (trades.starts_s + trades.lasted_bars * base_s - from_s) // DAY_S
    np.add.at(days, np.clip(ended, 0, days.size - 1), trades.net)
    return days


def summary(trades: Trades, days: Floats, trials: Floats) -> dict[str, Any]:
    """Return the figures of one way of trading; the trials are the daily Sharpe ratios of all that were tried."""
    traded = trades.net.size
    root = math.sqrt(scores.DAYS_PER_YEAR)
    return {
        "trades": int(traded),
        "net_return_sum": float(trades.net.sum()),
        "net_return_mean": float(trades.net.mean()) if traded else 0.0,
        "won_share": float((trades.net > 0.0).mean()) if traded else 0.0,
        "turnover_per_year": 2.0 * traded / days.size * scores.DAYS_PER_YEAR,
        "sharpe_per_year": scores.sharpe(days) * root,
        "sharpe_probability": scores.probabilistic_sharpe(days),
        "sharpe_deflated_probability": scores.deflated_sharpe(days, trials),
        "drawdown": scores.drawdown(days),
        "jarque_bera_p": scores.jarque_bera(days)[1],
        "ljung_box_p": scores.ljung_box(days)[1],
        "unit_root_rejected": scores.unit_root(np.cumsum(days))[1],
    }
