"""Read a table of bars: CSV with the standard library, Parquet with pyarrow where that is installed.

A column is found by its name, in any case: a time (`date`, `time`, `timestamp`, `open_time` or `datetime`; ISO 8601, or
seconds, milliseconds, microseconds or nanoseconds since 1970; UTC), open, high, low, close, and volume if there is one.

This is the only reader of bars; every command takes its bars from here. `read_bars` refuses what is no table in order
of time; what its bars say is for the judge of their quality. `read_market` refuses, by the number of the bar, what no
market can have said. Missing bars are holes, and no error: who reads on knows them by their times. A cell that is
empty or says `nan` is not known, and no error either.
"""

import csv
import io
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from appliance.core.bounded_file import FileRead, read_bounded
from appliance.core.errors import ConfigError

BYTES_MAX: Final = 512 * 1024**2
ROWS_MAX: Final = 20_000_000
TIMES: Final = ("date", "time", "timestamp", "open_time", "datetime")
PRICES: Final = ("open", "high", "low", "close")
VOLUME: Final = "volume"
# A number from here on is in milliseconds, as seconds it would lie beyond the year 5000; a thousand times as much is in
# microseconds, and a thousand times that in nanoseconds.
MS_FROM: Final = 10**11
US_FROM: Final = 10**14
NS_FROM: Final = 10**17
MS_PER_SECOND: Final = 1000
# The year 10000, from which no moment can be written; and what no price or volume in any currency reaches.
TIME_MS_MAX: Final = 253_402_300_800_000
NUMBER_MAX: Final = 1e15

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class BarTable(NamedTuple):
    """Hold columns of bars; times are milliseconds since 1970."""

    time_ms: Integers
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def between(self, start: int, end: int) -> "BarTable":
        """Return the bars from one number up to another."""
        part = slice(start, end)
        prices = self.open[part], self.high[part], self.low[part], self.close[part]
        return BarTable(self.time_ms[part], *prices, self.volume[part])


def read_bars(path: Path) -> BarTable:
    """Return the bars in a file, or raise a sentence that says what is wrong with it."""
    return _read(path, ())[0]


def read_market(path: Path, more: Sequence[str] = ()) -> tuple[BarTable, dict[str, Floats]]:
    """Return the bars in a file and further columns of it, refusing what no market can have had."""
    table, further = _read(path, more)
    _refuse_impossible(path, table)
    return table, further


def _read(path: Path, more: Sequence[str]) -> tuple[BarTable, dict[str, Floats]]:
    read = read_bounded(path, BYTES_MAX)
    if not isinstance(read, FileRead):
        raise ConfigError(f"{path} {read.reason}; give a CSV or Parquet file of bars")
    if not read.data.strip():
        raise ConfigError(f"{path} is empty; it needs a heading and bars")
    columns = _parquet(path, read.data, more) if path.suffix.lower() == ".parquet" else _csv(path, read.data, more)
    table = BarTable(columns.time_ms, *columns.numbers[: len(PRICES) + 1])
    _check(path, table)
    return table, dict(zip(more, columns.numbers[len(PRICES) + 1 :], strict=True))


def _check(path: Path, table: BarTable) -> None:
    if len(table.time_ms) == 0:
        return
    if len(table.time_ms) > ROWS_MAX:
        raise ConfigError(f"{path} holds more than {ROWS_MAX:,} bars; give a part of it")
    steps = np.diff(table.time_ms, prepend=table.time_ms[0] - 1)
    _refuse_first(path, np.equal(steps, 0), "has the same time as the one before; remove the duplicate")
    _refuse_first(path, np.less(steps, 0), "is earlier than the one before; sort the bars by time")
    if table.time_ms[0] < 0 or table.time_ms[-1] >= TIME_MS_MAX:
        raise ConfigError(f"{path} has a time before 1970 or after the year 9999; give seconds or milliseconds")
    for name, column in zip((*PRICES, VOLUME), table[1:], strict=True):
        if np.abs(column[np.isfinite(column)]).max(initial=0.0) > NUMBER_MAX:
            raise ConfigError(f"{path} has a {name} above {NUMBER_MAX:g}; no market has")


def _refuse_impossible(path: Path, table: BarTable) -> None:
    """Refuse what cannot be; what is not a number compares false and passes."""
    prices = np.stack(table[1:5])
    _refuse_first(path, np.isinf(np.stack(table[1:])).any(axis=0), "has a value that is infinite")
    _refuse_first(path, np.less_equal(prices, 0.0).any(axis=0), "has a price that is not positive")
    _refuse_first(path, np.less(table.volume, 0.0), "has a negative volume")
    _refuse_first(path, np.less(table.high, table.low), "has its high below its low")
    outside = np.greater(prices, table.high).any(axis=0) | np.less(prices, table.low).any(axis=0)
    _refuse_first(path, outside, "opens or closes outside its high and low")


