"""The card's first partition: read-only but for the moment in which something is written to it.

A power cut must leave it as it was or as it shall be. A new text goes to a file of another name that is then renamed;
only the wiping of keys overwrites in place, because there the old bytes are what must go.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from appliance.core.bounded_file import FileRead, FileRefused, read_bounded
from appliance.core.errors import StoreFailure

_PART: Final = "STATUS.NEW"


class Card:
    """Read and write the owner's files."""

    def __init__(self, folder: Path, remount: Callable[[str], None]) -> None:
        """Take the folder the partition is mounted at, and how to make it writable and read-only again."""
        self._folder = folder
        self._remount = remount

    def read(self, name: str, bytes_max: int) -> FileRead | FileRefused:
        """Read one file whole, if it is there and not too large."""
        return read_bounded(self._folder / name, bytes_max)

    def replace(self, name: str, text: str) -> bool:
        """Write a text whole, unless it is there already; tell whether it was written."""
        data = text.encode()
        found = self.read(name, len(data) + 1)
        if isinstance(found, FileRead) and found.data == data:
            return False
        with self._writable():
            part = self._folder / _PART
            _write(part, data, os.O_CREAT | os.O_TRUNC)
            part.replace(self._folder / name)
        return True

    def overwrite(self, name: str, data: bytes) -> None:
        """Write over a file's bytes where they are."""
        with self._writable():
            _write(self._folder / name, data, 0)

    @contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            self._remount("rw")
            try:
                yield
            finally:
                os.sync()
                self._remount("ro")
        except OSError as problem:
            raise StoreFailure(f"the card's first partition cannot be written ({problem.strerror})") from problem


def _write(path: Path, data: bytes, flags: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | flags, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
