"""The table of settings: every row can be used, keeps its bounds, and is in the file that owners start from."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from appliance.core.config import Config, demo, load, loads
from appliance.core.errors import ConfigError
from appliance.core.settings.explain import explanation, in_force, template
from appliance.core.settings.kinds import (
    Address,
    Choice,
    Exact,
    Folder,
    OrNothing,
    Several,
    Switch,
    Text,
    VerifyingKey,
    Whole,
)
from appliance.core.settings.table import SECTIONS, SETTINGS, Setting

ROOT = Path(__file__).resolve().parents[3]
FIRST_BOOT = ROOT / "firmware_config" / "appliance.toml"
# A public key of RFC 8032, 7.1.
VECTOR = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
ALL = pytest.mark.parametrize("setting", SETTINGS.values(), ids=list(SETTINGS))


def refused(setting: Setting, value: str) -> str:
    """Return the message that refuses a value written on the third line."""
    with pytest.raises(ConfigError) as caught:
        loads(f"# a comment\n[{setting.section}]\n{setting.key} = {value}\n", "file.toml")
    return next(
        line for line in str(caught.value).splitlines() if line.startswith(f"file.toml:3: {setting.name}: found")
    )


def outside(setting: Setting) -> list[str]:  # noqa: C901, PLR0911 - one answer for each kind
    """Return values of the right type just outside what a setting accepts."""
    kind: Any = setting.kind
    match kind:
        case Whole():
            return [str(kind.minimum - 1), str(kind.maximum + 1)]
        case Exact():
            step = Decimal(1).scaleb(-kind.places)
            return [
                f"{kind.minimum - step:f}",
                f"{kind.maximum + step:f}",
                f"{kind.minimum + step / 10:f}",
                "nan",
                "inf",
            ]
        case Switch():
            return ['"true"']
        case Choice():
            return ['"PAPER"', '""'] if isinstance(kind.allowed[0], str) else ["0", "2", "true"]
        case Text():
            return ['""', '" "', '"' + "a" * 200 + '"', '"tab\\t"']
        case Address():
            return ['"localhost"', '"127.1"', '"256.0.0.1"', '"fe80::1%eth0"', '"127.0.0.1 "']
        case Folder():
            return ['"relative"', '"/a/../b"', '"/"', '"/a b"', '"/' + "a" * 80 + '"', '"/a\\u0000b"']
        case VerifyingKey():
            return [f'"{"0" * 64}"', f'"{"ab" * 31}"', f'"{VECTOR.upper()}"', f'"{VECTOR}0"', "7"]
        case Several():
            one = kind.element.toml(setting.default[0])  # type: ignore[index]
            many = ", ".join(f'"AA{number}/USD"' for number in range(kind.count_max + 1))
            return ["[]", f"[{one}, {one}]", f"[{many}]", "[1]", one]
        case OrNothing():
            return [value for value in outside(setting._replace(kind=kind.kind)) if value != '""']
        case _:
            raise AssertionError(setting)


@ALL
def test_a_default_is_accepted_by_its_own_row(setting: Setting) -> None:
    """Shows that no default is outside its own bounds; fails for a row whose default would be refused in a file."""
    config = loads(f"[{setting.section}]\n{setting.key} = {setting.kind.toml(setting.default)}\n")
    assert getattr(getattr(config, setting.section), setting.key) == setting.default


@ALL
def test_a_value_outside_is_refused_with_its_line_and_what_was_expected(setting: Setting) -> None:
    """Shows that both sides of every bound refuse, naming line and range; fails when a row's bound is not applied."""
    for value in outside(setting):
        assert setting.expected in refused(setting, value), value


@ALL
def test_a_value_of_another_type_is_refused(setting: Setting) -> None:
    """Shows that no type stands in for another (true is not 1, "5" is not 5); fails when a kind converts."""
    kind: Any = setting.kind
    numeric = isinstance(kind, Whole | Exact) or (isinstance(kind, Choice) and isinstance(kind.allowed[0], int))
    wrong = ["1979-05-27", "07:32:00", "[[1]]", '"5"' if numeric else "5"]
    wrong += [] if isinstance(kind, Switch) else ["true"]
    wrong += [] if isinstance(kind, Exact) else ["1.0"]
    for value in wrong:
        assert setting.expected in refused(setting, value), value


@ALL
def test_both_bounds_themselves_are_accepted(setting: Setting) -> None:
    """Shows that the stated range is the accepted one; fails when a comparison excludes its own bound."""
    kind: Any = setting.kind
    if isinstance(kind, Whole | Exact):
        assert kind.accepts(kind.minimum)
        assert kind.accepts(kind.maximum)


@ALL
def test_a_row_explains_itself(setting: Setting) -> None:
    """Shows that each setting has a sentence, a range and a default to read; fails for an unexplained one."""
    text = explanation(setting)
    assert setting.explanation.endswith((".", ";"))
    assert len(setting.explanation) > 8
    assert "Expected:" in text
    assert "Default:" in text


def test_numbers_carry_their_unit() -> None:
    """Shows that every number except a pin, a port or a seed names its unit; fails for a bare `timeout`."""
    unit = re.compile(
        r"(?:^|_)(ms|us|s|celsius|percent|quote|bytes|rows|pages|count|megabytes_per_day|per_minute|per_s|per_second)(_max|_min)?$"
    )
    exempt = {"panel_port", "seed"}
    numbers = [one for one in SETTINGS.values() if isinstance(one.kind, Whole | Exact) and one.section != "pins"]
    assert [one.name for one in numbers if not unit.search(one.key) and one.key not in exempt] == []


def test_the_first_boot_file_is_the_table() -> None:
    """Shows that the file owners start from is made from the table; fails when either is changed alone."""
    assert FIRST_BOOT.read_text() == template()


def test_the_first_boot_file_sets_every_setting_to_its_default() -> None:
    """Shows that the file is complete and changes nothing; fails for a setting it forgets or sets otherwise."""
    text = FIRST_BOOT.read_text()
    written = re.findall(r"^(\w+) = ", text, re.MULTILINE)
    assert written == [setting.key for setting in SETTINGS.values()]
    loaded, defaults = load(FIRST_BOOT), loads("")
    assert [getattr(loaded, section) for section in SECTIONS] == [getattr(defaults, section) for section in SECTIONS]


def test_the_file_can_be_shown_and_loaded_again() -> None:
    """Shows that what `show` prints is itself a configuration with the same values; fails when a value is misspelt."""
    config = demo()
    again = loads(in_force(config))
    assert [getattr(again, section) for section in SECTIONS] == [getattr(config, section) for section in SECTIONS]


def test_the_demonstration_is_quick_synthetic_and_harmless() -> None:
    """Shows that the demonstration trades paper within seconds and has no pins; fails when it could touch either."""
    config = demo()
    assert (config.trading.mode, config.pins.factory, config.market.bar_s) == ("paper", "simulated", 1)
    assert config.risk.minimum_hold_s < 10
    assert "synthetic" in (ROOT / "appliance" / "profiles" / "demo.toml").read_text()


def test_a_configuration_is_frozen() -> None:
    """Shows that no part can be changed after loading; fails when a section can be assigned to."""
    config: Any = loads("")
    with pytest.raises(AttributeError):
        config.risk.heat_percent_max = Decimal(99)
    with pytest.raises(AttributeError):
        config.risk = None
    assert isinstance(config, Config)
