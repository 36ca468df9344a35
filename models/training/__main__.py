"""`python -m models.training [--small] [--data DIR] [--out DIR] [--work DIR]`: from bars to signed models and cards."""

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from appliance.kernels.tree_shap import TreeNodes
from appliance.lab.walking import FEE, SLIP
from appliance.signals.models.installed import TRUSTED_KEY
from appliance.signals.models.joining import VOLATILITY
from models.training import (
    artifacts,
    cards,
    data,
    forecasts,
    judge,
    members,
    nets,
    plan,
    regime,
    sentinel,
    stack,
    trees,
)
from models.training.artifacts import Product
from models.training.forecasts import tell

Floats = npt.NDArray[np.float64]
ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("RECORDED_DATA", ROOT.parents[1] / "shared" / "data")) / "ohlcv"
WEIGHT_WITH_EDGE = 40
SPEED_RUNS = 300


@dataclass
class Run:
    """Hold what one training run has found so far."""

    size: plan.Size
    markets: list[data.Market]
    samples: data.Samples
    folds: list[data.Fold]
    shelf: forecasts.Shelf
    sentinel: dict[str, float]
    chances: dict[str, Floats]
    regimes: regime.Regimes
    verdict: judge.Verdict


def main() -> int:
    """Train, judge, write."""
    parser = argparse.ArgumentParser(prog="make train", description=__doc__)
    parser.add_argument("--small", action="store_true", help="a run of a few minutes on less data; nothing to ship")
    parser.add_argument(
        "--data", type=Path, default=DATA, help="folder of binance_spot_*_5m.parquet files (RECORDED_DATA)"
    )
    parser.add_argument("--out", type=Path, help="where models go (default: models/, or var/train/small)")
    parser.add_argument(
        "--work", type=Path, default=ROOT / "var/train", help="where finished parts and the key are kept"
    )
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    size = plan.SMALL if arguments.small else plan.FULL
    out: Path = arguments.out or (ROOT / "var/train/small" if arguments.small else ROOT / "models")
    out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    run = evaluate(size, arguments.data, arguments.work / "shelf")
    tell(run.verdict.sentence)
    products, notes = finish(run)
    document = decision_document(run)
    trusted = TRUSTED_KEY if out == ROOT / "models" else out / "trusted.pub"
    artifacts.write(out, products, run.samples, document, fingerprint(run), trusted, arguments.work)
    write_cards(out / "cards", run, products, notes, document)
    tell(f"written to {out} in {(time.monotonic() - began) / 60:.1f} minutes")
    return 0


def evaluate(size: plan.Size, folder: Path, shelf_folder: Path) -> Run:
    """Read, forecast out of fold, and judge."""
    tell(f"reading {folder}")
    markets = data.load(folder, size)
    samples = data.samples_of(markets)
    folds = data.folds_of(samples, size)
    tell(
        f"{samples.won.size} samples, {samples.won.mean():.3f} of them won; folds judge {[f.test.size for f in folds]}"
    )
    try:
        luck = sentinel.sentinel(samples, folds, lambda vectors, won: trees.train(vectors, won).predict)
    except sentinel.LeakFound as problem:
        sys.exit(f"nothing was written: {problem}; find the leak")
    tell(f"shuffled outcomes: rank score {luck['rank_score']:.4f}, {luck['errors']:.1f} errors from luck")
    shelf = forecasts.Shelf(shelf_folder, markets, size)
    chances = forecasts.out_of_fold(samples, folds, size, shelf)
    regimes = regime.train(markets, samples, folds[0].train, size)
    names = regimes.hidden.names
    judged = judge.stacked(samples, folds, chances, regimes.of_samples, names)
    verdict = judge.judge(markets, samples, judged, regimes.of_samples, names)
    return Run(size, markets, samples, folds, shelf, luck, chances, regimes, verdict)


