"""`appliance chart` draws a file of bars, lines over them and the patterns found in them as SVG."""

import argparse
from pathlib import Path
from typing import Final

from appliance.core.errors import ConfigError
from appliance.signals.patterns.chart import draw
from appliance.signals.patterns.command_patterns import add_kinds, add_range, chosen_bars, chosen_kinds
from appliance.signals.patterns.overlays import overlays
from appliance.signals.patterns.survey import survey
from appliance.signals.patterns.svg import THEMES

BARS_SHOWN: Final = 240
BARS_MAX: Final = 1500
DEFAULT_KINDS: Final = ("reversal", "lines", "pole", "harmonic", "Elliott", "levels")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument("file", type=Path, metavar="FILE", help="bars as CSV or Parquet: a time and OHLCV")
    parser.add_argument("--out", type=Path, required=True, metavar="CHART.svg", help="where to write the chart")
    add_range(parser)
    lines = "lines over the bars, like sma:20,ema:50,bollinger:20"
    parser.add_argument("--indicators", default="", metavar="LINES", help=lines)
    add_kinds(parser, DEFAULT_KINDS)
    parser.add_argument("--theme", choices=THEMES, default="auto", help="colours; auto follows the reader's")
    parser.add_argument("--title", help="the heading (the file's name)")


def run(arguments: argparse.Namespace) -> int:
    """Write the chart; without a range it shows the last bars."""
    kinds = chosen_kinds(arguments)
    table = chosen_bars(arguments)
    if arguments.start is None and arguments.end is None:
        table = table.between(max(0, len(table.close) - BARS_SHOWN), len(table.close))
    if len(table.close) > BARS_MAX:
        raise ConfigError(
            f"{len(table.close)} bars are too many to see; choose at most {BARS_MAX} with --from and --to"
        )
    found = survey(table, kinds, arguments.quality)
    lines = list(overlays(arguments.indicators, table))
    svg = draw(table, arguments.title or arguments.file.stem, lines, found, arguments.theme)
    try:
        arguments.out.write_text(svg + "\n")
    except OSError as problem:
        raise ConfigError(f"{arguments.out} cannot be written ({problem.strerror}); choose another place") from problem
    print(f"{arguments.out}: {len(table.close)} bars, {len(found.shapes)} shapes, {len(found.candles)} candlesticks")
    return 0
