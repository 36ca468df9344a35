"""`appliance logs`: the story of one decision in time order, from a journal or from lines published or logged.

A trace is the number of the tick that led to an order. It stands in every row of the order's life, in the messages over
MQTT and in the log's field BOT4_TRACE, so one number finds all of them.
"""

import argparse
import datetime as dt
import sqlite3
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND
from appliance.core.errors import ConfigError, StoreFailure
from appliance.core.records import Row
from appliance.reporting.mqtt.payloads import trace_text
from appliance.reporting.story import entry_of
from appliance.store.database import failure_of, read_only
from appliance.store.paths import add_journal_options, journal_of
from appliance.venues.simulator.instruments import BUILT_IN
from appliance.wire.report import Grid

_LINES_MAX = 10_000_000
_LINE_BYTES_MAX = 256 << 10
_HEX_DIGITS = 16
_WALL_NS_MAX = 2**63 - 1
_GRIDS = {one.symbol: Grid(one.symbol, one.tick, one.lot) for one in BUILT_IN}


class Told(msgspec.Struct, frozen=True):
    """Carry one line of a story."""

    wall_ns: int
    trace: str
    sequence: int | None
    kind: str
    title: str
    detail: str


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    add_journal_options(parser)
    parser.add_argument(
        "--from",
        dest="exported",
        metavar="FILE",
        help="read lines of JSON instead, of `journalctl -o json` or `mosquitto_sub -F %%p`; - is standard input",
    )
    parser.add_argument(
        "--trace", metavar="ID", help="only this trace: 16 hexadecimal digits, or 0t and a decimal number"
    )
    parser.add_argument(
        "--last", type=int, default=20, metavar="N", help="without --trace: the last lines (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print each line as a JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Tell the story and whether there was one."""
    wanted = None if arguments.trace is None else _trace(arguments.trace)
    if arguments.exported is not None:
        found = _exported(arguments.exported, wanted)
    else:
        found = _stored(journal_of(arguments), wanted)
    if wanted is None:
        found = iter(deque(found, maxlen=max(arguments.last, 1)))
    told = sorted(found, key=lambda one: (one.wall_ns, one.sequence or 0))
    before_ns = told[0].wall_ns if told else 0
    for one in told:
        print(
            msgspec.json.encode(one).decode() if arguments.json else line_of(one, before_ns, alone=wanted is not None)
        )
        before_ns = one.wall_ns
    if not told:
        print(f"appliance: nothing is known of {arguments.trace or 'any trace'} there", file=sys.stderr)
    return 0 if told else 1


def _trace(text: str) -> str:
    if text.startswith("0t") and text[2:].isdecimal():
        return trace_text(int(text[2:]))
    if len(text) == _HEX_DIGITS and all(letter in "0123456789abcdef" for letter in text.lower()):
        return text.lower()
    raise ConfigError(f"--trace {text} is not a trace: copy the 16 hexadecimal digits that `appliance logs` shows")


def _stored(journal: Path, wanted: str | None) -> Iterator[Told]:
    if not journal.exists():
        raise StoreFailure(
            f"{journal} does not exist; name a journal or a backup with --journal, or its folder with --state"
        )
    query = "SELECT sequence, wall_ns, trace, kind, payload FROM rows WHERE kind != 'equity' "
    query += "ORDER BY sequence" if wanted is None else "AND trace = ? ORDER BY sequence"
    connection = read_only(journal)
    try:
        for stored in connection.execute(query, () if wanted is None else (int(wanted, 16),)):
            row = Row(*stored)
            entry = entry_of(row, _GRIDS)
            yield Told(row.wall_ns, trace_text(row.trace), row.sequence, row.kind, entry.title, entry.detail)
    except sqlite3.Error as problem:
        raise failure_of(problem) from problem
    finally:
        connection.close()


def _exported(name: str, wanted: str | None) -> Iterator[Told]:
    if name == "-":
        yield from parsed(sys.stdin.buffer, wanted)
        return
    try:
        with Path(name).open("rb") as file:
            yield from parsed(file, wanted)
    except OSError as problem:
        raise ConfigError(f"{name} cannot be read: {problem.strerror}") from problem


def parsed(lines: Iterable[bytes], wanted: str | None) -> Iterator[Told]:
    """Yield what lines of JSON tell of a trace, or of all, passing over lines of other programs."""
    for number, line in enumerate(lines):
        if number >= _LINES_MAX:
            raise ConfigError(f"more than {_LINES_MAX:,} lines; cut out the days in question")
        if len(line) > _LINE_BYTES_MAX or not line.strip():
            continue
        try:
            document = msgspec.json.decode(line)
        except (ValueError, RecursionError):
            continue  # an export may hold lines of other programs, and damaged ones
        told = _told(document) if isinstance(document, dict) else None
        if told is not None and wanted in {None, told.trace} and 0 <= told.wall_ns <= _WALL_NS_MAX:
            yield told


def _told(document: dict[str, Any]) -> Told | None:
    """Return what one exported line tells: a message of ours, or an entry of the system's journal."""
    try:
        if "BOT4_TRACE" in document:
            return Told(
                int(document["BOT4_WALL_NS"]),
                str(document["BOT4_TRACE"]),
                int(document["BOT4_SEQUENCE"]),
                str(document["BOT4_KIND"]),
                str(document["MESSAGE"]),
                str(document.get("BOT4_DETAIL", "")),
            )
        texts = (str(document[key]) for key in ("kind", "title", "detail"))
        return Told(int(document["wall_ns"]), str(document["trace"]), int(document["sequence"]), *texts)
    except (KeyError, TypeError, ValueError):
        return None


def line_of(one: Told, before_ns: int, *, alone: bool) -> str:
    """Return one line as a person reads it; within a story with the distance in time from the line before."""
    when = dt.datetime.fromtimestamp(one.wall_ns // NANOSECONDS_PER_SECOND, dt.UTC)
    millis = one.wall_ns % NANOSECONDS_PER_SECOND // NANOSECONDS_PER_MILLISECOND
    after_ms = (one.wall_ns - before_ns) / NANOSECONDS_PER_MILLISECOND
    head = f"+{after_ms:>10,.1f} ms" if alone else one.trace
    detail = f"  ({one.detail})" if one.detail else ""
    return f"{when:%Y-%m-%d %H:%M:%S}.{millis:03d}Z {head} {one.sequence:>8} {one.kind:<11} {one.title}{detail}"
