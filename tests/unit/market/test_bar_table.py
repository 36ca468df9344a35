"""Tables of bars: what is read from CSV and Parquet, and what is refused with a place and a reason."""

from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from pyarrow import parquet

from appliance.core.errors import ConfigError
from appliance.market.bar_table import moment_ms, read_bars, written

HEADER = "Date,Open,High,Low,Close,Volume\n"
FIRST_MS = 1_704_067_200_000


def stored(folder: Path, text: str) -> Path:
    """Return a CSV file with this text."""
    file = folder / "bars.csv"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    "time", ["2024-01-01", "2024-01-01T00:00:00Z", "2024-01-01 01:00+01:00", "1704067200", "1704067200000"]
)
def test_every_way_to_write_a_time(tmp_path: Path, time: str) -> None:
    """Shows ISO, seconds and milliseconds as one moment; fails when one is read as another."""
    table = read_bars(stored(tmp_path, f"{HEADER}{time},1,2,0.5,1.5,9\n"))
    assert table.time_ms.tolist() == [FIRST_MS]
    assert [float(column[0]) for column in table[1:]] == [1.0, 2.0, 0.5, 1.5, 9.0]


def test_columns_in_any_order_and_without_volume(tmp_path: Path) -> None:
    """Shows columns found by name; fails when they are taken by place or volume is demanded."""
    table = read_bars(stored(tmp_path, "close,low,high,open,timestamp\n1.5,0.5,2,1,2024-01-01\n\n"))
    assert [float(column[0]) for column in table[1:]] == [1.0, 2.0, 0.5, 1.5, 0.0]


def test_volume_in_the_first_column_is_read(tmp_path: Path) -> None:
    """Shows volume as the first column; fails when its place, zero, is taken for none."""
    table = read_bars(stored(tmp_path, "volume,date,open,high,low,close\n7,2024-01-01,1,2,0.5,1.5\n"))
    assert table.volume.tolist() == [7.0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("date,open,high,low\n", "no column close"),
        (f"{HEADER}2024-01-01,1,2,0.5,x,9\n", "line 2"),
        (f"{HEADER}2024-01-01,1,2,0.5,1,9\nyesterday,1,2,0.5,1,9\n", "line 3"),
        (f"{HEADER}2024-01-01,1,2\n", "line 2: cut short"),
        (f"{HEADER}2024-01-01,1,2,0.5,1,9\n2024-01-01,1,2,0.5,1,9\n", "bar 2 has the same time"),
        (f"{HEADER}nan,1,2,0.5,1,9\n", "line 2"),
        (f"{HEADER}inf,1,2,0.5,1,9\n", "line 2"),
        (f"{HEADER}-1,1,2,0.5,1,9\n", "line 2"),
        (f"{HEADER}2024-01-02,1,2,0.5,1,9\n2024-01-01,1,2,0.5,1,9\n", "bar 2 is earlier"),
    ],
)
def test_a_bad_table_is_refused_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    """Shows each flaw told with column, line or bar; fails when bars are made up or Python's error is shown."""
    with pytest.raises(ConfigError, match=told):
        read_bars(stored(tmp_path, text))


def test_no_file_and_no_text_are_refused(tmp_path: Path) -> None:
    """Shows a missing file, a folder and bytes that are no text refused; fails when one raises Python's own error."""
    binary = tmp_path / "bars.csv"
    binary.write_bytes(b"\xff\xfe\x00")
    broken = tmp_path / "bars.parquet"
    broken.write_bytes(b"PAR1 no more")
    for path in (tmp_path / "absent.csv", tmp_path, binary, broken):
        with pytest.raises(ConfigError):
            read_bars(path)


@pytest.mark.parametrize("kind", ["timestamp", "number"])
def test_parquet_equals_csv(tmp_path: Path, kind: str) -> None:
    """Shows the same bars from Parquet, times stored either way; fails when a unit is lost."""
    times = np.array([FIRST_MS, FIRST_MS + 60_000])
    column = pa.array(times, pa.timestamp("ms", tz="UTC")) if kind == "timestamp" else pa.array(times // 1000)
    names = ("open", "high", "low", "close", "volume")
    prices = {name: pa.array([float(place), place + 0.5]) for place, name in enumerate(names)}
    parquet.write_table(pa.table({"date": column, **prices}), tmp_path / "bars.parquet")
    table = read_bars(tmp_path / "bars.parquet")
    assert table.time_ms.tolist() == times.tolist()
    assert [column.tolist() for column in table[1:]] == [[float(n), n + 0.5] for n in range(5)]


def test_parquet_times_of_another_kind_are_refused(tmp_path: Path) -> None:
    """Shows times as fractions refused; fails when they are guessed at."""
    columns = {name: pa.array([1.5]) for name in ("date", "open", "high", "low", "close")}
    parquet.write_table(pa.table(columns), tmp_path / "bars.parquet")
    with pytest.raises(ConfigError, match="whole numbers"):
        read_bars(tmp_path / "bars.parquet")


def test_moments_are_utc() -> None:
    """Shows a typed moment read as UTC and written back; fails when the machine's zone comes in."""
    assert written(moment_ms("2024-05-31T12:30")) == "2024-05-31 12:30"
