"""Model cards: what each model is, what it was taught, what it is worth, and where not to use it; plots as SVG."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from appliance.lab.scores import Calibration
from appliance.lab.walking import FEE, SLIP
from models.training import plan

Floats = npt.NDArray[np.float64]
WIDTH: Final = 640
HEIGHT: Final = 320
EDGE: Final = 40
KINDS: Final = {
    "trees": "Gradient boosting: 100 trees of depth 6 over 109 features of now.",
    "lstm": "LSTM, two layers of 128, with attention over sixteen hours of sixteen features.",
    "lstm-int8": "The LSTM with weights of eight bits: smaller and faster, the stand-in when the LSTM is refused.",
    "gru": "GRU, one layer of 64, over sixteen hours of sixteen features.",
    "tcn": "Temporal convolutions, 48 channels, dilations 1, 2, 4, over sixteen hours of sixteen features.",
    "transformer": "A small transformer, two layers of width 32, over sixteen hours of sixteen features.",
    "ar": "Autoregression of order 8 on hourly returns: the plainest baseline that is still a model.",
    "regime-trees": "Boosted trees that guess which of five regimes hindsight will name.",
    "regime-sequence": "A GRU that guesses which of five regimes hindsight will name.",
}


def polyline(points: list[tuple[float, float]], colour: str) -> str:
    """Return one curve in the unit square as SVG."""
    places = " ".join(
        f"{EDGE + x * (WIDTH - 2 * EDGE):.1f},{HEIGHT - EDGE - y * (HEIGHT - 2 * EDGE):.1f}" for x, y in points
    )
    return f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{places}"/>'


def drawing(title: str, curves: list[str], notes: tuple[str, str]) -> str:
    """Return a plot with its title and the words at its axes."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="13">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
        f'<rect x="{EDGE}" y="{EDGE}" width="{WIDTH - 2 * EDGE}" height="{HEIGHT - 2 * EDGE}" '
        f'fill="none" stroke="#999"/>'
        f'<text x="{EDGE}" y="24">{title}</text>'
        f'<text x="{WIDTH - EDGE}" y="{HEIGHT - 14}" text-anchor="end">{notes[0]}</text>'
        f'<text x="{EDGE}" y="{HEIGHT - 14}">{notes[1]}</text>' + "".join(curves) + "</svg>\n"
    )


def calibration_plot(name: str, curve: Calibration) -> str:
    """Return forecast against outcome; a perfect forecast lies on the grey line."""
    values = [*curve.forecast, *curve.observed]
    low, high = min(values) - 0.02, max(values) + 0.02
    points = [
        ((f - low) / (high - low), (o - low) / (high - low))
        for f, o in zip(curve.forecast, curve.observed, strict=True)
    ]
    shown = [polyline([(0.0, 0.0), (1.0, 1.0)], "#bbb"), polyline(points, "#06c")]
    return drawing(
        f"{name}: chance forecast and came true", shown, ("forecast", f"{low:.2f} to {high:.2f} on both axes")
    )


def wealth_plot(daily: dict[str, Floats], shown: dict[str, str]) -> str:
    """Return the summed net return of several ways of trading, day by day."""
    sums = {name: np.r_[0.0, np.cumsum(daily[name])] for name in shown}
    low, high = min(float(s.min()) for s in sums.values()), max(float(s.max()) for s in sums.values())
    curves = []
    for name, colour in shown.items():
        kept = sums[name][:: max(1, sums[name].size // 300)]
        scaled = (kept - low) / (high - low or 1.0)
        curves.append(polyline([(i / (kept.size - 1), float(y)) for i, y in enumerate(scaled)], colour))
    words = ", ".join(f"{name} {colour}" for name, colour in shown.items())
    return drawing(f"Summed net return: {words}", curves, ("days out of sample", f"{low:+.2f} to {high:+.2f}"))


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Return rows of figures as a Markdown table."""
    heads = list(next(iter(rows.values())))
    lines = ["| | " + " | ".join(head.replace("_", " ") for head in heads) + " |", "|---|" + "---|" * len(heads)]
    lines += [f"| {name} | " + " | ".join(_cell(row[head]) for head in heads) + " |" for name, row in rows.items()]
    return "\n".join(lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "-" if np.isnan(value) else f"{value:.4f}"
    return str(value)


def card(name: str, verdict: str, facts: dict[str, str], tables: dict[str, str], plots: list[str]) -> str:
    """Return one card; the first line is the verdict."""
    kind = f"\n{KINDS[name]}\n" if name in KINDS else ""
    lines = [verdict, "", f"# {name}", kind]
    lines += [f"- {key}: {value}" for key, value in facts.items()]
    for title, body in tables.items():
        lines += ["", f"## {title}", "", body]
    lines += ["", *(f"![{plot}]({plot})" for plot in plots)]
    lines += ["", "## Limits of use", "", LIMITS, ""]
    return "\n".join(lines)


LIMITS: Final = (
    "Trained on BTC/USDT and ETH/USDT spot bars of five minutes from one exchange, with holes; no order book was in "
    "them, so no model reads one. The question it answers: would a purchase at the next open, with barriers one day's "
    f"volatility away and an end after a day, make money after {FEE * 100:.2f} % fee and {SLIP * 100:.2f} % half "
    "spread and slippage each way? Other instruments, other bar lengths and other costs are out of its sample. Inputs "
    f"far outside of training's range are vetoed. The seed is {plan.SEED}."
)


def write(folder: Path, cards: dict[str, str], plots: dict[str, str]) -> None:
    """Write cards and plots."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (cards | plots).items():
        (folder / name).write_text(text, encoding="utf-8")
