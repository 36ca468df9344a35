"""The disk that holds the journal: room, whether it takes writes, and how much has been written to it.

What the kernel counts as written to a partition since boot is in its `stat` (Documentation/block/stat.rst, field 7,
in sectors of 512 bytes). An eMMC says of its own life in `life_time` (two hexadecimal numbers, in tenths).
"""

import os
from pathlib import Path
from typing import Final

from appliance.hardware.sysfs import parsed
from appliance.safety.health.disk_wear import Wear
from appliance.safety.health.verdict import Absent, Unreadable

_SECTOR_BYTES: Final = 512
_SECTORS_WRITTEN: Final = 6


def free_bytes(folder: Path) -> int | Unreadable:
    """Return the bytes that a process without privileges may still write."""
    found = _file_system(folder)
    return found.f_bavail * found.f_frsize if isinstance(found, os.statvfs_result) else found


def writable(folder: Path) -> bool | Unreadable:
    """Tell whether the file system is mounted for writing."""
    found = _file_system(folder)
    return not found.f_flag & os.ST_RDONLY if isinstance(found, os.statvfs_result) else found


def _file_system(folder: Path) -> os.statvfs_result | Unreadable:
    try:
        return os.statvfs(folder)
    except OSError as problem:
        return Unreadable(str(problem))


class WearMeter:
    """Measure what is written from the first reading on."""

    __slots__ = ("_device", "_first")

    def __init__(self, device: Path | None) -> None:
        """Read one block device's folder in /sys; None where the folder lies on none."""
        self._device = device
        self._first: tuple[int, int] | None = None

    def read(self, now_ns: int) -> Wear | Absent | Unreadable:
        """Return what was written since the first reading, and the used life if the device tells it."""
        if self._device is None:
            return Absent("no block device under the journal")
        written = parsed(self._device / "stat", _written_bytes)
        if not isinstance(written, int):
            return written
        if self._first is None or written < self._first[1]:
            self._first = (now_ns, written)
        since_ns, before = self._first
        return Wear(written - before, now_ns - since_ns, self._used_tenths())

    def _used_tenths(self) -> int | None:
        if self._device is None:
            return None
        for holder in (self._device, self._device.parent):
            tenths = parsed(holder / "device/life_time", _worst_tenths)
            if isinstance(tenths, int) and tenths > 0:
                return tenths
        return None


def device_under(folder: Path, root: Path = Path("/sys")) -> Path | None:
    """Return the folder in /sys of the block device that a folder lies on."""
    try:
        number = folder.stat().st_dev
        return (root / "dev/block" / f"{os.major(number)}:{os.minor(number)}").resolve(strict=True)
    except OSError:
        return None


def _written_bytes(text: str) -> int:
    return int(text.split()[_SECTORS_WRITTEN]) * _SECTOR_BYTES


def _worst_tenths(text: str) -> int:
    return max(int(part, 16) for part in text.split())
