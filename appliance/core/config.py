"""The configuration: one file, read once, frozen.

The settings, their bounds and their explanations are the table in `core/settings`. This module is the door to it, and
like the table it uses the standard library alone, because the guardian comes in through it.
"""

from pathlib import Path

from appliance.core.bounded_file import FileRead, read_bounded
from appliance.core.errors import ConfigError
from appliance.core.settings.reader import FILE_BYTES_MAX, parse
from appliance.core.settings.table import Config

__all__ = ["CONFIG_PATH", "DEMO_PATH", "Config", "demo", "load", "loads", "parse", "read"]

CONFIG_PATH = Path("/etc/bot4-edge/appliance.toml")
DEMO_PATH = Path(__file__).resolve().parent.parent / "profiles" / "demo.toml"


def read(path: Path) -> bytes:
    """Return the exact bytes of a configuration file, not yet parsed."""
    outcome = read_bounded(path, FILE_BYTES_MAX)
    if isinstance(outcome, FileRead):
        return outcome.data
    raise ConfigError(f"configuration {path} {outcome.reason}; give the path of an appliance.toml")


def load(path: Path | str) -> Config:
    """Return the configuration in a file."""
    return parse(read(Path(path)), str(path))


def loads(text: str, name: str = "configuration") -> Config:
    """Return the configuration in a text."""
    try:
        return parse(text.encode(), name)
    except UnicodeEncodeError:
        raise ConfigError(f"{name}: is not text that can be written as UTF-8") from None


def demo() -> Config:
    """Return the packaged demonstration configuration: simulated pins, synthetic market, paper money."""
    return load(DEMO_PATH)
