"""Read bars from a file of anybody's making, and refuse what cannot be a market.

CSV needs a heading with a time column (date, time, timestamp or open_time: seconds, milliseconds, microseconds or ISO
8601, UTC where no zone is given) and open, high, low, close, volume. Parquet needs the same columns and pyarrow, which
is not part of the appliance. Holes are counted and kept; times that repeat or run backwards, prices that are no prices
and bars that contradict themselves refuse the file with the first line that is wrong.
"""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from appliance.core.bounded_file import FileRead, read_bounded
from appliance.core.errors import ApplianceError

FILE_BYTES_MAX = 1_000_000_000
ROWS_MAX = 20_000_000
TIME_NAMES = ("date", "time", "timestamp", "open_time", "datetime")
VALUE_NAMES = ("open", "high", "low", "close", "volume")
# Times are told apart by size: seconds until the year 2286, then milliseconds, microseconds, nanoseconds.
_SECONDS_MAX = 10_000_000_000
_VOLUME = 4

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class BarFileError(ApplianceError):
    """Report a file of bars that cannot be used."""


class BarSeries(NamedTuple):
    """Hold bars in order of time: when each begins, and open, high, low, close, volume in five columns."""

    starts_s: Integers
    bars: Floats
    base_s: int

    @property
    def holes_count(self) -> int:
        """Return how many bars are missing between the first and the last."""
        span = int(self.starts_s[-1] - self.starts_s[0]) // self.base_s + 1
        return span - self.starts_s.size

    def between(self, from_s: int, to_s: int) -> "BarSeries":
        """Return the bars that begin in `[from_s, to_s)`."""
        kept = (self.starts_s >= from_s) & (self.starts_s < to_s)
        return BarSeries(self.starts_s[kept], self.bars[kept], self.base_s)


def read_bars(path: Path) -> BarSeries:
    """Return the bars in a CSV or Parquet file."""
    starts_s, bars = _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path)
    return checked(starts_s, bars, str(path))


def checked(starts_s: Integers, bars: Floats, name: str) -> BarSeries:
    """Return arrays as a series, refusing what cannot be one."""
    if starts_s.size < 2:  # noqa: PLR2004 - two bars are the least that has a length
        raise BarFileError(f"{name} holds {starts_s.size} bars; at least two are needed")
    steps = np.diff(starts_s)
    _refuse_first(np.equal(steps, 0), name, "has the same time as the one before; remove the duplicate")
    _refuse_first(np.less(steps, 0), name, "is earlier than the one before; sort the file by time")
    prices, volumes = bars[:, :_VOLUME], bars[:, _VOLUME]
    _refuse_first(~np.isfinite(bars).all(axis=1), name, "has a value that is not a number", 0)
    _refuse_first(~(prices > 0.0).all(axis=1), name, "has a price that is not positive", 0)
    _refuse_first(np.less(volumes, 0.0), name, "has a negative volume", 0)
    outside = (prices.max(axis=1) > bars[:, 1]) | (prices.min(axis=1) < bars[:, 2])
    _refuse_first(outside, name, "opens or closes outside its high and low", 0)
    return BarSeries(starts_s, bars, int(steps.min()))


def resampled(series: BarSeries, base_s: int) -> BarSeries:
    """Return the series in longer bars; a bar is made of whatever its span holds."""
    if series.base_s == base_s:
        return series
    if series.base_s > base_s or base_s % series.base_s:
        raise BarFileError(
            f"bars of {series.base_s} s cannot be made into the {base_s} s that the models need; give shorter ones"
        )
    buckets = series.starts_s // base_s
    firsts = np.flatnonzero(np.r_[True, buckets[1:] != buckets[:-1]])
    lasts = np.r_[firsts[1:], buckets.size] - 1
    bars = np.column_stack(
        [
            series.bars[firsts, 0],
            np.maximum.reduceat(series.bars[:, 1], firsts),
            np.minimum.reduceat(series.bars[:, 2], firsts),
            series.bars[lasts, 3],
            np.add.reduceat(series.bars[:, _VOLUME], firsts),
        ]
    )
    return BarSeries(buckets[firsts] * base_s, bars, base_s)


