"""`appliance patterns` and `appliance chart` over a file with a planted shape, and what they refuse."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from appliance.__main__ import main
from appliance.market.bar_table import BarTable
from appliance.signals.patterns.overlays import overlays
from tests.unit.patterns.planted import PLANTS, Bars, plant

NAME = "bars & <marks>"


def write(file: Path, bars: Bars) -> None:
    """Write bars as CSV, an hour apart; a bar opens where the last closed."""
    high, low, close = (column.tolist() for column in bars)
    opened = [close[0], *close[:-1]]
    rows = [
        f"{1_704_067_200 + 3_600 * n},{','.join(map(repr, row))},{n % 7}"
        for n, row in enumerate(zip(opened, high, low, close, strict=True))
    ]
    file.write_text("time,open,high,low,close,volume\n" + "\n".join(rows) + "\n")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file of bars with a head and shoulders in it."""
    what = next(what for what in PLANTS if what.name == "head and shoulders")
    write(tmp_path / f"{NAME}.csv", plant(what, 0.01, 2).bars)
    return tmp_path / f"{NAME}.csv"


def test_patterns_lists_what_was_planted(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows the planted shape in text and in JSON with its times; fails when a kind is lost or a place is wrong."""
    assert main(["patterns", str(file)]) == 0
    assert "head and shoulders" in capsys.readouterr().out
    assert main(["patterns", str(file), "--json", "--patterns", "all"]) == 0
    told = json.loads(capsys.readouterr().out)
    shape = next(shape for shape in told["shapes"] if shape["name"] == "head and shoulders")
    assert shape["direction"] == -1
    assert shape["bars"][-1] < shape["known_bar"] < told["bars"] == len(told["times_ms"])
    assert shape["ends_at"] == pytest.approx(shape["prices"][-1])
    assert told["candles"]
    assert {level["kind"].split()[0] for level in told["levels"]} >= {"Fibonacci"}


def test_only_the_kinds_asked_for_are_listed(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows one kind, none, and a shorter time; fails when an option is ignored."""
    main(
        [
            "patterns",
            str(file),
            "--json",
            "--patterns",
            "harmonic,candles",
            "--from",
            "2024-01-03",
            "--to",
            "2024-01-04",
        ]
    )
    told = json.loads(capsys.readouterr().out)
    assert told["bars"] == 24
    assert {shape["family"] for shape in told["shapes"]} <= {"harmonic"}
    assert told["levels"] == []
    main(["patterns", str(file), "--json", "--patterns", "none"])
    told = json.loads(capsys.readouterr().out)
    assert (told["shapes"], told["candles"], told["levels"]) == ([], [], [])


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_the_chart_is_sound_svg(file: Path, tmp_path: Path, theme: str) -> None:
    """Shows well-formed SVG with bars, lines, the shape's name and the escaped title; fails when one is missing."""
    out = tmp_path / "chart.svg"
    words = ["--indicators", "sma:20,ema:9,bollinger:20", "--patterns", "all", "--theme", theme]
    assert main(["chart", str(file), "--out", str(out), *words]) == 0
    root = ET.fromstring(out.read_text())  # noqa: S314 - our own file
    texts = " ".join(node.text or "" for node in root.iter() if node.tag.endswith("text"))
    assert NAME in texts
    for word in ("SMA 20", "EMA 9", "Bollinger 20", "head and shoulders", "bars;"):
        assert word in texts
    places = [float(node.get(key, "0")) for node in root.iter() for key in ("x", "y", "cx", "cy")]
    assert np.isfinite(places).all()


def test_a_chart_of_strange_bars_is_drawn(tmp_path: Path) -> None:
    """Shows a chart of one bar, of flat bars and of missing numbers; fails on a division by zero or a written NaN."""
    flat = np.full(5, 3.0)
    holes = np.array([1.0, np.nan, 3.0, np.nan, 2.0])
    for number, bars in enumerate(((flat[:1],) * 3, (flat,) * 3, (holes,) * 3)):
        file, out = tmp_path / f"{number}.csv", tmp_path / f"{number}.svg"
        write(file, bars)
        assert main(["chart", str(file), "--out", str(out), "--indicators", "bollinger:3", "--patterns", "all"]) == 0
        assert "nan" not in out.read_text()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--patterns", "double"], "no kind of pattern is named double"),
        (["--quality", "2"], "--quality is from 0 to 1"),
        (["--from", "later"], "later is no moment"),
        (["--from", "2030-01-01"], "no bar in that time"),
        (["--limit", "0"], "--limit is at least 1"),
    ],
)
def test_bad_use_of_patterns(file: Path, words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows each mistake told in a sentence with exit code 2; fails when it is taken or raised."""
    assert main(["patterns", str(file), *words]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--indicators", "sma"], "no line is named sma"),
        (["--indicators", "rsi:14"], "no line is named rsi:14"),
        (["--out", "/no/such/folder/chart.svg"], "cannot be written"),
    ],
)
def test_bad_use_of_chart(
    file: Path, tmp_path: Path, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Shows each mistake told in a sentence with exit code 2; fails when it is taken or raised."""
    assert main(["chart", str(file), "--out", str(tmp_path / "a.svg"), *words]) == 2
    assert told in capsys.readouterr().err


def test_the_lines_by_hand() -> None:
    """Shows each line on five closes, NaN until it is warm; fails when a window or a weight is off by one."""
    close = np.array([1.0, 2.0, 3.0, 4.0, 6.0])
    table = BarTable(np.arange(5), close, close, close, close, np.ones(5))
    simple, exponential, bands = overlays("sma:2,ema:3,bollinger:2", table)
    np.testing.assert_array_equal(simple.line, [np.nan, 1.5, 2.5, 3.5, 5.0])
    np.testing.assert_array_equal(exponential.line, [np.nan, np.nan, 2.0, 3.0, 4.5])
    assert bands.other is not None
    np.testing.assert_array_equal(bands.line, [np.nan, 2.5, 3.5, 4.5, 7.0])
    np.testing.assert_array_equal(bands.other, [np.nan, 0.5, 1.5, 2.5, 3.0])
