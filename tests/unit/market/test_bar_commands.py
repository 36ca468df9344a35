"""One reader for every command that takes a file of bars: each flaw is told by each of them, with its place."""

from pathlib import Path

import pytest

from appliance.__main__ import main

HEADING = "date,open,high,low,close,volume\n"
ROWS = tuple(f"{1_700_000_100 + 300 * number},10,12,9,11,5\n" for number in range(40))
COMMANDS = {
    "quality": ["quality", "FILE"],
    "patterns": ["patterns", "FILE"],
    "chart": ["chart", "FILE", "--out", "OUT"],
    "indicators": ["indicators", "sma", "--bars", "FILE"],
    "evaluate": ["evaluate", "--ohlcv", "FILE"],
}
# What is no table in order of time, with the sentence that says so.
FORM = {
    "empty": ("", "is empty"),
    "no column": (HEADING.replace("close", "last") + "".join(ROWS), "no column close"),
    "truncated": (HEADING + "".join(ROWS) + ROWS[-1][:18], "line 42"),
    "no number": (HEADING + ROWS[0] + ROWS[1].replace("12", "high"), "line 3"),
    "duplicate": (HEADING + ROWS[0] + ROWS[1] + ROWS[1], "bar 3 has the same time"),
    "unsorted": (HEADING + ROWS[1] + ROWS[0], "bar 2 is earlier"),
    "no time": (HEADING + ROWS[0] + "yesterday" + ROWS[1][10:], "line 3"),
}
# What is a table, but of no market.
IMPOSSIBLE = {
    "negative": (HEADING + ROWS[0] + ROWS[1].replace(",9,", ",-9,"), "bar 2 has a price that is not positive"),
    "zero": (HEADING + ROWS[0].replace(",9,", ",0,") + ROWS[1], "bar 1 has a price that is not positive"),
    "high below low": (HEADING + ROWS[0] + ROWS[1].replace("12,9", "9,12"), "bar 2 has its high below its low"),
    "close above high": (HEADING + ROWS[0] + ROWS[1].replace(",11,", ",13,"), "bar 2 opens or closes outside"),
    "infinite": (HEADING + ROWS[0] + ROWS[1].replace(",5\n", ",inf\n"), "bar 2 has a value that is infinite"),
    "volume": (HEADING + ROWS[0] + ROWS[1].replace(",5\n", ",-5\n"), "bar 2 has a negative volume"),
}


def told(folder: Path, command: str, text: str | None) -> int:
    """Run a command over a file of this text, or over none, and return its exit code."""
    file = folder / "bars.csv"
    if text is not None:
        file.write_text(text)
    words = {"FILE": str(file), "OUT": str(folder / "chart.svg")}
    return main([words.get(word, word) for word in COMMANDS[command]])


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flaw", FORM)
def test_what_is_no_table_is_refused_by_every_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, flaw: str
) -> None:
    """Shows exit code 2 and the place for every flaw from every command; fails when one has a reader of its own that
    takes such a file.
    """
    text, sentence = FORM[flaw]
    assert told(tmp_path, command, text) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "quality"])
@pytest.mark.parametrize("flaw", IMPOSSIBLE)
def test_what_no_market_can_have_is_refused_by_every_command_but_the_judge(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, flaw: str
) -> None:
    """Shows exit code 2 and the bar for every impossible bar; fails when a figure is computed from one."""
    text, sentence = IMPOSSIBLE[flaw]
    assert told(tmp_path, command, text) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("flaw", ["negative", "zero", "high below low"])
def test_the_judge_of_quality_reads_what_no_market_can_have(tmp_path: Path, flaw: str) -> None:
    """Shows such a bar found by the judge, exit code 1; fails when it is refused before it can be judged."""
    assert told(tmp_path, "quality", IMPOSSIBLE[flaw][0]) == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_no_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    """Shows a missing file named by every command; fails with a traceback."""
    assert told(tmp_path, command, None) == 2
    assert "bars.csv" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["patterns", "chart", "indicators"])
def test_a_hole_is_no_error(tmp_path: Path, command: str) -> None:
    """Shows bars read on across missing ones; fails when a hole refuses a file."""
    assert told(tmp_path, command, HEADING + "".join(ROWS[:20] + ROWS[25:])) == 0


def test_indicators_read_a_second_series_and_demand_their_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Shows a column named other read beside the bars, and volume demanded where it is used; fails when either is made
    up.
    """
    file = tmp_path / "two.csv"
    lines = [f"{row.strip()},{number * number % 7}\n" for number, row in enumerate(ROWS)]
    file.write_text(HEADING.strip() + ",other\n" + "".join(lines))
    assert main(["indicators", "correl", "--bars", str(file), "--set", "length=5"]) == 0
    file.write_text("".join(line.rpartition(",")[0] + "\n" for line in (HEADING, *ROWS)))
    assert main(["indicators", "obv", "--bars", str(file)]) == 2
    assert "no column volume" in capsys.readouterr().err