def finish(run: Run) -> tuple[list[Product], dict[str, str]]:
    """Train every member on everything, and export; each file must answer as its framework does."""
    samples, everything = run.samples, np.arange(run.samples.won.size)
    checked = slice(0, min(plan.ROWS_CHECKED, samples.won.size))
    products: list[Product] = []
    notes: dict[str, str] = {}

    def add(name: str, kind: str, onnx: bytes, own: Floats, role: str, nodes: TreeNodes | None = None) -> None:
        gap = artifacts.distance(onnx, artifacts.inputs_of(kind, samples)[checked], own)
        if gap > artifacts.ONNX_TOLERANCE:
            sys.exit(f"{name}: the ONNX file answers {gap:g} away from the framework; nothing was written")
        outputs = 1 if own.ndim == 1 else own.shape[1]
        notes[name] = f"largest distance from the framework over {own.shape[0]} rows {gap:.1e}"
        products.append(Product(name, kind, onnx, outputs, role, "", nodes, artifacts.SELF_TEST_TOLERANCE))

    for name in members.MEMBERS:
        trained = members.train(name, samples, everything, samples.won, run.size)
        kind = "vector" if name == "trees" else "sequence"
        own = trained.predict(samples.vectors[checked], samples.sequences[checked])
        add(name, kind, trained.onnx(), own, "member", trained.nodes)
        tell(f"{name}: trained on everything, {notes[name]}")
    boosted, sequence = run.regimes.trees, run.regimes.sequence
    own = np.asarray(boosted.predict(samples.vectors[checked]))
    add("regime-trees", "vector", trees.to_onnx(boosted, samples.vectors.shape[1], plan.STATES), own, "regime")
    own = nets.predict(sequence, samples.sequences[checked])
    add("regime-sequence", "sequence", nets.to_onnx(sequence, samples.sequences.shape[2]), own, "regime")
    products.append(_int8(run, next(p for p in products if p.name == "lstm"), notes, checked))
    return products, notes


def _int8(run: Run, whole: Product, notes: dict[str, str], checked: slice) -> Product:
    """Return the LSTM in eight bits, its loss stated; the other nets are too small for it to pay."""
    with tempfile.TemporaryDirectory() as folder:
        onnx = artifacts.to_int8(whole.onnx, Path(folder))
    rows, won = run.samples.sequences[checked], run.samples.won[checked]
    answers = [artifacts.run_onnx(one, rows)[:, 0] for one in (whole.onnx, onnx)]
    briers = [float(np.mean((answer - won) ** 2)) for answer in answers]
    gap = np.abs(answers[1] - answers[0])
    notes["lstm-int8"] = (
        f"differs from the LSTM by {gap.mean():.5f} on average, {gap.max():.4f} at most; "
        f"Brier on its training data {briers[1]:.5f} against {briers[0]:.5f}; "
        f"{len(onnx)} bytes against {len(whole.onnx)}"
    )
    tell(f"lstm-int8: {notes['lstm-int8']}")
    return Product("lstm-int8", whole.kind, onnx, 1, "stand-in", "lstm", None, artifacts.INT8_TOLERANCE)


def decision_document(run: Run) -> dict[str, Any]:
    """Return the decision file: the stack over all that was judged, the regimes, the ranges, the costs."""
    samples, hidden = run.samples, run.regimes.hidden
    chances = np.column_stack([run.chances[name] for name in members.MEMBERS])
    judged = np.flatnonzero(~np.isnan(chances).any(axis=1))
    fitted = stack.fit(
        chances[judged],
        samples.won[judged],
        run.regimes.of_samples[judged],
        hidden.names,
        stack.ratios_of(samples.net, samples.widths),
    )
    volatility = np.concatenate([market.steps.vectors[:, VOLATILITY] for market in run.markets])
    return {
        "verdict": run.verdict.sentence,
        "weight_percent": WEIGHT_WITH_EDGE if run.verdict.edge_found else 0,
        "costs": {"fee": FEE, "slip": SLIP},
        "trained_from_s": int(samples.times_s[0]),
        "trained_until_s": int(samples.times_s[-1]),
        "stack": fitted.document(members.MEMBERS),
        "regime": {
            "columns": list(plan.REGIME_COLUMNS),
            "names": list(hidden.names),
            **{key: np.asarray(value).tolist() for key, value in list(hidden._asdict().items())[1:]},
        },
        "ranges": artifacts.ranges_of(samples),
        "usual_volatility": float(np.nanmedian(volatility)),
    }


