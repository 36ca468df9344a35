"""`appliance evaluate` on files nobody has prepared: every table of the judgement, or one sentence."""

import json
from pathlib import Path

import numpy as np
import pytest

from appliance.__main__ import main

BARS = 2_600


def market(path: Path, *, minutes: bool = False) -> Path:
    """Write a seeded market as CSV, in bars of five minutes or of one."""
    length, count = (60, 5 * BARS) if minutes else (300, BARS)
    draw = np.random.default_rng(21)
    closes = 60_000 * np.exp(np.cumsum(draw.normal(0.0, 0.0012 if not minutes else 0.0006, count)))
    opens = np.r_[60_000.0, closes[:-1]]
    reach = 1 + 0.0005 * draw.random((2, count))
    volume = draw.exponential(20.0, count)
    table = np.column_stack(
        [
            1_760_000_100 // 300 * 300 + length * np.arange(count),
            opens,
            np.maximum(opens, closes) * reach[0],
            np.minimum(opens, closes) / reach[1],
            closes,
            volume,
        ]
    )
    np.savetxt(
        path, table, fmt=["%d", *["%.6f"] * 5], delimiter=",", header="time,open,high,low,close,volume", comments=""
    )
    return path


def test_every_table_is_there_and_adds_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows forecasts, trading, years, regimes and fees of a file the models never saw, and that models which earned no
    weight decide nothing; fails when a table is missing, NaN breaks the JSON, or costs grow returns.
    """
    assert main(["evaluate", "--ohlcv", str(market(tmp_path / "new.csv")), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["answered"] + sum(told["vetoes"].values()) == told["steps"] > 150
    assert told["in_sample"] is False
    assert 0.0 < told["forecast"]["models"]["brier"] < 1.0
    assert told["weight_percent"] == 0
    assert told["trading"]["models, decided with weight 0 %"]["trades"] == 0
    assert told["trading"]["flat"]["net_return_sum"] == 0.0
    assert told["trading"]["always in"]["trades"] > 3
    always = [line["always in"] for line in told["by_fee"].values()]
    assert always == sorted(always, reverse=True)
    assert set(told["by_year"]) == {"2025"}
    assert sum(line["steps"] for line in told["by_regime"].values()) == sum(
        line["steps"] for line in told["by_year"].values()
    )


def test_minutes_days_and_a_trial_weight(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows shorter bars gathered, days cut out and the trial weight used; fails when an option is ignored."""
    path = market(tmp_path / "minutes.csv", minutes=True)
    assert (
        main(["evaluate", "--ohlcv", str(path), "--from", "2025-10-10", "--to", "2025-10-16", "--trial", "--json"]) == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert told["from"].startswith("2025-10-10")
    assert told["to"].startswith("2025-10-15")
    assert "models, decided with weight 20 %" in told["trading"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--from", "2031-01-01"], "no bars between"),
        (["--from", "soon"], "is not a day"),
        (["--models", "/nowhere"], "manifest.toml cannot be read"),
    ],
)
def test_what_cannot_be_evaluated_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], reason: str
) -> None:
    """Shows exit code 2 and a sentence; fails with a traceback or an empty table."""
    assert main(["evaluate", "--ohlcv", str(market(tmp_path / "b.csv")), *words]) == 2
    assert reason in capsys.readouterr().err


def test_an_empty_file_and_hours_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows both named; fails when nothing is evaluated without a word."""
    (tmp_path / "empty.csv").write_text("")
    assert main(["evaluate", "--ohlcv", str(tmp_path / "empty.csv")]) == 2
    assert "is empty" in capsys.readouterr().err
    (tmp_path / "hours.csv").write_text("time,open,high,low,close,volume\n0,1,1,1,1,1\n3600,1,1,1,1,1\n")
    assert main(["evaluate", "--ohlcv", str(tmp_path / "hours.csv")]) == 2
    assert "give shorter ones" in capsys.readouterr().err
