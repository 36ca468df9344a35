"""`appliance evaluate` runs the installed models over a file of bars and tells what they are worth, net of costs."""

import argparse
import json
import math
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from appliance.core.clock import NANOSECONDS_PER_SECOND, SystemClock
from appliance.lab import evaluation
from appliance.lab.ohlcv import BarFileError, read_bars, resampled
from appliance.lab.walking import FEE, SLIP
from appliance.signals.feature_table import BASE_BAR_S
from appliance.signals.models.installed import models_folder, trusted_key
from appliance.signals.models.panel import Panel
from appliance.signals.models.registry import load

TRIAL_PERCENT = 20
FAR_FUTURE_S = 2**40
TELL_NS = 2 * NANOSECONDS_PER_SECOND


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument(
        "--ohlcv", type=Path, required=True, metavar="FILE", help="bars of 300 s or shorter, CSV or Parquet"
    )
    parser.add_argument("--from", dest="from_", metavar="DATE", help="first day, such as 2025-01-31 (UTC)")
    parser.add_argument("--to", metavar="DATE", help="the day after the last")
    parser.add_argument("--models", type=Path, metavar="DIR", help="another folder of models than the installed ones")
    parser.add_argument("--trial", action="store_true", help="decide with the trial weight instead of the earned one")
    parser.add_argument("--json", action="store_true", help="print every table as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and print."""
    registry = load(arguments.models or models_folder(), trusted_key())
    whole = read_bars(arguments.ohlcv)
    series = resampled(whole, BASE_BAR_S).between(_day(arguments.from_, 0), _day(arguments.to, FAR_FUTURE_S))
    if not series.starts_s.size:
        raise BarFileError(f"{arguments.ohlcv} holds no bars between the given days")
    judged = evaluation.answers_for(Panel(registry, explaining=False), series, arguments.ohlcv.stem, _progress())
    earned = registry.described.weight_percent
    weight = max(earned, TRIAL_PERCENT) if arguments.trial else earned
    document = {
        "file": str(arguments.ohlcv),
        "from": _moment(int(series.starts_s[0])),
        "to": _moment(int(series.starts_s[-1])),
        "bars": int(series.starts_s.size),
        "bars_missing": series.holes_count,
        "models": registry.fingerprint,
        "refused": registry.refused,
        "trained_from": _moment(registry.joined.trained_from_s),
        "trained_until": _moment(registry.joined.trained_until_s),
        "in_sample": (
            int(series.starts_s[0]) <= registry.joined.trained_until_s
            and int(series.starts_s[-1]) >= registry.joined.trained_from_s
        ),
        "weight_percent": weight,
        "costs": {"fee_a_side": FEE, "spread_and_slippage_a_side": SLIP},
        **evaluation.report(judged, weight),
    }
    if arguments.json:
        print(json.dumps(_plain(document)))
    else:
        _print(document)
    return 1 if registry.refused else 0


def _day(text: str | None, otherwise_s: int) -> int:
    if text is None:
        return otherwise_s
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BarFileError(f"{text} is not a day; write it as 2025-01-31") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _progress() -> Any:  # noqa: ANN401 - a function of two counts
    clock = SystemClock()
    told_ns = [clock.monotonic_ns()]

    def tell(done: int, of: int) -> None:
        if clock.monotonic_ns() - told_ns[0] >= TELL_NS:
            told_ns[0] = clock.monotonic_ns()
            print(f"evaluate: {done:,} of {of:,} steps", file=sys.stderr)

    return tell


def _plain(value: Any) -> Any:  # noqa: ANN401 - any document
    """Return a document in which what is not a number is null: JSON knows no NaN."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _print(document: dict[str, Any]) -> None:
    print(f"{document['file']}: {document['from']} to {document['to']}")
    print(f"{document['bars']:,} bars, {document['bars_missing']:,} missing; {document['steps']:,} steps asked about")
    if document["in_sample"]:
        span = f"{document['trained_from']} to {document['trained_until']}"
        print(f"IN SAMPLE: the models learned from bars of {span}; what lies in there flatters them")
    for reason, count in document["vetoes"].items():
        print(f"  vetoed {count:,}: {reason}")
    for title in ("forecast", "trading", "by_year", "by_regime", "by_fee"):
        print(f"\n{title.replace('_', ' ')}")
        for name, line in document[title].items():
            print(f"  {name:<38} " + "  ".join(f"{key} {_shown(value)}" for key, value in line.items()))
    for name, reason in document["refused"].items():
        print(f"REFUSED {name}: {reason}")


def _shown(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
