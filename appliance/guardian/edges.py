"""The way of an edge from the pin library's thread to the guardian's loop.

The thread that sees the button open takes permission away itself, without waiting for the loop. The edge is queued
before that: a renewal is decided after the queue was emptied and shows a ticket drawn earlier, so either it knew of
the edge or its ticket is void. The queue is bounded; more edges than it holds are no button at all, and count as a
stop.
"""

import threading
from collections import deque
from dataclasses import dataclass
from typing import Final

from appliance.core.clock import Clock
from appliance.hardware.pins import Contact
from appliance.safety.lease import LeaseWriter

EDGES_COUNT_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class Edge:
    """Carry one change of a contact."""

    contact: Contact
    asserted: bool
    at_ns: int


class Edges:
    """Queue edges and wake the loop."""

    def __init__(self, lease: LeaseWriter, clock: Clock, *, case_stops: bool = True) -> None:
        """Keep the lease at hand for the button's sake, and for the case's where opening it stops."""
        self._lease = lease
        self._clock = clock
        self._stopping = {Contact.ESTOP: False, **({Contact.CASE: True} if case_stops else {})}
        self.withdrawn_ns = 0
        self._queue: deque[Edge] = deque()
        self._arrived = threading.Event()
        self._overflowed = False

    def push(self, contact: Contact, asserted: bool, at_ns: int) -> None:
        """Take an edge, on the pin library's thread."""
        if len(self._queue) < EDGES_COUNT_MAX:
            self._queue.append(Edge(contact, asserted, at_ns))
        else:
            self._overflowed = True
        if self._stopping.get(contact) is asserted:
            self._lease.withdraw()
            self.withdrawn_ns = self._clock.monotonic_ns()
        self._arrived.set()

    def drain(self) -> list[Edge]:
        """Return all edges that wait, oldest first."""
        self._arrived.clear()
        return [self._queue.popleft() for _ in range(len(self._queue))]

    def overflowed(self) -> bool:
        """Tell, once, whether edges were lost."""
        lost, self._overflowed = self._overflowed, False
        return lost

    def wake(self) -> None:
        """End a wait although no edge arrived."""
        self._arrived.set()

    def wait(self, timeout_ns: int) -> None:
        """Sleep until an edge arrives or the time is over."""
        if timeout_ns > 0:
            self._arrived.wait(timeout_ns / 1e9)
