"""What the forecasts are worth: against luck, against doing nothing, against the plainest rules, after every cost."""

from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from appliance.lab import scores, walking
from appliance.lab.walking import Outcomes, Trades
from appliance.signals.feature_table import BASE_BAR_S
from appliance.signals.models.joining import HORIZON_BARS
from models.training import members, stack
from models.training.data import Fold, Market, Samples

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

PROBABILITY_MIN: Final = 0.95
STACKED: Final = "stack"


class Judged(NamedTuple):
    """Hold what was judged: rows, chances by name, and the regime of each row."""

    rows: Integers
    chances: dict[str, Floats]
    edges: dict[str, Floats]


class Verdict(NamedTuple):
    """Hold every table of the evaluation, and whether any of it is worth money."""

    tables: dict[str, dict[str, Any]]
    curves: dict[str, scores.Calibration]
    daily: dict[str, Floats]
    edge_found: bool
    sentence: str


def stacked(samples: Samples, folds: list[Fold], chances: dict[str, Floats], regimes: Integers, names: Any) -> Judged:  # noqa: ANN401
    """Return chances and expected returns on the folds that a stack, fitted on the folds before, could judge."""
    table = np.column_stack([chances[name] for name in members.MEMBERS])
    rows, joined = [], []
    ratios: dict[str, list[Floats]] = {"win": [], "loss": []}
    for number in range(1, len(folds)):
        fold = folds[number]
        known = np.intersect1d(fold.train, np.flatnonzero(~np.isnan(table).any(axis=1)))
        fitted = stack.fit(
            table[known],
            samples.won[known],
            regimes[known],
            names,
            stack.ratios_of(samples.net[fold.train], samples.widths[fold.train]),
        )
        rows.append(fold.test)
        joined.append(stack.calibrated(fitted, table[fold.test], regimes[fold.test], names))
        ratios["win"].append(np.full(fold.test.size, fitted.win_ratio))
        ratios["loss"].append(np.full(fold.test.size, fitted.loss_ratio))
    judged = np.concatenate(rows)
    found = {name: values[judged] for name, values in chances.items()} | {STACKED: np.concatenate(joined)}
    win, loss, widths = np.concatenate(ratios["win"]), np.concatenate(ratios["loss"]), samples.widths[judged]
    edges = {name: (chance * win - (1.0 - chance) * loss) * widths for name, chance in found.items()}
    return Judged(judged, found, edges)


def judge(
    markets: list[Market], samples: Samples, judged: Judged, regimes: Integers, names: tuple[str, ...]
) -> Verdict:
    """Return every table."""
    rows = judged.rows
    entered = {name: edge > 0.0 for name, edge in judged.edges.items()}
    entered["last sign"] = members.last_sign(samples, rows)
    made = {name: _trades(markets, samples, rows, choice) for name, choice in entered.items()}
    span = int(samples.times_s[rows[0]]), int(samples.times_s[rows[-1]]) + HORIZON_BARS * BASE_BAR_S
    daily = {name: _daily(trades, span) for name, trades in made.items()}
    daily["buy and hold"] = _held(markets, span)
    daily["flat"] = np.zeros_like(daily["buy and hold"])
    trials = np.array([scores.sharpe(daily[name]) for name in judged.edges])
    tables: dict[str, dict[str, Any]] = {"trading": {}, "forecast": {}}
    for name, days in daily.items():
        trades = made.get(name, [])
        joined = Trades(*(np.concatenate(parts) for parts in zip(*trades, strict=True))) if trades else _NOTHING
        tables["trading"][name] = walking.summary(joined, days, trials)
        if name == "buy and hold":
            tables["trading"][name]["net_return_sum"] = float(days.sum())
    won = samples.won[rows]
    for name, chance in judged.chances.items():
        tables["forecast"][name] = _forecast(chance, won)
    tables["forecast"]["base rate"] = _forecast(np.full(won.size, won.mean()), won)
    tables |= _by_group(judged.chances[STACKED], won, made[STACKED], samples, rows, regimes, names)
    tables["by_fee"] = _by_fee(markets, samples, rows, entered)
    curves = {name: scores.calibration(chance, won) for name, chance in judged.chances.items()}
    return _verdict(tables, curves, daily, span)


_NOTHING: Final = Trades(np.array([], np.int64), np.array([], np.int64), np.array([]))


def _forecast(chance: Floats, won: Floats) -> dict[str, float]:
    return {
        "brier": scores.brier(chance, won),
        "log_loss": scores.log_loss(chance, won),
        "rank_score": scores.rank_score(chance, won),
        "calibration_error": scores.calibration(chance, won).error,
    }


