"""Bars from anybody's file: read in every spelling of time, refused with the line that is wrong."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from appliance.core.errors import ApplianceError
from appliance.lab.ohlcv import BarFileError, BarSeries, read_bars, resampled

GOOD = [(1_700_000_100 + 300 * number, 10.0, 12.0, 9.0, 11.0, 5.0) for number in range(4)]
HEADING = "timestamp,open,high,low,close,volume\n"


def written(path: Path, rows: Sequence[tuple[float, ...]], heading: str = HEADING) -> Path:
    """Write rows as CSV."""
    path.write_text(heading + "".join(",".join(map(repr, row)) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("scale", [1, 1_000, 1_000_000, 1_000_000_000])
def test_times_are_told_apart_by_their_size(tmp_path: Path, scale: int) -> None:
    """Shows seconds to nanoseconds read alike; fails when a unit is guessed wrong."""
    series = read_bars(written(tmp_path / "b.csv", [(row[0] * scale, *row[1:]) for row in GOOD]))
    assert series.starts_s.tolist() == [row[0] for row in GOOD]
    assert (series.base_s, series.holes_count) == (300, 0)


def test_words_for_time_and_any_order_of_columns_are_read(tmp_path: Path) -> None:
    """Shows ISO 8601 with and without a zone, and columns by name; fails when place decides what a column is."""
    path = tmp_path / "b.csv"
    path.write_text(
        "Volume,Close,Low,High,Open,Date\n5,11,9,12,10,2024-01-01 00:00:00\n5,11,9,12,10,2024-01-01T01:05:00+01:00\n"
    )
    series = read_bars(path)
    assert series.starts_s.tolist() == [1_704_067_200, 1_704_067_500]
    assert series.bars[0].tolist() == [10.0, 12.0, 9.0, 11.0, 5.0]


def test_parquet_reads_as_csv_does(tmp_path: Path) -> None:
    """Shows both formats equal; fails when one converts otherwise."""
    columns = list(zip(*GOOD, strict=True))
    times = pa.array([int(second * 1_000) for second in columns[0]], pa.timestamp("ms", tz="UTC"))
    table = pa.table([times, *map(pa.array, columns[1:])], ["date", "open", "high", "low", "close", "volume"])
    parquet.write_table(table, tmp_path / "b.parquet")
    one, other = read_bars(tmp_path / "b.parquet"), read_bars(written(tmp_path / "b.csv", GOOD))
    assert one.starts_s.tolist() == other.starts_s.tolist()
    np.testing.assert_array_equal(one.bars, other.bars)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rows: [rows[0], rows[1], rows[1], rows[3]], "bar 3 has the same time"),
        (lambda rows: [rows[1], rows[0], rows[2]], "bar 2 is earlier"),
        (lambda rows: [rows[0], (*rows[1][:3], -9.0, *rows[1][4:])], "bar 2 has a price that is not positive"),
        (lambda rows: [rows[0], (*rows[1][:5], float("nan"))], "bar 2 has a value that is not a number"),
        (lambda rows: [rows[0], (*rows[1][:5], float("inf"))], "bar 2 has a value that is infinite"),
        (lambda rows: [rows[0], (*rows[1][:5], -1.0)], "bar 2 has a negative volume"),
        (lambda rows: [rows[0], (*rows[1][:2], 10.5, *rows[1][3:])], "bar 2 opens or closes outside"),
        (lambda rows: rows[:1], "at least two"),
        (lambda _: [], "at least two"),
        (lambda rows: [rows[0], rows[1][:4]], "line 3"),
    ],
    ids=["twice", "backwards", "negative", "nan", "infinite", "volume", "outside", "one", "none", "short"],
)
def test_what_cannot_be_a_market_is_refused_by_name(tmp_path: Path, change: object, reason: str) -> None:
    """Shows each kind of bad bar named with file and place; fails when one is read as a market."""
    path = written(tmp_path / "bad.csv", change(GOOD))  # type: ignore[operator]
    with pytest.raises(ApplianceError, match=r"bad\.csv") as caught:
        read_bars(path)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("time,open,high,low\n", "no column close, volume"),
        ("open,high,low,close,volume\n", "no column date"),
        (HEADING + "yesterday,1,1,1,1,1\n", "line 2"),
    ],
)
def test_a_file_that_is_no_table_of_bars_says_what_it_lacks(tmp_path: Path, text: str, reason: str) -> None:
    """Shows the sentence for each; fails when a person would not know what to change."""
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(ApplianceError) as caught:
        read_bars(path)
    assert reason in str(caught.value)


def test_parquet_that_is_not_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Shows both refused in a sentence; fails with a traceback of a library."""
    (tmp_path / "x.parquet").write_bytes(b"PAR1 not really")
    for name in ("x.parquet", "missing.parquet", "missing.csv"):
        with pytest.raises(ApplianceError, match=name.partition(".")[0]):
            read_bars(tmp_path / name)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path: Path, data: bytes) -> None:
    """Shows that no bytes bring anything but bars or a sentence; fails on any other error."""
    path = tmp_path / "any.csv"
    path.write_bytes(HEADING.encode() + data)
    try:
        series = read_bars(path)
    except ApplianceError:
        return
    assert np.isfinite(series.bars).all()


def test_shorter_bars_become_longer_ones_and_never_the_other_way() -> None:
    """Shows minutes gathered with holes kept, and an hour refused; fails when a bar is invented."""
    draw = random.Random(5)
    starts = sorted(draw.sample(range(0, 6_000, 60), 70))
    rows = np.array([[10 + one, 12 + one, 8 + one, 11 + one, 1.0] for one in (draw.random() for _ in starts)])
    longer = resampled(BarSeries(np.array(starts), rows, 60), 300)
    for start, bar in zip(longer.starts_s.tolist(), longer.bars, strict=True):
        inside = rows[[place for place, at in enumerate(starts) if start <= at < start + 300]]
        wanted = [inside[0, 0], inside[:, 1].max(), inside[:, 2].min(), inside[-1, 3], len(inside)]
        assert bar.tolist() == wanted
    with pytest.raises(BarFileError, match="3600 s cannot"):
        resampled(BarSeries(np.array([0, 3600]), rows[:2], 3600), 300)
