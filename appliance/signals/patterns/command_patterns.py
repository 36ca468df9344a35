"""`appliance patterns` lists the chart patterns, candlesticks and levels in a file of bars."""

import argparse
from pathlib import Path
from typing import Final

import msgspec

from appliance.core.errors import ConfigError
from appliance.market.bar_table import BarTable, moment_ms, read_market, written
from appliance.signals.patterns.finder import QUALITY_MIN
from appliance.signals.patterns.survey import KINDS, Survey, survey

SHOWN: Final = 40
ARROWS: Final = {-1: "down", 0: "-", 1: "up"}
DEFAULT_KINDS: Final = ("reversal", "lines", "pole", "harmonic", "Elliott", "levels", "fibonacci")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument("file", type=Path, metavar="FILE", help="bars as CSV or Parquet: a time and OHLCV")
    add_range(parser)
    add_kinds(parser, DEFAULT_KINDS)
    parser.add_argument("--limit", type=int, default=SHOWN, metavar="N", help=f"the newest so many of each ({SHOWN})")
    parser.add_argument("--json", action="store_true", help="print everything found as one JSON document")


def add_range(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose bars."""
    parser.add_argument("--from", dest="start", metavar="TIME", help="first moment, ISO 8601 in UTC")
    parser.add_argument("--to", dest="end", metavar="TIME", help="moment after the last")


def add_kinds(parser: argparse.ArgumentParser, default: tuple[str, ...]) -> None:
    """Add the options that choose what is found."""
    told = f"what to find, with commas between: {', '.join(KINDS)}, all or none ({','.join(default)})"
    parser.add_argument("--patterns", metavar="KINDS", default=",".join(default), help=told)
    quality = f"the least quality, from 0 to 1 ({QUALITY_MIN})"
    parser.add_argument("--quality", type=float, default=QUALITY_MIN, metavar="Q", help=quality)


def chosen_kinds(arguments: argparse.Namespace) -> tuple[str, ...]:
    """Return the kinds that were asked for."""
    words = [word for word in arguments.patterns.split(",") if word]
    if words in (["all"], ["none"]):
        return KINDS if words == ["all"] else ()
    wrong = [word for word in words if word not in KINDS]
    if wrong:
        raise ConfigError(f"no kind of pattern is named {', '.join(wrong)}; there are {', '.join(KINDS)}, all and none")
    if not 0.0 <= arguments.quality <= 1.0:
        raise ConfigError(f"--quality is from 0 to 1, not {arguments.quality}")
    return tuple(words)


def chosen_bars(arguments: argparse.Namespace) -> BarTable:
    """Return the bars of the file between the moments that were asked for."""
    table, _ = read_market(arguments.file)
    places = []
    for text, default in ((arguments.start, 0), (arguments.end, len(table.time_ms))):
        try:
            places.append(default if text is None else int(table.time_ms.searchsorted(moment_ms(text))))
        except (ValueError, OverflowError) as problem:
            raise ConfigError(f"{text} is no moment; write it like 2024-05-31 or 2024-05-31T12:00") from problem
    part = table.between(*places)
    if len(part.time_ms) == 0:
        raise ConfigError(f"{arguments.file} has no bar in that time; it has {len(table.time_ms)} in all")
    return part


def run(arguments: argparse.Namespace) -> int:
    """Print what was found."""
    kinds = chosen_kinds(arguments)
    if arguments.limit < 1:
        raise ConfigError(f"--limit is at least 1, not {arguments.limit}")
    table = chosen_bars(arguments)
    found = survey(table, kinds, arguments.quality)
    if arguments.json:
        document = {"bars": len(table.time_ms), "times_ms": table.time_ms.tolist(), **msgspec.to_builtins(found)}
        print(msgspec.json.encode(document).decode())
    else:
        _print(found, table, arguments.limit)
    return 0


def _print(found: Survey, table: BarTable, limit: int) -> None:
    times = [written(time) for time in table.time_ms[[0, -1]].tolist()]
    print(f"{len(table.time_ms)} bars, {times[0]} to {times[1]} UTC")
    print(f"\n{len(found.shapes)} shapes{_newest(len(found.shapes), limit)}")
    for match in found.shapes[-limit:]:
        start, known = written(int(table.time_ms[match.bars[0]])), written(int(table.time_ms[match.known_bar]))
        print(
            f"  {match.name:<27} {start}, known {known}  {ARROWS[match.direction]:<4}"
            f"  quality {match.quality:.2f}  ends at {match.ends_at:,.6g}"
        )
    if found.candles:
        print(f"\n{len(found.candles)} candlesticks{_newest(len(found.candles), limit)}")
    for candle in found.candles[-limit:]:
        print(f"  {candle.words:<27} {written(int(table.time_ms[candle.bar]))}  {candle.strength:+d}")
    if found.levels:
        print("\nlevels after the last bar")
    for level in sorted(found.levels, key=lambda level: -level.price):
        print(
            f"  {level.kind:<27} {level.price:>14,.6g}  {ARROWS[level.direction]:<4}  touched {level.touches}"
            f"  quality {level.quality:.2f}  ends at {level.ends_at:,.6g}"
        )


def _newest(count: int, limit: int) -> str:
    return f", the newest {limit}:" if count > limit else ":" if count else ""
