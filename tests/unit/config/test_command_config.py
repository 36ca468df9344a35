"""`appliance config` as a person uses it."""

from pathlib import Path

import pytest

from appliance.__main__ import main
from appliance.core.settings.table import SETTINGS
from tests.live_settings import LIVE


def test_check_accepts_a_good_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows a good file's verdict and exit code 0; fails when checking needs more than the file."""
    path = tmp_path / "appliance.toml"
    path.write_text("[device]\nversion_count = 7\n")
    assert main(["config", "check", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: good, version 7, paper\n"


def test_check_says_that_a_live_file_was_not_verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows that a live file without a seal is not called ready; fails when the verdict hides that."""
    path = tmp_path / "appliance.toml"
    path.write_text(LIVE)
    assert main(["config", "check", str(path)]) == 0
    assert "live trading needs its seal" in capsys.readouterr().out


def test_check_lists_problems_and_exits_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows every problem and exit code 1; fails when a refused file is reported as an error of use."""
    path = tmp_path / "appliance.toml"
    path.write_text("[pins]\nestop = 1\nreset = 99\n")
    assert main(["config", "check", str(path)]) == 1
    printed = capsys.readouterr().out
    assert f"{path}:2: pins.estop: found 1; expected a whole number from 2 to 27" in printed
    assert f"{path}:3: pins.reset: found 99" in printed
    assert printed.endswith(f"{path}: refused\n")


@pytest.mark.parametrize(
    "words", [["check", "/nonexistent/file"], ["show", "/nonexistent/file"], ["explain", "heat_percent"]]
)
def test_bad_input_exits_with_2_and_a_sentence(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Shows that a wrong path or name is a sentence and exit code 2; fails with a traceback."""
    assert main(["config", *words]) == 2
    assert capsys.readouterr().err.startswith("appliance: ")


def test_half_a_seal_is_an_error_of_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows that a forgotten option is named; fails when the seal would silently not be verified."""
    path = tmp_path / "appliance.toml"
    path.write_text("")
    assert main(["config", "check", str(path), "--device", "a"]) == 2
    assert "--seal, --public-key, --state" in capsys.readouterr().err


def test_explain_knows_a_setting_a_section_and_a_key_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """Shows that each way of asking is answered; fails when only the full name is known."""
    for words, count in (["risk.heat_percent_max"], 1), (["heat_percent_max"], 1), (["log"], 1), ([], len(SETTINGS)):
        assert main(["config", "explain", *words]) == 0
        assert capsys.readouterr().out.count("  Expected: ") == count


def test_explain_toml_is_a_usable_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows that the printed file passes its own check; fails when the template and the reader disagree."""
    assert main(["config", "explain", "--toml"]) == 0
    path = tmp_path / "appliance.toml"
    path.write_text(capsys.readouterr().out)
    assert main(["config", "check", str(path)]) == 0


def test_show_marks_what_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows the values in force beside their defaults; fails when a changed one is not marked."""
    path = tmp_path / "appliance.toml"
    path.write_text("[risk]\nheat_percent_max = 10\n")
    assert main(["config", "show", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "heat_percent_max = 10  # default 25" in printed
    assert printed.count("# default") == 1
