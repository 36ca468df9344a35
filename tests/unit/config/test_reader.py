"""Reading a file: every problem at once, each with its line; nothing corrected, nothing guessed."""

import hashlib
import os
from decimal import Decimal
from pathlib import Path

import pytest

from appliance.core.config import load, loads, parse
from appliance.core.errors import ConfigError
from appliance.core.settings.reader import FILE_BYTES_MAX, PROBLEMS_MAX


def problems(text: str) -> list[str]:
    """Return the lines of the error that refuses a text."""
    with pytest.raises(ConfigError) as caught:
        loads(text, "f")
    return str(caught.value).splitlines()


def test_what_is_absent_has_its_default_and_what_is_present_counts() -> None:
    """Shows that a file need hold only what differs; fails when a value is lost or a default leaks over it."""
    config = loads('[risk]\nposition_percent_max = 1.5\n[market]\ninstruments = [\n  "ETH/EUR",\n  "BTC/USD",\n]\n')
    assert config.risk.position_percent_max == Decimal("1.5")
    assert config.market.instruments == ("ETH/EUR", "BTC/USD")
    assert config.risk.positions_count_max == 10


def test_a_fraction_is_exactly_what_was_written() -> None:
    """Shows that 0.1 is a tenth; fails when numbers pass through binary floats on their way."""
    assert str(loads("[risk]\nstop_loss_percent = 0.1").risk.stop_loss_percent) == "0.1"


def test_the_fingerprint_is_of_the_exact_bytes() -> None:
    """Shows that even a comment changes the fingerprint; fails when it is taken from the parsed values."""
    data = b"# one\r\n[log]\r\n"
    assert parse(data, "f").fingerprint == hashlib.sha256(data).hexdigest()
    assert parse(data + b"#", "f").fingerprint != parse(data, "f").fingerprint


def test_all_problems_are_reported_at_once_in_the_order_of_their_lines() -> None:
    """Shows that one reading names everything there is to repair; fails when it stops at the first problem."""
    found = problems(
        "stray = 1\n[risk]\nposition_percent_max = 200\npositon_percent_max = 1\n[pns]\na = 1\nb = 2\n"
        "[safety]\nfeed_age_ms_max = 3\nlease_renew_ms = true\n[pins]\nestop = 5\n"
    )
    assert [line.split(" ")[0] for line in found] == ["f:1:", "f:3:", "f:4:", "f:5:", "f:9:", "f:10:", "f:12:"]
    assert "found 200; expected a number from 0.01 to 100, in percent" in found[1]
    assert "did you mean position_percent_max?" in found[2]
    assert "did you mean pins?" in found[3]
    assert "belongs in [market]" in found[4]
    assert "found true; expected a whole number from 5 to 500, in milliseconds" in found[5]
    assert "estop and reset use the same pin" in found[6]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[risk]\na.b = 1\n", 2, "bare name"),
        ('[risk]\n"heat_percent_max" = 1\n', 2, "bare name"),
        ('\n["risk"]\nheat_percent_max = 1000\n', 2, "bare name"),
        ("[risk.deep]\nx = 1\n", 1, "bare name"),
        ("[[risk]]\nheat_percent_max = 1000\n", 1, "arrays of tables"),
        ("risk = { heat_percent_max = 1000 }\n", 1, "inline table"),
        ("[market]\nbar_s = [{ a = 1 }]\n", 2, "inline table"),
    ],
)
def test_another_way_of_writing_is_refused(text: str, line: int, words: str) -> None:
    """Shows that each setting has one place and one spelling; fails when another form slips through."""
    found = problems(text)
    assert len(found) == 1
    assert found[0].startswith(f"f:{line}: ")
    assert words in found[0]


@pytest.mark.parametrize(
    ("before", "lines"),
    [
        ('name = """a\nb"""\n', 2),
        ("name = '''\n[pins]\nx = 1\n'''\n", 4),
        ('name = """ "" \\""" """""\n', 1),
        ('name = "a # \\" = [" # comment ["\n', 1),
        ("name = 'a # = [' # '''\n", 1),
        ("# name = [\n\n\r\n", 3),
        ("version_count = 1 # }\n", 1),
        ('name = """[""""\nlevel = "["\n', 2),
        ("name = '''it's ['''\n", 1),
        ("name = [ # ]\n\"]\", '[',\n[1, 2], ]\n", 3),
    ],
)
def test_strings_lists_and_comments_do_not_shift_lines(before: str, lines: int) -> None:
    """Shows that the line named is right after anything confusing; fails when a bracket in a string counts."""
    found = problems(f"[device]\n{before}unknown_thing = 1\n")
    assert any(line.startswith(f"f:{lines + 2}: device.unknown_thing: unknown setting") for line in found), found


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xef\xbb\xbf[log]", "f:1: starts with a byte order mark"),
        (b"[log]\n\n\0", "f:3: holds a zero byte"),
        (b"[log]\n# \xff", "f:2: is not UTF-8"),
        (b"#" * (FILE_BYTES_MAX + 1), "f: is larger than"),
        (b"[log]\nlevel = ", "f:2: is not valid TOML"),
        (b'[log]\nlevel = "info"\nlevel = "info"', "f:3: is not valid TOML"),
        (b"[log]\n[log]\n", "f:2: is not valid TOML"),
        (b"a = " + b"[" * 30_000, "nested too deeply"),
        (b"a = " + b"9" * 5_000, "far out of any range"),
        (b"[device]\nversion_count = 0x" + b"f" * 60_000, "found a whole number of 240000 bits"),
        (b"[risk]\nheat_percent_max = 1e99999999999999999999", "expected a number from 0.01 to 100"),
        (b"[risk]\nheat_percent_max = 1e-99999999", "expected a number from 0.01 to 100"),
        (b'[log]\nlevel = "\\u001b[31m\\u202e' + b"x" * 500 + b'"', "found '\\x1b[31m\\u202exxx"),
    ],
)
def test_a_damaged_or_hostile_file_is_one_clear_sentence(data: bytes, words: str) -> None:
    """Shows that no file reaches a traceback or the terminal's control codes; fails for one that is not foreseen."""
    with pytest.raises(ConfigError) as caught:
        parse(data, "f")
    assert words in str(caught.value)
    assert len(str(caught.value)) < 400
    assert str(caught.value).isprintable()


def test_the_list_of_problems_is_bounded() -> None:
    """Shows that a file of nothing but problems gives a short report; fails when every line of it is repeated."""
    found = problems("[risk]\n" + "".join(f"unknown_{number} = 1\n" for number in range(500)))
    assert len(found) == PROBLEMS_MAX + 1
    assert found[-1] == "f: and 450 more problems"


def test_a_path_that_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    """Shows that a folder, a pipe, an endless device or nothing is refused at once; fails by hanging on the pipe."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (tmp_path, pipe, Path("/dev/zero"), tmp_path / "absent", Path("zero\0byte")):
        with pytest.raises(ConfigError, match="give the path of an appliance"):
            load(path)


def test_a_large_file_is_refused_while_reading(tmp_path: Path) -> None:
    """Shows that no more than the limit is read; fails when a huge file is taken into memory first."""
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ConfigError, match="larger than"):
        load(large)
