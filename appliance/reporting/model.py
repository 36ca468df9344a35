"""What the reporter knows: the latest telemetry, the last rows and the equity's course, all bounded.

Rows must arrive in sequence. One that was seen before is counted and ignored; a gap means the link lost something, so
it is refused and the caller subscribes again. The equity's course keeps a fixed number of points: when it is full,
every second point goes and the distance between points doubles, so an hour and a month take the same room.
"""

from collections import deque
from collections.abc import Callable

import msgspec

from appliance.core.errors import JournalDamaged, WireError
from appliance.core.records import Row
from appliance.core.values import PARTS_PER_MILLION
from appliance.reporting.audit_tail import AuditEntry
from appliance.reporting.box import BoxView
from appliance.reporting.story import Entry, entry_of
from appliance.trading.records import Equity, decode
from appliance.wire.report import Grid, Hello, Telemetry

STALE_AFTER_MS = 3000
_HISTORY_POINTS_MAX = 600
_POINT_INTERVAL_MS_FIRST = 1000
_KEPT_OF_A_KIND = 20
_KINDS_MAX = 16
_OTHER_KINDS = "other kinds"


class Point(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Carry the equity at one moment."""

    wall_ms: int
    equity_quanta: int
    drawdown_ppm: int


class History:
    """Keep the equity's course in a fixed number of points."""

    __slots__ = ("_points", "_points_max", "interval_ms", "version")

    def __init__(self, points_max: int = _HISTORY_POINTS_MAX) -> None:
        """Keep so many points at most."""
        self._points: list[Point] = []
        self._points_max = points_max
        self.interval_ms = _POINT_INTERVAL_MS_FIRST
        self.version = 0

    @property
    def points(self) -> tuple[Point, ...]:
        """Return the points, oldest first."""
        return tuple(self._points)

    def add(self, point: Point) -> None:
        """Add a point unless it is too near to the last; a clock that went back cuts what lies ahead of it."""
        while self._points and self._points[-1].wall_ms > point.wall_ms:
            self._points.pop()
        if self._points and point.wall_ms - self._points[-1].wall_ms < self.interval_ms:
            return
        self._points.append(point)
        self.version += 1
        if len(self._points) >= self._points_max:
            self._points = self._points[::2]
            self.interval_ms *= 2


class Model:
    """Hold what the panel and the metrics show."""

    __slots__ = (
        "_by_kind",
        "_entries",
        "_greeted_sequence",
        "_received_ns",
        "audit",
        "bench",
        "box",
        "connections",
        "duplicates",
        "entries_max",
        "generation",
        "hello",
        "history",
        "last_sequence",
        "mqtt_trouble",
        "on_entry",
        "rows_received",
        "telemetry",
        "version",
    )

    def __init__(self, entries_max: int) -> None:
        """Keep so many of the last rows."""
        self.entries_max = entries_max
        self._entries: deque[Entry] = deque(maxlen=entries_max)
        self._by_kind: dict[str, deque[Entry]] = {}
        self._received_ns: int | None = None
        self._greeted_sequence = 0
        self.box = BoxView()
        self.audit: tuple[AuditEntry, ...] = ()
        self.bench = False
        self.mqtt_trouble = ""
        self.on_entry: Callable[[Row, Entry], None] = _ignore
        self.hello: Hello | None = None
        self.telemetry: Telemetry | None = None
        self.history = History()
        self.last_sequence: int | None = None
        self.connections = 0
        self.rows_received = 0
        self.duplicates = 0
        self.version = 0
        self.generation = 0

    @property
    def grids(self) -> dict[str, Grid]:
        """Return the instruments' grids by name."""
        return {grid.instrument: grid for grid in self.hello.grids} if self.hello else {}

    def greet(self, hello: Hello) -> int:
        """Take a trader's hello and return the sequence to subscribe from."""
        if self._is_another_journal(hello):
            self._forget()
        self.hello = hello
        self.connections += 1
        self.version += 1
        if self.last_sequence is None:
            self._greeted_sequence = hello.head_sequence
            self.last_sequence = max(hello.head_sequence - self.entries_max, 0)
        return self.last_sequence + 1

    def take_row(self, row: Row) -> bool:
        """Take the next row and return whether it was new, refusing one after a gap."""
        last = self.last_sequence
        if last is None or row.sequence > last + 1:
            raise WireError(f"row {row.sequence} arrived after {last}: rows are missing between them")
        if row.sequence <= last:
            self.duplicates += 1
            return False
        self.last_sequence = row.sequence
        self.rows_received += 1
        self.version += 1
        entry = entry_of(row, self.grids)
        self._keep(entry)
        if row.sequence > self._greeted_sequence:
            # What was there before was written by the reporter that lived then.
            self.on_entry(row, entry)
        if row.kind == "equity":
            self._take_equity(row)
        return True

    def take_telemetry(self, telemetry: Telemetry, received_ns: int) -> None:
        """Take the latest telemetry, received at this monotonic time."""
        self.telemetry = telemetry
        self._received_ns = received_ns
        self.version += 1
        wall_ms = telemetry.wall_ns // 1_000_000
        if telemetry.equity_quanta:
            # Nothing is known of the account before it was first compared with the venue's.
            self.history.add(Point(wall_ms, telemetry.equity_quanta, telemetry.drawdown_ppm))

    def take_box(self, box: BoxView, audit: tuple[AuditEntry, ...]) -> None:
        """Take what the guardian shows."""
        if (box, audit) != (self.box, self.audit):
            self.box, self.audit = box, audit
            self.version += 1

    async def settle(self) -> None:
        """Do nothing: what was taken is in memory already."""

    def age_ms(self, now_ns: int) -> int | None:
        """Return how old the telemetry is, or None when there has never been any."""
        return None if self._received_ns is None else (now_ns - self._received_ns) // 1_000_000

    def stale(self, now_ns: int) -> bool:
        """Return whether what is shown can no longer be taken for the present."""
        age_ms = self.age_ms(now_ns)
        return age_ms is None or age_ms > STALE_AFTER_MS

    def entries_after(self, sequence: int, limit: int) -> list[Entry] | None:
        """Return the kept entries after a sequence, or None when older ones are already gone or they are too many."""
        newer: list[Entry] = []
        for entry in reversed(self._entries):
            if entry.sequence <= sequence:
                break
            newer.append(entry)
            if len(newer) > limit:
                return None
        complete = not newer or newer[-1].sequence == sequence + 1
        return newer[::-1] if complete else None

    def last_entries(self, limit: int) -> list[Entry]:
        """Return the last entries and the last few of each kind, oldest first: orders must not hide a mode."""
        chosen = {entry.sequence: entry for kept in self._by_kind.values() for entry in kept}
        chosen |= {entry.sequence: entry for entry in list(self._entries)[-limit:]}
        return [chosen[sequence] for sequence in sorted(chosen)]

    def _keep(self, entry: Entry) -> None:
        self._entries.append(entry)
        kind = entry.kind if entry.kind in self._by_kind or len(self._by_kind) < _KINDS_MAX else _OTHER_KINDS
        self._by_kind.setdefault(kind, deque(maxlen=_KEPT_OF_A_KIND)).append(entry)

    def _is_another_journal(self, hello: Hello) -> bool:
        if self.hello is None or self.last_sequence is None:
            return False
        return hello.journal_tag != self.hello.journal_tag or hello.head_sequence < self.last_sequence

    def _forget(self) -> None:
        self.generation += 1
        self._entries.clear()
        self._by_kind.clear()
        self.history = History()
        self.last_sequence = None

    def _take_equity(self, row: Row) -> None:
        try:
            record = decode(row)
        except JournalDamaged:  # shown as it is by its entry
            return
        if isinstance(record, Equity):
            fall_quanta = record.peak_quanta - record.equity_quanta
            drawdown_ppm = fall_quanta * PARTS_PER_MILLION // record.peak_quanta if record.peak_quanta > 0 else 0
            self.history.add(Point(row.wall_ns // 1_000_000, record.equity_quanta, max(drawdown_ppm, 0)))


def _ignore(row: Row, entry: Entry) -> None:
    """Do nothing with a row."""
