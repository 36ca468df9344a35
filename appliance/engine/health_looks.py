"""Which checks the machine has: each reading joined with its judge and its limit."""

from collections.abc import Callable
from typing import NamedTuple

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND
from appliance.core.settings.machine import Health
from appliance.engine.health_task import Look
from appliance.safety.health import (
    disk_space,
    disk_wear,
    disk_writable,
    journal,
    memory,
    temperature,
    throttling,
    venue_clock,
    voltage,
)
from appliance.safety.health.disk_wear import Wear
from appliance.safety.health.journal import Journaling
from appliance.safety.health.verdict import Absent, Unreadable
from appliance.store.journal import JournalStatus

_MILLI = 1_000
Number = Callable[[], int | Absent | Unreadable]


class Sources(NamedTuple):
    """Join everything that is read."""

    temperature: Number
    throttled: Number
    voltage: Number
    free: Number
    writable: Callable[[], bool | Absent | Unreadable]
    wear: Callable[[], Wear | Absent | Unreadable]
    memory: Number
    journal: Callable[[], Journaling | Absent | Unreadable]
    venue_clock: Number


def looks(limits: Health, clock_offset_ms_max: int, sources: Sources) -> tuple[Look, ...]:
    """Return every check as one function of its own last verdict."""
    return (
        lambda before: temperature.judge(sources.temperature(), limits.temperature_celsius_max * _MILLI, before),
        lambda _before: throttling.judge(sources.throttled()),
        lambda _before: voltage.judge(sources.voltage()),
        lambda before: disk_space.judge(sources.free(), limits.disk_free_bytes_min, before),
        lambda _before: disk_writable.judge(sources.writable()),
        lambda _before: disk_wear.judge(sources.wear(), limits.disk_writes_megabytes_per_day_max),
        lambda before: memory.judge(sources.memory(), limits.memory_free_bytes_min, before),
        lambda before: journal.judge(sources.journal(), limits.journal_ms_max, before),
        lambda before: venue_clock.judge(sources.venue_clock(), clock_offset_ms_max, before),
    )


def venue_clock_apart(apart_ns: Callable[[], int | None]) -> Number:
    """Return a reading of how many milliseconds the venue's clock is ahead; without a connection there is none."""

    def read() -> int | Absent:
        apart = apart_ns()
        return Absent("no order connection") if apart is None else round(apart / NANOSECONDS_PER_MILLISECOND)

    return read


class JournalWatch:
    """Notice rows that wait while nothing becomes durable."""

    __slots__ = ("_appended", "_moved_ns", "_sequence", "_status")

    def __init__(self, status: Callable[[], JournalStatus], appended: Callable[[], int]) -> None:
        """Ask one journal."""
        self._appended = appended
        self._status = status
        self._sequence = -1
        self._moved_ns = 0

    def read(self, now_ns: int) -> Journaling:
        """Return the last commit's duration and how long the present rows have waited."""
        status = self._status()
        waiting = max(self._appended() - status.head.sequence, 0)
        if waiting == 0 or status.head.sequence != self._sequence:
            self._sequence, self._moved_ns = status.head.sequence, now_ns
        return Journaling(status.commit_ns_last, now_ns - self._moved_ns, waiting)
