"""What the guardian knows of the trader: its last believable report, how old it is, and which process wrote it."""

from typing import Final

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND
from appliance.guardian.enforcement import Identity, identify
from appliance.safety.heartbeat import Heartbeat, HeartbeatReader
from appliance.safety.lamps import Pulse

_LOOK_AGAIN_NS: Final = 100 * NANOSECONDS_PER_MILLISECOND


class TraderWatch:
    """Follow the trader's heartbeat across its restarts."""

    def __init__(self, reader: HeartbeatReader, heartbeat_ns_max: int) -> None:
        """Begin without having seen a trader."""
        self._reader = reader
        self._heartbeat_ns_max = heartbeat_ns_max
        self._look_again_ns = 0
        self.report: Heartbeat | None = None
        self.pulse = Pulse.NEVER
        self.identity: Identity | None = None

    def look(self, now_ns: int) -> bool:
        """Read the heartbeat and tell whether another process began to write it."""
        report = self._reader.read(now_ns)
        if report is None or now_ns - report.beat_ns > self._heartbeat_ns_max:
            report = self._look_again(now_ns)
        if report is None or now_ns - report.beat_ns > self._heartbeat_ns_max:
            self._age(now_ns)
            return False
        changed = self.pulse is Pulse.NEVER or self.report is None or report.pid != self.report.pid
        if changed or (self.identity is None and now_ns >= self._look_again_ns):
            self._look_again_ns = now_ns + _LOOK_AGAIN_NS
            self.identity = identify(report.pid, self._reader.owner_uid())
        self.report = report
        self.pulse = Pulse.FRESH
        return changed

    def acknowledged(self, latch_sequence: int) -> bool:
        """Tell whether a living trader has acknowledged a latch."""
        report = self.report
        return self.pulse is Pulse.FRESH and report is not None and report.acknowledged_latch_sequence == latch_sequence

    def stop_verified(self, latch_sequence: int) -> bool:
        """Tell whether a living trader has verified that no entries are left after a latch."""
        report = self.report
        return (
            report is not None
            and self.acknowledged(latch_sequence)
            and report.verified_flat
            and report.open_entries_count == 0
        )

    def _look_again(self, now_ns: int) -> Heartbeat | None:
        if now_ns < self._look_again_ns:
            return None
        self._look_again_ns = now_ns + _LOOK_AGAIN_NS
        self._reader.refresh()
        return self._reader.read(now_ns)

    def _age(self, now_ns: int) -> None:
        """Keep the last report until it is too old; a torn read alone loses nothing."""
        if self.report is not None and now_ns - self.report.beat_ns > self._heartbeat_ns_max:
            self.pulse = Pulse.LOST
