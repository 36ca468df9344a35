"""Short texts from /proc and /sys, each read either a value, the word that there is none, or why it failed.

The root is handed in, so that a test reads real files of its own. Nothing longer than a page is read.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from appliance.safety.health.verdict import Absent, Unreadable

TEXT_BYTES_MAX = 4_096
FILES_MAX = 64
_T = TypeVar("_T")


def text_of(path: Path) -> str | Absent | Unreadable:
    """Return the stripped text of a small file."""
    try:
        with path.open("rb") as file:
            return file.read(TEXT_BYTES_MAX).decode("ascii").strip()
    except FileNotFoundError:
        return Absent(f"no {path.name}")
    except (OSError, ValueError) as problem:
        return Unreadable(f"{path.name}: {problem}")


def parsed(path: Path, parse: Callable[[str], _T]) -> _T | Absent | Unreadable:
    """Return what a small file says, in the form that `parse` gives it; a ValueError from it means unreadable."""
    text = text_of(path)
    if not isinstance(text, str):
        return text
    try:
        return parse(text)
    except (ValueError, LookupError):
        return Unreadable(f"{path.name} says {text[:40]!r}")


def first(paths: list[Path]) -> Path | None:
    """Return the first of some paths, in order of name."""
    return min(paths[:FILES_MAX], default=None)
