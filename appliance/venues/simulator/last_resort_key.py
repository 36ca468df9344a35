"""The secret of the last-resort channel: the built-in venue issues it, as a real one issues a second key."""

import os
import secrets
from pathlib import Path
from typing import Final

from appliance.core.errors import ConfigError
from appliance.core.secret import Secret, read_secret

KEY_NAME: Final = "last-resort.key"
_KEY_BYTES: Final = 32


def issue_key(path: Path) -> Secret:
    """Return the key in a file, made first if there is none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return read_secret(path)
    except OSError as problem:
        raise ConfigError(f"the key {path} cannot be made: {problem.strerror}; name another place for it") from problem
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(_KEY_BYTES) + "\n")
    return read_secret(path)
