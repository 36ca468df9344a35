"""The keys of the paper account as files, issued once, as a venue issues a key to its owner.

The trader's may trade and never withdraw. The last resort has one of its own, which may look and cancel; only where the
stop policy is to close positions may it place orders as well.
"""

import os
from pathlib import Path
from typing import Final

from appliance.core.config import Config
from appliance.core.errors import ConfigError
from appliance.venues.kraken.keys import LAST_RESORT_KEY, TRADER_KEY, key_path, read_key
from appliance.venues.simulator.kraken.keys import CANCEL, TRADE, ApiKey, drawn_key

_FLATTEN: Final = "flatten"


def keys_of(config: Config) -> list[ApiKey]:
    """Return the keys handed to the service, or those in the state folder, made first where there are none."""
    state = config.paths.state
    last = TRADE if config.safety.stop_policy == _FLATTEN else CANCEL
    return [
        issued(key_path(TRADER_KEY, state, "paper"), "trader", TRADE),
        issued(key_path(LAST_RESORT_KEY, state, "paper"), "last resort", last),
    ]


def issued(path: Path, name: str, permissions: frozenset[str]) -> ApiKey:
    """Return the key in a file, made first if there is none."""
    if not path.exists():
        _write(path, drawn_key(name, permissions))
    key = read_key(path)
    return ApiKey(name, key.name, key.private, permissions)


def _write(path: Path, key: ApiKey) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{key.key}:{key.private_key.reveal()}\n")
        fresh.replace(path)
    except OSError as problem:
        raise ConfigError(f"cannot make the key {path}: {problem.strerror}; name another state folder") from problem
