"""`appliance indicators` lists the catalogue, explains one indicator, or computes one over a file of bars."""

import argparse
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from appliance.core.errors import IndicatorError
from appliance.market.bar_table import PRICES, VOLUME, read_market
from appliance.signals.indicators.catalogue import CATALOGUE, Wanted, find, fuse
from appliance.signals.indicators.compute import run as compute
from appliance.signals.indicators.table import Row


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="explain this one instead of listing all")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON document")
    form.add_argument("--markdown", action="store_true", help="print the whole catalogue as a page")
    parser.add_argument(
        "--bars", type=Path, metavar="FILE", help="compute NAME over bars as CSV or Parquet: a time and OHLCV"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="PARAMETER=VALUE", help="with --bars: instead of the default"
    )


def run(arguments: argparse.Namespace) -> int:
    """List, explain or compute."""
    if arguments.bars is not None:
        _compute(arguments)
    elif arguments.name is not None:
        _explain(find(arguments.name), as_json=arguments.json)
    elif arguments.json:
        print(json.dumps([described(row) for row in CATALOGUE.values()], indent=1))
    elif arguments.markdown:
        print("\n".join(page()))
    else:
        for row in CATALOGUE.values():
            print(f"{row.name:<20} {row.family:<11} {row.sentence}")
        print(f"{len(CATALOGUE)} indicators; `appliance indicators NAME` explains one.")
    return 0


def described(row: Row) -> dict[str, Any]:
    """Return all that is known of an indicator; the warm-up is that of its defaults."""
    return {
        "name": row.name,
        "family": row.family,
        "inputs": row.inputs.split(),
        "parameters": [parameter._asdict() for parameter in row.parameters],
        "outputs": row.outputs.split(),
        "warm_up_rows": list(fuse((Wanted(row.name),)).program.warm_up_rows),
        "formula": row.sentence,
        "oracle": row.oracle,
    }


def page() -> Iterator[str]:
    """Yield the catalogue as Markdown."""
    yield "# Indicators"
    yield ""
    yield f"{len(CATALOGUE)} indicators. Warm-up: rows before the first value, with the defaults."
    for family in dict.fromkeys(row.family for row in CATALOGUE.values()):
        yield from ("", f"## {family.capitalize()}", "", "| name | inputs | parameters | outputs | warm-up | formula |")
        yield "|---|---|---|---|---|---|"
        for row in CATALOGUE.values():
            if row.family == family:
                parameters = ", ".join(f"{p.name} {p.default:g} ({p.least:g} to {p.most:g})" for p in row.parameters)
                warm = "/".join(map(str, dict.fromkeys(fuse((Wanted(row.name),)).program.warm_up_rows)))
                yield f"| `{row.name}` | {row.inputs} | {parameters} | {row.outputs} | {warm} | {row.sentence} |"


def _explain(row: Row, *, as_json: bool) -> None:
    about = described(row)
    if as_json:
        print(json.dumps(about, indent=1))
        return
    print(f"{row.name} ({row.family}): {row.sentence}")
    print(f"  inputs     {', '.join(about['inputs'])}")
    for parameter in row.parameters:
        what = "whole number" if parameter.whole else "number"
        bounds = f"{parameter.least:g} to {parameter.most:g}"
        print(f"  parameter  {parameter.name} = {parameter.default:g}, {what} from {bounds}")
    for output, warm in zip(about["outputs"], about["warm_up_rows"], strict=True):
        print(f"  output     {output}, after {warm} rows")


def _compute(arguments: argparse.Namespace) -> None:
    if arguments.name is None:
        raise IndicatorError("--bars needs the NAME of what to compute.")
    given = dict(_setting(text) for text in arguments.set)
    fused = fuse((Wanted(arguments.name, given),))
    columns = _columns(arguments.bars, fused.program.inputs)
    values = compute(fused, columns)
    if arguments.json:
        known = [[None if math.isnan(value) else value for value in row] for row in values.tolist()]
        print(json.dumps(dict(zip(fused.names, known, strict=True))))
        return
    print(",".join(fused.names))
    for row in values.T.tolist():
        print(",".join("" if math.isnan(value) else repr(value) for value in row))


def _setting(text: str) -> tuple[str, float]:
    name, separator, value = text.partition("=")
    try:
        return name, float(value) if separator else math.nan
    except ValueError as problem:
        raise IndicatorError(f"--set {text} must be written PARAMETER=VALUE, as in length=20.") from problem


def _columns(path: Path, names: tuple[str, ...]) -> dict[str, npt.NDArray[np.float64]]:
    known = {*PRICES, VOLUME}
    table, more = read_market(path, tuple(name for name in names if name not in PRICES))
    return {name: getattr(table, name) if name in known else more[name] for name in names}
