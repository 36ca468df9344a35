"""How much memory the kernel could still give out without swapping: MemAvailable of /proc/meminfo."""

from pathlib import Path

from appliance.hardware.sysfs import parsed
from appliance.safety.health.verdict import Absent, Unreadable

_KIBIBYTE = 1_024


def _available(text: str) -> int:
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * _KIBIBYTE
    raise LookupError


def available_bytes(root: Path = Path("/proc")) -> int | Absent | Unreadable:
    """Return the bytes that are available."""
    return parsed(root / "meminfo", _available)
