"""What the guardian keeps on the disk, opened together: the latch record and the audit log."""

from collections.abc import Callable
from pathlib import Path

from appliance.core.clock import Clock
from appliance.guardian.audit import Audit
from appliance.guardian.files import make_folder
from appliance.guardian.keeper import Note
from appliance.guardian.latch import LatchStore, latch_path
from appliance.safety.lease import LatchCause


class GuardianDisk:
    """Hold the record as it was found, and keep what follows."""

    def __init__(self, state: Path, clock: Clock, show: Callable[[bytes], None] = lambda _: None) -> None:
        """Read the record, make it on a first start, and check the log."""
        self.latch = LatchStore(latch_path(state), state)
        self.record = self.latch.load(clock.wall_ns())
        make_folder(state / "guardian")
        if not self.record.latched:
            # A first start leaves its record before any other trace, or the next start would take it for lost.
            self.latch.save(self.record)
        damaged = self.record.set(LatchCause.AUDIT_DAMAGED, clock.wall_ns())
        self.audit = Audit(state / "guardian", clock, lambda: self.latch.save(damaged), show=show)
        self.save = self.latch.save

    def append(self, note: Note) -> None:
        """Add a line to the log."""
        self.audit.append(note.event, note.detail, wall_ns=note.wall_ns, monotonic_ns=note.monotonic_ns)
