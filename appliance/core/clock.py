"""Time is handed in: this module and the shells are the only ones that may read it.

Two clocks, never mixed. The monotonic one times waits, ages and leases and means nothing after a reboot.
The wall clock (UTC nanoseconds) dates records and days; it may be wrong, step, or not be set at all.
"""

import time
from typing import Protocol

NANOSECONDS_PER_MICROSECOND = 1_000
NANOSECONDS_PER_MILLISECOND = 1_000_000
NANOSECONDS_PER_SECOND = 1_000_000_000
NANOSECONDS_PER_DAY = 86_400 * NANOSECONDS_PER_SECOND


class Clock(Protocol):
    """Tell both times in nanoseconds."""

    def monotonic_ns(self) -> int:
        """Return nanoseconds that never go back."""
        ...

    def wall_ns(self) -> int:
        """Return nanoseconds since 1970 in UTC as far as they are known."""
        ...


class SystemClock:
    """Read the machine's clocks."""

    __slots__ = ()

    def monotonic_ns(self) -> int:
        """Return the machine's CLOCK_MONOTONIC."""
        return time.monotonic_ns()

    def wall_ns(self) -> int:
        """Return the machine's CLOCK_REALTIME."""
        return time.time_ns()


class VirtualClock:
    """Hold time still until it is told to move."""

    __slots__ = ("_monotonic_ns", "wall_offset_ns")

    def __init__(self, monotonic_ns: int = 0, wall_ns: int = 0) -> None:
        """Start at the two given times."""
        self._monotonic_ns = monotonic_ns
        self.wall_offset_ns = wall_ns - monotonic_ns

    def monotonic_ns(self) -> int:
        """Return the virtual monotonic time."""
        return self._monotonic_ns

    def wall_ns(self) -> int:
        """Return the virtual wall time, which may have been stepped."""
        return self._monotonic_ns + self.wall_offset_ns

    def advance_to(self, monotonic_ns: int) -> None:
        """Move forward to a moment; earlier moments leave time where it is."""
        self._monotonic_ns = max(self._monotonic_ns, monotonic_ns)
