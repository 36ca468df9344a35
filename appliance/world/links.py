"""A stream between the trader's process and the venue, as badly as streams behave.

Theory of operation. A stream delays but never loses, repeats or reorders within one connection; what is lost is lost
because the connection broke. When it breaks, what was on its way to the trader is gone, while of what was on its way
to the venue some first part still arrives, late, even after the next connection has been made: that is how an order
comes to life behind its sender's back. A half-open connection swallows both ways without a word until the client's
silence limit drops it.
"""

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND
from appliance.core.commands import VenueCommand
from appliance.core.events import AnyEvent
from appliance.world.schedule import Schedule

SILENCE_MS = (3_000, 4_000)
RECONNECT_MS = (20, 1_500)
STRAGGLE_MS = (0, 1_800)


class Ends(NamedTuple):
    """Name what each end of a connection does with what it learns."""

    connected: Callable[[], None]
    lost: Callable[[str], None]
    received: Callable[[Sequence[AnyEvent]], None]
    arrived: Callable[[VenueCommand, int], None]
    greeting: Callable[[], Sequence[AnyEvent]]


class Rising:
    """Be one command on its way to the venue."""

    __slots__ = ("command", "due_ns", "lost", "sent_ns", "straggling")

    def __init__(self, command: VenueCommand, sent_ns: int, due_ns: int) -> None:
        """Begin on the wire."""
        self.command = command
        self.sent_ns = sent_ns
        self.due_ns = due_ns
        self.lost = False
        self.straggling = False


def milliseconds(dice: random.Random, bounds: tuple[int, int]) -> int:
    """Draw a duration between two bounds in milliseconds and return it in nanoseconds."""
    low, high = bounds
    return dice.randrange(low * NANOSECONDS_PER_MILLISECOND, high * NANOSECONDS_PER_MILLISECOND + 1)


def soon(dice: random.Random, bounds: tuple[int, int]) -> int:
    """Draw a duration as `milliseconds` does, but every other time from the shortest tenth."""
    low, high = bounds
    return milliseconds(dice, (low, low + (high - low) // 10) if dice.getrandbits(1) else bounds)


class Connection:
    """Carry messages both ways while it is up."""

    def __init__(
        self,
        schedule: Schedule,
        dice: random.Random,
        latency_ns: int,
        ends: Ends,
    ) -> None:
        """Join a client and a venue; nobody is connected yet."""
        self._schedule = schedule
        self._dice = dice
        self._latency_ns = latency_ns
        self._ends = ends
        self._wanted = False
        self._generation = 0
        self._fell_ns = 0
        self._rose_ns = 0
        self.rising: list[Rising] = []
        self.up = False
        self.blocked = False
        self.silent = False
        self.slow_ns = 0

    def open(self) -> None:
        """Keep connecting from now on, as a starting process does."""
        self._wanted = True
        self._retry()

    def close(self) -> None:
        """Vanish with the process that held the connection."""
        self._wanted = False
        self._drop()

    def cut(self, reason: str) -> bool:
        """Break the connection and let the client notice; tell whether there was one."""
        if not self.up:
            return False
        self._drop()
        self._ends.lost(reason)
        self._retry()
        return True

    def go_silent(self) -> bool:
        """Turn half-open until the client loses patience; tell whether there was a connection."""
        if not self.up:
            return False
        self.silent = True
        generation = self._generation
        self._schedule.after(milliseconds(self._dice, SILENCE_MS), partial(self._lose_patience, generation))
        return True

    def send(self, command: VenueCommand) -> bool:
        """Write a command to the socket; False means that nothing of it has left."""
        if not self.up:
            return False
        now_ns = self._schedule.now_ns
        if not self.silent:
            self._rose_ns = max(self._rose_ns + 1, now_ns + self._delay_ns())
            message = Rising(command, now_ns, self._rose_ns)
            self.rising.append(message)
            self._schedule.at(message.due_ns, partial(self._arrive, message))
        return True

    def publish(self, events: Sequence[AnyEvent]) -> None:
        """Send events from the venue; without a connection nobody will ever see them."""
        if self.up and not self.silent and events:
            self._fell_ns = max(self._fell_ns + 1, self._schedule.now_ns + self._delay_ns())
            self._schedule.at(self._fell_ns, partial(self._deliver, self._generation, events))

    def _retry(self) -> None:
        self._schedule.after(soon(self._dice, RECONNECT_MS), partial(self._connect, self._generation))

    def _connect(self, generation: int) -> None:
        if not self._wanted or self.up or generation != self._generation:
            return
        if self.blocked:
            self._retry()
            return
        self.up = True
        self._ends.connected()
        self.publish(self._ends.greeting())

    def _drop(self) -> None:
        self._generation += 1
        self.up = self.silent = False
        written = [message for message in self.rising if not message.straggling]
        arriving = self._dice.randint(0, len(written))
        for message in written[arriving:]:
            message.lost = True
            self.rising.remove(message)
        for message in written[:arriving]:
            message.straggling = True
            message.due_ns += milliseconds(self._dice, STRAGGLE_MS)
            self._schedule.at(message.due_ns, partial(self._arrive, message))

    def _lose_patience(self, generation: int) -> None:
        if self.silent and generation == self._generation:
            self.cut("silent")

    def _arrive(self, message: Rising) -> None:
        if not message.lost and message.due_ns <= self._schedule.now_ns:
            message.lost = True
            self.rising.remove(message)
            self._ends.arrived(message.command, message.sent_ns)

    def _deliver(self, generation: int, events: Sequence[AnyEvent]) -> None:
        if generation == self._generation:
            self._ends.received(events)

    def _delay_ns(self) -> int:
        return self.slow_ns + self._latency_ns + self._latency_ns * self._dice.getrandbits(10) // 1024
