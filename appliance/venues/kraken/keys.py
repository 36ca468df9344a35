"""A venue key: its public name and the private half that signs, from one file that only its owner can read."""

from pathlib import Path
from typing import Final, NamedTuple

from appliance.core.errors import ConfigError
from appliance.core.secret import Secret, read_secret

TRADER_KEY: Final = "venue.key"
LAST_RESORT_KEY: Final = "last-resort.key"


class VenueKey(NamedTuple):
    """Hold both halves."""

    name: str
    private: Secret


def read_key(path: Path) -> VenueKey:
    """Return the key in a file that holds one line: the key, a colon, the private key."""
    name, separator, private = read_secret(path).reveal().partition(":")
    if not (name and separator and private):
        raise ConfigError(f"key file {path} must hold one line, the API key, a colon and the private key")
    return VenueKey(name, Secret(private))
