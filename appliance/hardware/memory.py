"""Memory: how much the kernel could still give out, and giving back what only a start needed.

A compiler is a large library of which nothing is used once everything is compiled, but its pages stay in the process as
long as nobody else needs them. Its code can be let go at any time, because it is read from its file again when it is
called. Only mappings that can be executed and not written are let go: what the loader has changed after reading, such
as the table of addresses, is in none of them and would be lost.
"""

import ctypes
from pathlib import Path

from appliance.hardware.sysfs import parsed
from appliance.safety.health.verdict import Absent, Unreadable

_KIBIBYTE = 1_024
_CODE = "r-xp"
_DONT_NEED = 4
_madvise = ctypes.CDLL(None).madvise
_madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


def _available(text: str) -> int:
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * _KIBIBYTE
    raise LookupError


def give_back(library: str, root: Path = Path("/proc/self")) -> int:
    """Let go of the code of a library that is loaded, and return how many bytes of it were in memory."""
    given = 0
    start, end, ours = 0, 0, False
    for line in (root / "smaps").read_text().splitlines():
        word, _, rest = line.partition(" ")
        if "-" in word and not word.endswith(":"):
            start, end = (int(part, 16) for part in word.split("-"))
            ours = rest.startswith(_CODE) and line.endswith(f"/{library}")
        elif ours and word == "Rss:" and _madvise(start, end - start, _DONT_NEED) == 0:
            given += int(rest.split()[0]) * _KIBIBYTE
    return given


def available_bytes(root: Path = Path("/proc")) -> int | Absent | Unreadable:
    """Return the bytes that are available."""
    return parsed(root / "meminfo", _available)
