"""`appliance quality` judges a file of bars as the trader judges its own, and says where not to believe them."""

import argparse
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND
from appliance.core.errors import ConfigError
from appliance.market.bar_table import BarTable, read_bars, written
from appliance.market.bars import Bar
from appliance.market.quality.watch import QualityWatch

# Prices and volumes of a file become whole numbers of this part.
PARTS: Final = 100_000_000
NUMBER_MAX: Final = 2**62 // PARTS
SHOWN: Final = 20


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument("file", type=Path, metavar="FILE", help="bars as CSV or Parquet: a time and OHLCV")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Judge the bars in order; the exit code is 1 when some may not be opened on."""
    table = read_bars(arguments.file)
    if len(table.time_ms) < 2:  # noqa: PLR2004 - a length of bar needs two of them
        raise ConfigError(f"{arguments.file} has {len(table.time_ms)} bars; it takes two to know their length")
    bar_ms = int(np.median(np.diff(table.time_ms)))
    watch = QualityWatch(bar_ms * NANOSECONDS_PER_MILLISECOND)
    for place in range(len(table.time_ms)):
        bar = _bar(table, place, bar_ms)
        watch.update(bar, bar.start_ns)
    found = watch.summary()
    if arguments.json:
        print(msgspec.json.encode(found).decode())
        return 1 if found.unusable_bars else 0
    print(f"{found.bars} bars of {bar_ms / 1000:g} s; {found.unusable_bars} not to be opened on")
    print(f"score {found.score:.3f} at the end, {found.mean_score:.3f} in the mean")
    print("least of each dimension: " + ", ".join(f"{name} {part:.2f}" for name, part in found.worst.items()))
    if found.alerts:
        print("alerts: " + ", ".join(f"{count} × {name}" for name, count in sorted(found.alerts.items())))
    for start_ns, dimension, gravity, reason in found.newest[-SHOWN:]:
        moment = written(start_ns // NANOSECONDS_PER_MILLISECOND)
        print(f"  {moment}  {dimension:<10} {gravity:<4}  {reason}".rstrip())
    return 1 if found.unusable_bars else 0


def _bar(table: BarTable, place: int, bar_ms: int) -> Bar:
    time_ms = int(table.time_ms[place])
    missing = round((time_ms - int(table.time_ms[place - 1])) / bar_ms) - 1 if place else 0
    prices = (table.open, table.high, table.low, table.close, table.volume)
    open_, high, low, close, volume = (_whole(float(column[place])) for column in prices)
    start_ns = time_ms * NANOSECONDS_PER_MILLISECOND
    return Bar("", start_ns, open_, high, low, close, volume, 1, max(0, missing))


def _whole(number: float) -> int:
    """Return a number in parts; what is none becomes zero, which no price may be."""
    return round(number * PARTS) if 0.0 < number < NUMBER_MAX else 0
