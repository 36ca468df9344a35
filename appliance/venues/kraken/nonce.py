"""The one counter of a key's requests: it only rises, across restarts and power cuts too.

A venue refuses a private request whose number is not above the last one's. The file holds a number that was never
handed out; a block of numbers is reserved on the disk before the first of it is used, so that a crash skips numbers
and never repeats one. It begins at the clock's microseconds, which heals a file that was lost.
"""

import os
from pathlib import Path
from typing import Final

from appliance.core.clock import Clock
from appliance.core.errors import StoreFailure

BLOCK: Final = 1_000_000
_NANOSECONDS_PER_MICROSECOND: Final = 1_000
_DIGITS_MAX: Final = 20


class NonceCounter:
    """Hand out rising numbers."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Continue after what the file says was reserved."""
        self._path = path
        self._clock = clock
        self._next = 0
        self._reserved = 0

    def next(self) -> int:
        """Return a number above all before it."""
        if self._next >= self._reserved:
            first = max(_stored(self._path), self._reserved, self._clock.wall_ns() // _NANOSECONDS_PER_MICROSECOND)
            _store(self._path, first + BLOCK)
            self._next, self._reserved = first, first + BLOCK
        self._next += 1
        return self._next


def _stored(path: Path) -> int:
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return 0
    except (OSError, UnicodeDecodeError) as problem:
        raise StoreFailure(f"the request counter {path} cannot be read ({problem}); restore or remove it") from problem
    if not text.isdecimal() or len(text) > _DIGITS_MAX:
        raise StoreFailure(f"the request counter {path} holds no number; remove it to begin from the clock")
    return int(text)


def _store(path: Path, number: int) -> None:
    fresh = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("w", encoding="ascii") as file:
            file.write(f"{number}\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as problem:
        raise StoreFailure(f"the request counter {path} cannot be kept ({problem}); see to the disk") from problem
