"""Read a table of bars: CSV with the standard library, Parquet with pyarrow where that is installed.

A column is found by its name, in any case: a time (`date`, `time` or `timestamp`; ISO 8601, or whole seconds or
milliseconds since 1970; UTC), open, high, low, close, and volume if there is one.
"""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from appliance.core.bounded_file import FileRead, read_bounded
from appliance.core.errors import ConfigError

BYTES_MAX: Final = 512 * 1024**2
TIMES: Final = ("date", "time", "timestamp")
PRICES: Final = ("open", "high", "low", "close")
VOLUME: Final = "volume"
# A whole number above this is in milliseconds: as seconds it would lie beyond the year 5000.
SECONDS_MAX: Final = 10**11
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
    read = read_bounded(path, BYTES_MAX)
    if not isinstance(read, FileRead):
        raise ConfigError(f"{path} {read.reason}; give a CSV or Parquet file of bars")
    table = _parquet(path, read.data) if path.suffix == ".parquet" else _csv(path, read.data)
    _check(path, table)
    return table


def _check(path: Path, table: BarTable) -> None:
    if len(table.time_ms) == 0:
        return
    order = np.diff(table.time_ms)
    if len(order) and order.min() <= 0:
        late = int(order.argmin()) + 1
        raise ConfigError(f"{path}: bar {late} is not later than the one before; sort the bars by time")
    if table.time_ms[0] < 0 or table.time_ms[-1] >= TIME_MS_MAX:
        raise ConfigError(f"{path} has a time before 1970 or after the year 9999; give seconds or milliseconds")
    for name, column in zip((*PRICES, VOLUME), table[1:], strict=True):
        if np.abs(column[np.isfinite(column)]).max(initial=0.0) > NUMBER_MAX:
            raise ConfigError(f"{path} has a {name} above {NUMBER_MAX:g}; no market has")


def _columns(path: Path, names: list[str]) -> tuple[list[int], int | None]:
    """Return the places of time and prices, and of volume."""
    known = [name.strip().lower() for name in names]
    time = next((name for name in TIMES if name in known), None)
    missing = [name for name in PRICES if name not in known]
    if time is None or missing:
        wanted = [*(["date"] if time is None else []), *missing]
        raise ConfigError(f"{path} has no column {', '.join(wanted)}; its columns are {', '.join(names)}")
    return [known.index(name) for name in (time, *PRICES)], known.index(VOLUME) if VOLUME in known else None


def _csv(path: Path, data: bytes) -> BarTable:
    line = 1
    times, numbers = [], []
    try:
        rows = csv.reader(io.StringIO(data.decode("utf-8-sig")))
        places, volume = _columns(path, next(rows, []))
        for row in rows:
            line = rows.line_num
            if row:
                times.append(_time_ms(row[places[0]]))
                amount = 0.0 if volume is None else float(row[volume])
                numbers.append([*(float(row[place]) for place in places[1:]), amount])
    except (ValueError, OverflowError, IndexError, csv.Error) as problem:
        raise ConfigError(f"{path}, line {line}: {problem}; expected a time and numbers") from problem
    columns = np.array(numbers, np.float64).reshape(-1, len(PRICES) + 1).T
    return BarTable(np.array(times, np.int64), *(np.ascontiguousarray(column) for column in columns))


def _time_ms(text: str) -> int:
    if text.isdigit():
        number = _since_1970_ms(int(text))
        if number >= TIME_MS_MAX:
            raise ValueError(f"{text} is after the year 9999")
        return number
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return round(moment.timestamp() * MS_PER_SECOND)


def _since_1970_ms(number: int) -> int:
    return number if number > SECONDS_MAX else number * MS_PER_SECOND


def _parquet(path: Path, data: bytes) -> BarTable:
    try:
        # Not a part of the appliance: only a developer's machine has it.
        from pyarrow import BufferReader, lib, parquet  # type: ignore[import-untyped] # noqa: PLC0415
    except ImportError as problem:
        raise ConfigError(f"{path} is Parquet, which needs pyarrow: install it, or give the bars as CSV") from problem
    try:
        table: Any = parquet.read_table(BufferReader(data))
        places, volume = _columns(path, table.column_names)
        time, *prices = (table.column(place).to_numpy() for place in places)
        amounts = table.column(volume).to_numpy() if volume is not None else np.zeros(len(time))
        columns = [np.ascontiguousarray(column, np.float64) for column in (*prices, amounts)]
    except (lib.ArrowException, ValueError, TypeError, OSError) as problem:
        raise ConfigError(f"{path} cannot be read as Parquet ({problem}); give the bars as CSV") from problem
    if np.issubdtype(time.dtype, np.datetime64):
        return BarTable(time.astype("datetime64[ms]").astype(np.int64), *columns)
    if not np.issubdtype(time.dtype, np.integer):
        raise ConfigError(f"{path}: its times are {time.dtype}; store them as timestamps or whole numbers")
    return BarTable(np.array([_since_1970_ms(int(number)) for number in time], np.int64), *columns)


def moment_ms(text: str) -> int:
    """Return a moment that a person typed, in UTC unless it says otherwise."""
    return _time_ms(text)


def written(time_ms: int) -> str:
    """Return a moment as a person reads it, to the minute, in UTC."""
    return datetime.fromtimestamp(time_ms / MS_PER_SECOND, UTC).strftime("%Y-%m-%d %H:%M")