def _refuse_first(wrong: Any, name: str, what: str, offset: int = 1) -> None:  # noqa: ANN401 - an array of bools
    if wrong.any():
        raise BarFileError(f"{name}: bar {int(np.argmax(wrong)) + offset + 1} {what}")


def _parquet(path: Path) -> tuple[Integers, Floats]:
    try:
        import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415 - not a part of the appliance
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise BarFileError(f"{path} is Parquet, which needs pyarrow; install it, or give the bars as CSV") from None
    try:
        table = parquet.read_table(path)
    except (OSError, pa.ArrowException) as problem:
        first_line = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise BarFileError(f"{path} is not readable Parquet: {first_line}") from None
    names = {name.lower(): name for name in table.column_names}
    time_name = _time_name(tuple(names), path)
    if table.num_rows > ROWS_MAX:
        raise BarFileError(f"{path} holds more than {ROWS_MAX:,} bars; give a part of it")
    times = table.column(names[time_name]).to_numpy()
    seconds = times.astype("datetime64[s]").astype(np.int64) if times.dtype.kind == "M" else _seconds(times)
    bars = np.column_stack([table.column(names[name]).to_numpy().astype(np.float64) for name in VALUE_NAMES])
    return seconds, np.ascontiguousarray(bars)


def _csv(path: Path) -> tuple[Integers, Floats]:
    outcome = read_bounded(path, FILE_BYTES_MAX)
    if not isinstance(outcome, FileRead):
        raise BarFileError(f"{path} {outcome.reason}")
    if not outcome.data.strip():
        raise BarFileError(f"{path} is empty; it needs a heading and bars")
    try:
        lines = csv.reader(io.StringIO(outcome.data.decode("utf-8-sig"), newline=""))
        names = tuple(name.strip().lower() for name in next(lines))
        places = [names.index(name) for name in (_time_name(names, path), *VALUE_NAMES)]
        return _csv_rows(lines, places, path)
    except (UnicodeDecodeError, csv.Error) as problem:
        raise BarFileError(f"{path} is not a CSV file: {problem}") from None


def _csv_rows(lines: Any, places: list[int], path: Path) -> tuple[Integers, Floats]:  # noqa: ANN401 - csv's reader
    times: list[float] = []
    values: list[list[float]] = []
    for number, line in enumerate(lines, start=2):
        if not line:
            continue
        try:
            cells = [line[place] for place in places]
            times.append(_moment(cells[0]))
            values.append([float(cell) for cell in cells[1:]])
        except (ValueError, IndexError):
            raise BarFileError(f"{path}, line {number}: a time and five numbers are needed") from None
        if len(times) > ROWS_MAX:
            raise BarFileError(f"{path} holds more than {ROWS_MAX:,} bars; give a part of it")
    bars = np.array(values, dtype=np.float64).reshape(-1, len(VALUE_NAMES))
    return _seconds(np.array(times)), bars


def _time_name(names: tuple[str, ...], path: Path) -> str:
    found = [name for name in TIME_NAMES if name in names]
    missing = [name for name in VALUE_NAMES if name not in names]
    if not found or missing:
        what = ", ".join(missing) or f"a time column ({', '.join(TIME_NAMES)})"
        raise BarFileError(f"{path} lacks {what}")
    return found[0]


def _moment(cell: str) -> float:
    text = cell.strip()
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _seconds(times: npt.NDArray[Any]) -> Integers:
    values = np.asarray(times, dtype=np.float64)
    if values.size and not np.isfinite(values).all():
        raise BarFileError("a time is not a number")
    largest = float(values.max()) if values.size else 0.0
    divisor = 1.0
    while largest / divisor >= _SECONDS_MAX:
        divisor *= 1000.0
    return np.asarray(values // divisor, dtype=np.int64)
