"""A new pair of signing keys, written where no other lies."""

import os
from pathlib import Path
from typing import NamedTuple

from appliance.core.errors import SealError
from appliance.core.seal import generate, key_line


class KeyFiles(NamedTuple):
    """Say where a pair was written, and its public key."""

    private: Path
    public: Path
    verifying: bytes


def write_key_pair(folder: Path, purpose: str) -> KeyFiles:
    """Make a key for one purpose and write both halves into a folder."""
    private, public = folder / f"{purpose}-private.key", folder / f"{purpose}-public.key"
    pair = generate()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if public.exists():
            raise SealError(f"{public} exists; keep its key, or choose an empty folder")
        # Created for the owner alone and never over another key: what that one signed could not be renewed.
        _write_new(private, key_line("private", pair.private.reveal(), purpose), 0o600)
        _write_new(public, key_line("public", pair.public.hex(), purpose), 0o644)
    except FileExistsError:
        raise SealError(f"{private} exists; keep it, or choose an empty folder") from None
    except OSError as problem:
        raise SealError(f"keys cannot be written to {folder} ({problem.strerror}); choose another folder") from None
    return KeyFiles(private, public, pair.public)


def _write_new(path: Path, text: str, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