def _trades(
    markets: list[Market], samples: Samples, rows: Integers, entered: Bools, fee: float | None = None
) -> list[Trades]:
    found = []
    for which, market in enumerate(markets):
        mine = samples.symbol[rows] == which
        numbers = samples.numbers[rows[mine]]
        priced = market.outcomes if fee is None else walking.outcomes_of(market.series, market.steps, fee)
        part = Outcomes(priced.net[numbers], priced.lasted_bars[numbers], priced.widths[numbers])
        found.append(walking.walk(entered[mine], samples.times_s[rows[mine]], part, BASE_BAR_S))
    return found


def _daily(trades: list[Trades], span: tuple[int, int]) -> Floats:
    """Return each day's return with the capital split evenly over the symbols."""
    return np.asarray(sum(walking.daily_returns(part, *span, BASE_BAR_S) for part in trades) / len(trades))


def _held(markets: list[Market], span: tuple[int, int]) -> Floats:
    """Return each day's return of holding both symbols, costs at the two ends left out."""
    days = np.arange(span[0], span[1] + walking.DAY_S, walking.DAY_S)
    parts = []
    for market in markets:
        places = np.clip(np.searchsorted(market.series.starts_s, days) - 1, 0, None)
        closes = market.series.bars[places, 3]
        parts.append(closes[1:] / closes[:-1] - 1.0)
    return np.asarray(np.mean(parts, axis=0))


def _by_group(
    chance: Floats,
    won: Floats,
    made: list[Trades],
    samples: Samples,
    rows: Integers,
    regimes: Integers,
    names: tuple[str, ...],
) -> dict[str, dict[str, Any]]:
    times = samples.times_s[rows]
    years = np.array([datetime.fromtimestamp(int(t), UTC).year for t in times])
    trades_s, net = np.concatenate([t.starts_s for t in made]), np.concatenate([t.net for t in made])
    traded_years = np.array([datetime.fromtimestamp(int(t), UTC).year for t in trades_s], np.int64)
    known = {(int(t), int(s)): int(r) for t, s, r in zip(times, samples.symbol[rows], regimes[rows], strict=True)}
    owners = [which for which, part in enumerate(made) for _ in part.net]
    traded_in = np.array([known[int(t), s] for t, s in zip(trades_s, owners, strict=True)], np.int64)

    def line(mine: Bools, traded: Bools) -> dict[str, Any]:
        return {
            "rows": int(mine.sum()),
            "brier": scores.brier(chance[mine], won[mine]),
            "base_brier": scores.brier(np.full(int(mine.sum()), won.mean()), won[mine]),
            "rank_score": scores.rank_score(chance[mine], won[mine]),
            "trades": int(traded.sum()),
            "net_return_sum": float(net[traded].sum()),
        }

    return {
        "by_year": {str(year): line(years == year, traded_years == year) for year in sorted(set(years.tolist()))},
        "by_regime": {
            name: line(regimes[rows] == state, traded_in == state)
            for state, name in enumerate(names)
            if (regimes[rows] == state).any()
        },
    }


def _by_fee(
    markets: list[Market], samples: Samples, rows: Integers, entered: dict[str, Bools]
) -> dict[str, dict[str, Any]]:
    shown = {name: entered[name] for name in (STACKED, "trees", "last sign")}
    table: dict[str, dict[str, Any]] = {}
    for fee in walking.FEES_TRIED:
        table[f"{fee * 100:.2f} %"] = {
            name: float(sum(part.net.sum() for part in _trades(markets, samples, rows, choice, fee)))
            for name, choice in shown.items()
        }
    return table


def _verdict(
    tables: dict[str, dict[str, Any]],
    curves: dict[str, scores.Calibration],
    daily: dict[str, Floats],
    span: tuple[int, int],
) -> Verdict:
    """Call an edge only what luck does not explain, what beats every baseline and what forecasts better than none."""
    trading, forecast = tables["trading"], tables["forecast"]
    mine = trading[STACKED]
    rivals = ("flat", "buy and hold", "last sign", "logistic")
    better = all(mine["sharpe_per_year"] > trading[name]["sharpe_per_year"] for name in rivals)
    sharp = forecast[STACKED]["brier"] < forecast["base rate"]["brier"]
    sure = mine["sharpe_deflated_probability"] >= PROBABILITY_MIN
    found = bool(better and sharp and sure and mine["net_return_sum"] > 0.0)
    facts = (
        f"{mine['trades']} trades, {mine['net_return_sum'] * 100:+.1f} % summed net return, "
        f"Sharpe {mine['sharpe_per_year']:+.2f} a year, deflated probability "
        f"{mine['sharpe_deflated_probability']:.2f}, Brier {forecast[STACKED]['brier']:.4f} "
        f"against {forecast['base rate']['brier']:.4f} for the base rate"
    )
    claim = "The ensemble shows an edge after costs" if found else "The ensemble shows no edge after costs"
    first, last = (datetime.fromtimestamp(moment, UTC).date() for moment in span)
    return Verdict(tables, curves, daily, found, f"{claim}, out of sample {first} to {last}: {facts}.")
