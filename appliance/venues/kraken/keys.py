"""A venue key: its public name and the private half that signs, from one file that only its owner can read."""

from pathlib import Path
from typing import Final, NamedTuple

from appliance.core.errors import ConfigError
from appliance.core.secret import Secret, handed, read_secret

TRADER_KEY: Final = "venue.key"
LAST_RESORT_KEY: Final = "last-resort.key"
# The paper account's keys are others than the owner's, which the paper venue never sees.
_PAPER: Final = "paper"


class VenueKey(NamedTuple):
    """Hold both halves."""

    name: str
    private: Secret


def key_path(name: str, state: Path, mode: str) -> Path:
    """Return where the key for a mode of trading lies: handed to the service, or in the state folder."""
    return handed(f"{_PAPER}-{name}" if mode == _PAPER else name) or state / name


def read_key(path: Path) -> VenueKey:
    """Return the key in a file that holds one line: the key, a colon, the private key."""
    name, separator, private = read_secret(path).reveal().partition(":")
    if not (name and separator and private):
        raise ConfigError(f"key file {path} must hold one line, the API key, a colon and the private key")
    return VenueKey(name, Secret(private))