def _refuse_first(path: Path, wrongs: npt.ArrayLike, what: str) -> None:
    wrong = np.asarray(wrongs)
    if wrong.any():
        raise ConfigError(f"{path}: bar {int(wrong.argmax()) + 1} {what}")


class _Columns(NamedTuple):
    time_ms: Integers
    numbers: tuple[Floats, ...]


def _places(path: Path, names: Sequence[str], more: Sequence[str]) -> tuple[list[int], list[int | None]]:
    """Return the places of time and prices, and of volume (which may not be there) and what more is asked for."""
    known = [name.strip().lower() for name in names]
    time = next((name for name in TIMES if name in known), None)
    missing = [name for name in (*PRICES, *more) if name not in known]
    if time is None or missing:
        wanted = [*(["date"] if time is None else []), *missing]
        raise ConfigError(f"{path} has no column {', '.join(wanted)}; its columns are {', '.join(names)}")
    others: list[int | None] = [known.index(name) if name in known else None for name in (VOLUME, *more)]
    return [known.index(name) for name in (time, *PRICES)], others


def _csv(path: Path, data: bytes, more: Sequence[str]) -> _Columns:
    line = 1
    times, numbers = [], []
    try:
        rows = csv.reader(io.StringIO(data.decode("utf-8-sig")))
        places, others = _places(path, next(rows, []), more)
        least = max(*places, *(place for place in others if place is not None)) + 1
        for row in rows:
            line = rows.line_num
            if not row:
                continue
            if len(row) < least:
                raise ConfigError(f"{path}, line {line}: cut short, {len(row)} of {least} values; give the whole file")
            times.append(_time_ms(row[places[0]]))
            further = (0.0 if place is None else _number(row[place]) for place in others)
            numbers.append([*(_number(row[place]) for place in places[1:]), *further])
    except (ValueError, OverflowError, csv.Error) as problem:
        raise ConfigError(f"{path}, line {line}: {problem}; expected a time and numbers") from problem
    columns = np.array(numbers, np.float64).reshape(-1, len(PRICES) + 1 + len(more)).T
    return _Columns(np.array(times, np.int64), tuple(np.ascontiguousarray(column) for column in columns))


def _number(text: str) -> float:
    return float(text) if text.strip() else math.nan


def _time_ms(text: str) -> int:
    try:
        number = float(text)
    except ValueError:
        moment = datetime.fromisoformat(text.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return round(moment.timestamp() * MS_PER_SECOND)
    # A whole number is not passed through a float, which has not enough digits for nanoseconds.
    since_ms = _since_1970_ms(int(text) if text.strip().isdigit() else number)
    if not 0 <= since_ms < TIME_MS_MAX:
        raise ValueError(f"{text} is before 1970 or after the year 9999")
    return since_ms


def _since_1970_ms(number: float) -> int:
    if number < MS_FROM:
        return round(number * MS_PER_SECOND)
    scale = 1 if number < US_FROM else 1_000 if number < NS_FROM else 1_000_000
    return int(number // scale)


def _parquet(path: Path, data: bytes, more: Sequence[str]) -> _Columns:
    try:
        # Not a part of the appliance: only a developer's machine has it.
        from pyarrow import BufferReader, lib, parquet  # type: ignore[import-untyped] # noqa: PLC0415
    except ImportError as problem:
        raise ConfigError(f"{path} is Parquet, which needs pyarrow: install it, or give the bars as CSV") from problem
    try:
        table: Any = parquet.read_table(BufferReader(data))
        places, others = _places(path, table.column_names, more)
        time, *prices = (table.column(place).to_numpy() for place in places)
        further = [np.zeros(len(time)) if place is None else table.column(place).to_numpy() for place in others]
        numbers = tuple(np.ascontiguousarray(column, np.float64) for column in (*prices, *further))
    except (lib.ArrowException, ValueError, TypeError, OSError) as problem:
        raise ConfigError(f"{path} cannot be read as Parquet ({problem}); give the bars as CSV") from problem
    if np.issubdtype(time.dtype, np.datetime64):
        return _Columns(time.astype("datetime64[ms]").astype(np.int64), numbers)
    if not np.issubdtype(time.dtype, np.integer):
        raise ConfigError(f"{path}: its times are {time.dtype}; store them as timestamps or whole numbers")
    return _Columns(np.array([_since_1970_ms(number) for number in time.tolist()], np.int64), numbers)


def moment_ms(text: str) -> int:
    """Return a moment that a person typed, in UTC unless it says otherwise."""
    return _time_ms(text)


def written(time_ms: int) -> str:
    """Return a moment as a person reads it, to the minute, in UTC."""
    return datetime.fromtimestamp(time_ms / MS_PER_SECOND, UTC).strftime("%Y-%m-%d %H:%M")
