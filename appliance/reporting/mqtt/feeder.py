"""From the trader's link into the outbox: rows become messages, and the position moves with them.

When the outbox is full this takes nothing more, so the link stands still, the trader's socket fills, the trader hangs
up and goes on trading; later the link resumes at the position. A journal that is another one than before, or shorter
than what was already published, gets a name of its own in the messages, and an alarm.
"""

import logging

from appliance.core.errors import JournalDamaged, WireError
from appliance.core.records import Row
from appliance.reporting.mqtt.outbox import Draft, Outbox, Position
from appliance.reporting.mqtt.payloads import THINNED_KIND, encode, event_of, summary_of
from appliance.reporting.mqtt.topics import Topics
from appliance.reporting.story import entry_of
from appliance.trading.records import Equity, decode
from appliance.wire.report import Grid, Hello, Telemetry

FIRST_ROWS_MAX = 1_000
_log = logging.getLogger(__name__)


class Feeder:
    """Take rows from the trader's link and put them into the outbox."""

    __slots__ = ("_drafts", "_grids", "_outbox", "_position", "_topics", "connections", "full_waits", "shortened")

    def __init__(self, outbox: Outbox, position: Position | None, topics: Topics) -> None:
        """Go on behind this position."""
        self._outbox = outbox
        self._position = position
        self._topics = topics
        self._drafts: list[Draft] = []
        self._grids: dict[str, Grid] = {}
        self.connections = 0
        self.full_waits = 0
        self.shortened = position.generation if position is not None else 0

    @property
    def journal(self) -> str | None:
        """Return the journal's name in messages."""
        return None if self._position is None else self._position.journal

    @property
    def sequence(self) -> int:
        """Return the last row that is in the outbox or was."""
        return 0 if self._position is None else self._position.sequence

    def greet(self, hello: Hello) -> int:
        """Take a trader's hello and return the sequence to subscribe from."""
        self.connections += 1
        self._drafts.clear()
        self._grids = {grid.instrument: grid for grid in hello.grids}
        known = self._position
        if known is None or known.tag != hello.journal_tag:
            known = Position(hello.journal_tag, 0, max(hello.head_sequence - FIRST_ROWS_MAX, 0))
        elif hello.head_sequence < known.sequence:
            self.shortened += 1
            _log.error(
                "the journal ends at row %d, but row %d was published: rows are missing from it",
                hello.head_sequence,
                known.sequence,
            )
            known = Position(known.tag, known.generation + 1, hello.head_sequence)
        self._position = known
        return known.sequence + 1

    def take_row(self, row: Row) -> bool:
        """Take the next row and return whether it was new, refusing one after a gap."""
        known = self._position
        if known is None or row.sequence > known.sequence + len(self._drafts) + 1:
            raise WireError(f"row {row.sequence} arrived out of order: rows are missing before it")
        if row.sequence <= known.sequence + len(self._drafts):
            return False
        self._drafts.append(self._draft(known.journal, row))
        return True

    def take_telemetry(self, telemetry: Telemetry, received_ns: int) -> None:
        """Leave telemetry to the model: only its latest counts, so it never queues here."""

    async def settle(self) -> None:
        """Store what was taken, once there is room for it."""
        if not self._drafts or self._position is None:
            return
        while self._outbox.full:
            self.full_waits += 1
            self._outbox.room.clear()
            await self._outbox.room.wait()
        position = self._position._replace(sequence=self._drafts[-1].sequence)
        await self._outbox.store(self._drafts, position)
        self._position, self._drafts = position, []

    def _draft(self, journal: str, row: Row) -> Draft:
        if row.kind == THINNED_KIND:
            try:
                record = decode(row)
            except JournalDamaged:
                record = None  # told as an event, like every row that is not understood
            if isinstance(record, Equity):
                summary = summary_of(self._topics.device, journal, row, record)
                return Draft(row.sequence, thinned=True, topic=self._topics.summary, payload=encode(summary))
        event = event_of(self._topics.device, journal, row, entry_of(row, self._grids))
        return Draft(row.sequence, thinned=False, topic=self._topics.event(row.kind), payload=encode(event))
