"""Invariant 8: between the journal and the broker no row is lost, altered, invented or out of order.

The oracle knows the journal and everything that ever reached the broker. After every commit of the outbox each row up
to its position must be at the broker or in the outbox; after every arrival the message must say what a durable row
says, later than what came before it on this connection.
"""

import sqlite3
from collections.abc import Callable

import msgspec

from appliance.reporting.mqtt.feeder import FIRST_ROWS_MAX
from appliance.reporting.mqtt.payloads import THINNED_KIND, Event, Summary
from appliance.world.disk import Disk

_events = msgspec.json.Decoder(Event)
_summaries = msgspec.json.Decoder(Summary)


class Delivery:
    """Follow the outbox and the broker, and say what is wrong."""

    def __init__(self, journal: str, disk: Disk, found: Callable[[str], None], note: Callable[[str], None]) -> None:
        """Hold them against the rows of this disk."""
        self._journal = journal
        self._disk = disk
        self._found = found
        self._note = note
        self._delivered: set[int] = set()
        self._whole_up_to = 0
        self._last_sequence = 0
        self._begins_anew = True
        self._position = 0
        self.messages_count = 0
        self.repeated_count = 0
        self.merged_count = 0

    @property
    def complete(self) -> bool:
        """Tell whether every durable row is at the broker."""
        self._advance()
        return self._whole_up_to >= self._disk.durable_count

    def connected(self) -> None:
        """Take that another connection begins: what is unconfirmed comes again from its oldest."""
        self._last_sequence = 0

    def taken_back(self) -> None:
        """Take that the outbox may know of less than before, or of nothing."""
        self._begins_anew = True

    def arrived(self, topic: str, payload: bytes) -> None:
        """Take a message that the broker has."""
        if "/event/" in topic:
            event = _events.decode(payload)
            self._take(event.journal, event.sequence, event.sequence)
            said = (event.kind, event.wall_ns, bytes(event.record))
            if self._says_otherwise(event.sequence, said):
                self._found(f"the broker was told of row {event.sequence} otherwise than the journal has it")
        elif "/summary/" in topic:
            summary = _summaries.decode(payload)
            self._take(summary.journal, summary.sequence_first, summary.sequence)
            self.merged_count += summary.count > 1
            covered = self._equity_rows(summary.sequence_first, summary.sequence)
            if len(covered) != summary.count:
                self._found(
                    f"a summary stands for {summary.count} rows from {summary.sequence_first} to {summary.sequence},"
                    f" the journal has {len(covered)}"
                )
            self._delivered.update(covered)

    def committed(self, connection: sqlite3.Connection) -> None:
        """Check, after a commit, that every row up to the position is here or there."""
        positions = connection.execute("SELECT tag, generation, sequence FROM position").fetchall()
        if not positions:
            return
        ((tag, generation, position),) = positions
        if tag != self._journal or generation:
            self._found(f"the reporter says that rows are missing from journal {tag}, and none is")
        waiting: set[int] = set()
        for sequence, thinned, payload in connection.execute("SELECT sequence, thinned, payload FROM message"):
            if thinned:
                waiting.update(self._equity_rows(_summaries.decode(payload).sequence_first, sequence))
            else:
                waiting.add(sequence)
        self._begin(waiting, position)
        self._advance()
        for sequence in range(self._whole_up_to + 1, position + 1):
            if sequence not in waiting and sequence not in self._delivered:
                self._found(f"the outbox is past row {position}, and row {sequence} is neither in it nor at the broker")
                return

    def _begin(self, waiting: set[int], position: int) -> None:
        """Excuse the rows before the first that a reporter without any memory asks for, if it asks for enough."""
        if not self._begins_anew:
            return
        self._begins_anew = False
        first = min(waiting, default=position + 1)
        if first > self._whole_up_to + 1 and first <= max(self._disk.durable_count - FIRST_ROWS_MAX, 0) + 1:
            self._whole_up_to = first - 1

    def _advance(self) -> None:
        while self._whole_up_to + 1 in self._delivered:
            self._whole_up_to += 1
            self._delivered.discard(self._whole_up_to)

    def _take(self, journal: str, first: int, last: int) -> None:
        self.messages_count += 1
        self._note(f"the broker has row {last}")
        self.repeated_count += first <= self._whole_up_to or first in self._delivered
        if journal != self._journal:
            self._found(f"the broker was told of row {last} of journal {journal}, which does not exist")
        if not self._disk.holds(last):
            self._found(f"the broker was told of row {last}, which is not durable")
        if last <= self._last_sequence:
            self._found(f"row {last} reached the broker after row {self._last_sequence} on one connection")
        self._last_sequence = last
        if first == last:
            self._delivered.add(last)

    def _says_otherwise(self, sequence: int, said: tuple[str, int, bytes]) -> bool:
        if not 1 <= sequence <= len(self._disk.true_rows):
            return True
        row = self._disk.true_rows[sequence - 1]
        return said != (row.kind, row.wall_ns, row.payload)

    def _equity_rows(self, first: int, last: int) -> list[int]:
        rows = self._disk.true_rows[max(first - 1, 0) : last]
        return [row.sequence for row in rows if row.kind == THINNED_KIND]
