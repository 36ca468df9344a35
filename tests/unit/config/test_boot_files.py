"""The Raspberry Pi's boot files agree with the settings, and say why each line is there."""

from pathlib import Path

from appliance.core.config import loads

FOLDER = Path(__file__).resolve().parents[3] / "firmware_config"
LINE_CHARACTERS_MAX = 98


def config_lines() -> list[str]:
    """Return the lines of config.txt."""
    return (FOLDER / "config.txt").read_text().splitlines()


def test_the_firmware_reads_every_line_whole() -> None:
    """Shows that no line is longer than what the firmware reads; fails when the end of a setting would be ignored."""
    assert [line for line in config_lines() if len(line) > LINE_CHARACTERS_MAX] == []


def test_every_setting_follows_its_reason() -> None:
    """Shows that each setting has a comment above it or shares one; fails for a setting nobody explained."""
    lines = config_lines()
    for number, line in enumerate(lines):
        if line and not line.startswith("#"):
            assert lines[number - 1].startswith("#") or not lines[number - 1].startswith("-"), line
            assert lines[number - 1] != "", line


def test_every_word_of_the_command_line_is_explained() -> None:
    """Shows that cmdline.txt is one line whose every word has a reason in config.txt; fails for a stray word."""
    text = (FOLDER / "cmdline.txt").read_text()
    assert text.count("\n") == 1
    explained = [line.split()[1] for line in config_lines() if line.startswith("# ") and len(line.split()) > 2]
    assert [word for word in text.split() if word not in explained] == []


def test_the_firmware_lights_and_pulls_the_pins_of_the_settings() -> None:
    """Shows that the default pins are those the firmware prepares; fails when one is moved in one place only."""
    pins = loads("").pins
    lines = config_lines()
    for line in (
        f"gpio={pins.red}=op,dh",
        f"gpio={pins.green},{pins.blue},{pins.yellow}=op,dl",
        f"gpio={pins.relay}=op,dl",
        f"gpio={pins.estop}=ip,pd",
        f"gpio={pins.reset},{pins.tamper}=ip",
    ):
        assert line in lines