def fingerprint(run: Run) -> str:
    """Return the SHA-256 over the hashes of the training files, in order."""
    return hashlib.sha256("".join(market.sha256 for market in run.markets).encode()).hexdigest()


def write_cards(
    folder: Path, run: Run, products: list[Product], notes: dict[str, str], document: dict[str, Any]
) -> None:
    """Write a card for each model and one for the whole decision."""
    verdict, tables = run.verdict, run.verdict.tables
    facts = {
        "data": ", ".join(
            f"{m.file} (sha256 {m.sha256[:16]}…, {m.series.starts_s.size} bars, {m.series.holes_count} missing)"
            for m in run.markets
        ),
        "bars": " to ".join(
            str(np.datetime64(int(moment), "s")) for moment in (run.samples.times_s[0], run.samples.times_s[-1])
        ),
        "judged": f"walk-forward in {len(run.folds)} folds, purged by a day and embargoed by another",
        "leak sentinel": f"rank score {run.sentinel['rank_score']:.4f} on shuffled outcomes, "
        f"{run.sentinel['errors']:.1f} standard errors from luck (4 stop the build)",
        "trials deflated for": str(len(verdict.curves)),
    }
    written: dict[str, str] = {}
    plots = {"stack-wealth.svg": cards.wealth_plot(verdict.daily, {"stack": "blue", "buy and hold": "orange"})}
    for product in products:
        own = facts | {"file": f"{product.name}.onnx, {len(product.onnx)} bytes", "check": notes[product.name]}
        if product.name not in verdict.curves:
            written[f"{product.name}.md"] = cards.card(product.name, _bare(product), own, {}, [])
            continue
        plot = f"{product.name}-calibration.svg"
        plots[plot] = cards.calibration_plot(product.name, verdict.curves[product.name])
        rows = {
            "Forecast, out of sample": {name: tables["forecast"][name] for name in (product.name, "base rate")},
            "Traded alone, net of costs": {name: tables["trading"][name] for name in (product.name, "flat")},
        }
        shown = {title: cards.table(body) for title, body in rows.items()}
        written[f"{product.name}.md"] = cards.card(product.name, _alone(product.name, verdict), own, shown, [plot])
    plots["stack-calibration.svg"] = cards.calibration_plot("stack", verdict.curves["stack"])
    titles = {
        "forecast": "Forecasts, out of sample",
        "trading": "Traded, net of costs",
        "by_year": "The stack, year by year",
        "by_regime": "The stack, regime by regime",
        "by_fee": "Summed net return by fee a side",
    }
    shown = {title: cards.table(tables[key]) for key, title in titles.items()}
    facts["weight"] = f"{document['weight_percent']} % in decisions"
    written["stack.md"] = cards.card(
        "stack", verdict.sentence, facts, shown, ["stack-wealth.svg", "stack-calibration.svg"]
    )
    cards.write(folder, written, plots)
    (folder / "figures.json").write_text(json.dumps(tables, indent=1, default=str).replace("NaN", "null") + "\n")


def _alone(name: str, verdict: judge.Verdict) -> str:
    traded, forecast = verdict.tables["trading"][name], verdict.tables["forecast"]
    sure = traded["sharpe_deflated_probability"] >= judge.PROBABILITY_MIN
    claim = "shows an edge" if sure and traded["net_return_sum"] > 0.0 else "shows no edge"
    return (
        f"Alone, this model {claim} after costs: {traded['trades']} trades, {traded['net_return_sum'] * 100:+.1f} % "
        f"summed net return; Brier {forecast[name]['brier']:.4f} against "
        f"{forecast['base rate']['brier']:.4f} for the base rate."
    )


def _bare(product: Product) -> str:
    if product.role == "regime":
        return "This model forecasts no price: it only names the market's state, and makes no claim about profit."
    return "This file stands in for another model and has no edge of its own to claim."


if __name__ == "__main__":
    sys.exit(main())
