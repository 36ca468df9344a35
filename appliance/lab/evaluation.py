"""Run the installed models over recorded bars, step by step as they are served, and judge what they say."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from appliance.lab import scores, walking
from appliance.lab.ohlcv import BarSeries
from appliance.lab.walking import Outcomes, Trades
from appliance.signals import fusion
from appliance.signals.feature_table import NAMES
from appliance.signals.fusion import MODELS, Voice
from appliance.signals.models.inputs import StepTable, step_table
from appliance.signals.models.joining import HORIZON_BARS
from appliance.signals.models.onnx_model import ROWS_MAX
from appliance.signals.models.panel import Answer, Panel

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
LAST_DAY: Final = NAMES.index("h1_return_24")
EDGE_FULL: Final = 0.01


class Judged(NamedTuple):
    """Hold what the models said of each step of a file, beside what became of it."""

    series: BarSeries
    steps: StepTable
    outcomes: Outcomes
    answers: list[Answer]
    numbers: npt.NDArray[np.int64]


def answers_for(panel: Panel, series: BarSeries, instrument: str, tell: Callable[[int, int], None]) -> Judged:
    """Ask about every step that has a whole sequence."""
    steps = step_table(series.starts_s, series.bars, series.base_s)
    warm = steps.whole & np.isfinite(steps.vectors[:, LAST_DAY])
    numbers = np.flatnonzero(warm)
    answers: list[Answer] = []
    for begin in range(0, numbers.size, ROWS_MAX):
        chosen = numbers[begin : begin + ROWS_MAX]
        asked = [(instrument, steps.step(number, int(series.starts_s[steps.rows[number]]))) for number in chosen]
        answers += panel.answer(asked)
        tell(len(answers), numbers.size)
    return Judged(series, steps, walking.outcomes_of(series, steps), answers, numbers)


def decides(answer: Answer, weight_percent: int) -> bool:
    """Tell whether the models' own strategy enters on an answer, by the same fusion as in trading."""
    if answer.vetoed or answer.edge <= 0.0 or not weight_percent:
        return False
    voice = Voice(min(answer.edge / EDGE_FULL, 1.0), abs(2.0 * answer.chance - 1.0))
    return fusion.fuse({MODELS: voice}, {MODELS: float(weight_percent)}).allowed


def report(judged: Judged, weight_percent: int) -> dict[str, Any]:
    """Return every table of the judgement."""
    numbers, outcomes = judged.numbers, judged.outcomes
    times = judged.series.starts_s[judged.steps.rows[numbers]] + judged.series.base_s
    sound = np.array([not answer.vetoed for answer in judged.answers], np.bool_)
    known = sound & np.isfinite(outcomes.net[numbers])
    chance = np.array([answer.chance for answer in judged.answers])
    edge = np.array([answer.edge for answer in judged.answers])
    won = outcomes.won[numbers]
    entered = {
        "models, if they were followed": sound & (edge > 0.0),
        f"models, decided with weight {weight_percent} %": np.array(
            [decides(answer, weight_percent) for answer in judged.answers], np.bool_
        ),
        "last sign": judged.steps.vectors[numbers, LAST_DAY] > 0.0,
        "always in": np.ones(numbers.size, np.bool_),
        "flat": np.zeros(numbers.size, np.bool_),
    }
    regimes = np.array([answer.regime for answer in judged.answers])
    years = np.array([str(datetime.fromtimestamp(int(moment), UTC).year) for moment in times])
    return {
        "steps": int(numbers.size),
        "answered": int(sound.sum()),
        "vetoes": dict(Counter(answer.detail for answer in judged.answers if answer.vetoed)),
        "forecast": {"models": forecast(chance[known], won[known]), "base rate": base_rate(won[known])},
        "calibration": dict(scores.calibration(chance[known], won[known])._asdict()) if known.any() else {},
        "trading": trading(judged, times, entered),
        "by_year": grouped(years, known, chance, won),
        "by_regime": grouped(regimes, known, chance, won),
        "by_fee": by_fee(judged, times, entered),
    }


def forecast(chance: Floats, won: Floats) -> dict[str, float]:
    """Return how good forecasts were."""
    return {
        "brier": scores.brier(chance, won),
        "log_loss": scores.log_loss(chance, won),
        "rank_score": scores.rank_score(chance, won),
    }


def base_rate(won: Floats) -> dict[str, float]:
    """Return how good the share of wins itself, known in hindsight, would have been as a forecast."""
    return forecast(np.full(won.size, won.mean() if won.size else np.nan), won)


def grouped(groups: npt.NDArray[np.str_], known: Bools, chance: Floats, won: Floats) -> dict[str, dict[str, float]]:
    """Return the forecasts of each group."""
    table: dict[str, dict[str, float]] = {}
    for group in sorted(set(groups[known].tolist())):
        mine = known & (groups == group)
        table[group] = {"steps": int(mine.sum()), **forecast(chance[mine], won[mine])}
        table[group]["base_brier"] = base_rate(won[mine])["brier"]
    return table


def trading(judged: Judged, times: npt.NDArray[np.int64], entered: dict[str, Bools]) -> dict[str, dict[str, Any]]:
    """Return what each way of trading came to, net of costs."""
    made = {name: _walked(judged, times, choice, judged.outcomes) for name, choice in entered.items()}
    series = judged.series
    from_s = int(series.starts_s[0])
    to_s = int(series.starts_s[-1]) + (HORIZON_BARS + 1) * series.base_s
    daily = {name: walking.daily_returns(trades, from_s, to_s, series.base_s) for name, trades in made.items()}
    trials = np.array([scores.sharpe(days) for days in daily.values()])
    table = {name: walking.summary(made[name], days, trials) for name, days in daily.items()}
    held = series.bars[-1, 3] / series.bars[0, 0] - 1.0
    table["buy and hold"] = {"trades": 1, "net_return_sum": float(held - 2.0 * (walking.FEE + walking.SLIP))}
    return table


def by_fee(judged: Judged, times: npt.NDArray[np.int64], entered: dict[str, Bools]) -> dict[str, dict[str, float]]:
    """Return the summed net return of the same entries under other fees."""
    table: dict[str, dict[str, float]] = {}
    for fee in walking.FEES_TRIED:
        priced = walking.outcomes_of(judged.series, judged.steps, fee)
        table[f"{fee * 100:.2f} %"] = {
            name: float(_walked(judged, times, choice, priced).net.sum()) for name, choice in entered.items()
        }
    return table


def _walked(judged: Judged, times: npt.NDArray[np.int64], entered: Bools, priced: Outcomes) -> Trades:
    numbers = judged.numbers
    part = Outcomes(priced.net[numbers], priced.lasted_bars[numbers], priced.widths[numbers])
    return walking.walk(entered, times, part, judged.series.base_s)
