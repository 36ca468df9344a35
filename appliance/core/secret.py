"""Keep keys out of everything that prints: logs, tracebacks, records, reports.

A secret is a text that shows itself only to who calls `reveal()`. It cannot be formatted, pickled, encoded or hashed by
accident, and it comes from a file of its own that nobody but its owner can read, never from the configuration.
"""

import hmac
import os
from pathlib import Path
from typing import NoReturn, Self

from appliance.core.bounded_file import FileRead, read_bounded
from appliance.core.errors import ConfigError

SECRET_BYTES_MAX = 8_192
_HIDDEN = "Secret(hidden)"
_OTHERS_OR_GROUP_WRITE = 0o037
_GROUP_READ = 0o040
# systemd.exec(5), LoadCredential=: only the service that is handed a secret can read it.
_CREDENTIALS = "CREDENTIALS_DIRECTORY"


class Secret:
    """Hold a text that must never be printed."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself, to hand it on at once."""
        return self._text

    def __repr__(self) -> str:
        return _HIDDEN

    def __str__(self) -> str:
        return _HIDDEN

    def __format__(self, form: str) -> str:
        return _HIDDEN

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        # A comparison that stops at the first difference tells a patient stranger the text letter by letter.
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    # A hash is a fingerprint of the text, and ends up wherever dictionaries are shown.
    __hash__ = None  # type: ignore[assignment]

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memory: dict[int, object]) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not written anywhere; hand over the path of its file instead")


def handed(name: str) -> Path | None:
    """Return where a credential handed to this service lies, or nothing where none of this name was handed over."""
    folder = os.environ.get(_CREDENTIALS)
    if not folder:
        return None
    outcome = read_bounded(Path(folder) / name, SECRET_BYTES_MAX)
    # One that is there and cannot be read is the reader's to complain about.
    return None if not isinstance(outcome, FileRead) and outcome.absent else Path(folder) / name


def read_secret(path: Path) -> Secret:
    """Return the one line in a file that only its owner can read."""
    outcome = read_bounded(path, SECRET_BYTES_MAX)
    if not isinstance(outcome, FileRead):
        raise ConfigError(f"secret {path} {outcome.reason}; give the path of a file that holds the key alone")
    if _open_to_others(outcome.status.st_mode, outcome.status.st_uid, outcome.status.st_gid):
        raise ConfigError(f"secret {path} can be read by others; run: chmod 600 {path}")
    try:
        text = outcome.data.decode("ascii").strip()
    except UnicodeDecodeError:
        text = ""
    if not text.isprintable() or not text:
        # What was found is not shown: it may be the better half of a key.
        raise ConfigError(f"secret {path} does not hold one line of plain characters; write the key into it again")
    return Secret(text)


def _open_to_others(mode: int, owner: int, group: int) -> bool:
    if mode & _OTHERS_OR_GROUP_WRITE:
        return True
    # systemd.exec(5), LoadCredential=: the service's user reads through an access list, whose mask shows as the
    # group's bit on a file of root's. Nobody else is in it.
    return bool(mode & _GROUP_READ) and (owner, group) != (0, 0)
