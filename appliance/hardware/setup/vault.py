"""Keys at rest: encrypted by systemd with a key that only this box's data partition holds.

A board without a security chip can do no better: who has the card has both halves. It keeps keys out of backups, out of
the processes that have no business with them, and off the card's first partition.
"""

import os
from pathlib import Path
from typing import Final, Protocol

from appliance.core.secret import Secret
from appliance.hardware.setup.programs import called

_TOOL: Final = "systemd-creds"


class Vault(Protocol):
    """Keep secrets by name."""

    def put(self, name: str, secret: Secret) -> None:
        """Keep a secret, in place of an older one of this name."""
        ...

    def get(self, name: str) -> Secret | None:
        """Return a secret, if there is one."""
        ...

    def names(self) -> list[str]:
        """Return what is kept."""
        ...


class SystemdVault:
    """Keep secrets as systemd's encrypted credentials, where its services find them."""

    def __init__(self, folder: Path) -> None:
        """Keep them in this folder, which is made when needed."""
        self._folder = folder

    def put(self, name: str, secret: Secret) -> None:
        """Encrypt a secret and keep it durably."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sealed = called((_TOOL, "encrypt", "--with-key=host", f"--name={name}", "-", "-"), secret.reveal().encode())
        part = self._folder / f".{name}.part"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._folder / name)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(folder)
        os.close(folder)

    def get(self, name: str) -> Secret | None:
        """Decrypt a secret."""
        path = self._folder / name
        if not path.exists():
            return None
        return Secret(called((_TOOL, "decrypt", f"--name={name}", str(path), "-")).decode())

    def names(self) -> list[str]:
        """Return what is kept, without its content."""
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.iterdir() if not path.name.startswith("."))
