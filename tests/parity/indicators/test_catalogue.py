"""The table itself, its listing and its page."""

import json
import math
from pathlib import Path

import pytest
import talib

from appliance.__main__ import main
from appliance.signals.indicators.catalogue import CATALOGUE
from appliance.signals.indicators.command_indicators import page
from appliance.signals.indicators.compute import batch
from appliance.signals.indicators.program import INPUTS

FAMILIES = {"trend", "momentum", "volatility", "volume", "statistics", "cycle", "arithmetic"}


def test_the_catalogue_is_as_large_as_promised() -> None:
    """Shows at least 110 indicators besides plain arithmetic, in all families; fails when rows get lost."""
    assert sum(row.family != "arithmetic" for row in CATALOGUE.values()) >= 110
    assert {row.family for row in CATALOGUE.values()} == FAMILIES


def test_everything_that_the_oracle_has_is_there() -> None:
    """Shows that each of TA-Lib's functions outside candlesticks is some row's oracle; fails when one is left out."""
    groups = talib.get_function_groups()  # type: ignore[no-untyped-call]
    theirs = {name for group, names in groups.items() if group != "Pattern Recognition" for name in names}
    assert theirs - {row.oracle for row in CATALOGUE.values()} == set()


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_a_row_is_well_formed(name: str) -> None:
    """Shows inputs that exist, defaults within bounds and words for everything; fails when a row is careless."""
    row = CATALOGUE[name]
    assert set(row.inputs.split()) <= set(INPUTS)
    assert row.sentence
    assert len(set(row.outputs.split())) == len(row.outputs.split()) > 0
    for parameter in row.parameters:
        assert parameter.least <= parameter.default <= parameter.most
        assert not parameter.whole or parameter.default == int(parameter.default)


def test_the_page_holds_every_row() -> None:
    """Shows one line of the page for each indicator; fails when the page forgets a family."""
    lines = list(page())
    assert all(sum(line.startswith(f"| `{name}` |") for line in lines) == 1 for name in CATALOGUE)


def test_the_command_lists_explains_and_computes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows listing, explanation and a computation from a file equal to the call's; fails when the command computes
    on the wrong column or swallows an empty field.
    """
    assert main(["indicators", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == list(CATALOGUE)
    assert main(["indicators", "macd"]) == 0
    assert "after 33 rows" in capsys.readouterr().out
    bars = tmp_path / "bars.csv"
    bars.write_text(
        "date,open,low,Close,high\n" + "".join(f"{day},2,1,{close},9\n" for day, close in enumerate("123 5"))
    )
    assert main(["indicators", "sma", "--bars", str(bars), "--set", "length=2", "--json"]) == 0
    expected = batch("sma", {"close": [1.0, 2.0, 3.0, math.nan, 5.0]}, length=2)["sma"].tolist()
    found = json.loads(capsys.readouterr().out)["sma"]
    assert [math.nan if value is None else value for value in found] == pytest.approx(expected, nan_ok=True)
    assert main(["indicators", "sma", "--bars", str(bars), "--set", "length=2"]) == 0
    assert capsys.readouterr().out.splitlines() == ["sma", "", "1.5", "2.5", "", "4.0"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["smma"], "no indicator 'smma'"),
        (["sma", "--bars", "FILE"], "has no column low"),
        (["--bars", "FILE"], "needs the NAME"),
        (["sma", "--bars", "FILE", "--set", "length=many"], "PARAMETER=VALUE"),
        (["sma", "--bars", "FILE", "--set", "length=0"], "from 1 to 1000"),
        (["sma", "--bars", "FILE.none"], "give a CSV or Parquet file"),
    ],
)
def test_bad_use_is_told(words: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows exit code 2 and a sentence that says what to do; fails with a traceback or a made-up result."""
    bars = tmp_path / "bars.csv"
    bars.write_text("date,open,high,close\n1,2,9,1\n")
    assert main(["indicators", *(word.replace("FILE", str(bars)) for word in words)]) == 2
    assert sentence in capsys.readouterr().err
