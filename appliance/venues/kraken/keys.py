"""A venue key: its public name and the private half that signs, from one file that only its owner can read."""

import os
from pathlib import Path
from typing import Final, NamedTuple

from appliance.core.errors import ConfigError
from appliance.core.secret import Secret, read_secret

TRADER_KEY: Final = "venue.key"
LAST_RESORT_KEY: Final = "last-resort.key"
# systemd.exec(5), LoadCredential=: only the service that is handed a key can read it.
_CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"


class VenueKey(NamedTuple):
    """Hold both halves."""

    name: str
    private: Secret


def key_path(name: str, state: Path) -> Path:
    """Return where a key lies: among the credentials handed to the service, or in the state folder."""
    credentials = os.environ.get(_CREDENTIALS)
    handed = Path(credentials) / name if credentials else None
    return handed if handed is not None and handed.exists() else state / name


def read_key(path: Path) -> VenueKey:
    """Return the key in a file that holds one line: the key, a colon, the private key."""
    name, separator, private = read_secret(path).reveal().partition(":")
    if not (name and separator and private):
        raise ConfigError(f"key file {path} must hold one line, the API key, a colon and the private key")
    return VenueKey(name, Secret(private))
