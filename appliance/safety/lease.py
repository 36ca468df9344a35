"""The lease: permission to add exposure, given by the guardian, gone when it is silent.

Theory of operation. Permission is one aligned 64-bit word, `valid_until_ns` on CLOCK_MONOTONIC (0 = withdrawn),
beside its bitwise complement. It holds while

    now_ns < valid_until_ns <= now_ns + HORIZON_NS   and   valid_until_ns XOR complement == 2**64 - 1

on a page whose header is ours. Everything else on the page is information, and nobody may take it for permission.

Order of stores. Granting stores the complement first and the word last; withdrawing stores 0 in the word first and
the complement last. Whatever a reader catches between two stores, one half is new and the other old, so the pair does
not match and reads as "no". A renewal caught between its stores refuses one order; that is the right side to be wrong
on.

A withdrawal may come from another thread than the renewals (the edge of the button arrives on the pin library's
thread). Renewing therefore takes a ticket, drawn before the inputs were read: a withdrawal since then makes the
ticket void, so no renewal decided on old inputs can undo it.

A compiled kernel reads the same page as an array of uint64 and the indices of LeaseWord, with the same three
comparisons.
"""

import threading
from dataclasses import dataclass
from enum import IntEnum, unique
from pathlib import Path
from typing import Final

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.require import require
from appliance.safety.page import (
    PAGE_BYTES,
    WORD_MASK,
    BootIdentity,
    Words,
    claim,
    header,
    is_valid,
    map_readable,
)

LEASE_HEADER: Final = header(b"B4LEAS", 2)
HORIZON_NS: Final = 10 * NANOSECONDS_PER_SECOND
_NOTHING: Final = memoryview(bytes(PAGE_BYTES)).cast("Q")


@unique
class LeaseWord(IntEnum):
    """Name every word of the lease page by its index."""

    HEADER = 0
    BOOT_HIGH = 1
    BOOT_LOW = 2
    VALID_UNTIL_NS = 3
    VALID_UNTIL_COMPLEMENT = 4
    BEAT_NS = 5
    GUARDIAN_PID = 6
    LATCH_STATE = 7
    LATCH_CAUSE = 8
    LATCH_SEQUENCE = 9
    START_SEQUENCE = 10
    LAMP = 11
    CASE_OPEN = 12
    GLITCH_COUNT = 13
    WIRING_ALARM = 14
    RELAY = 15


_HEADER: Final = int(LeaseWord.HEADER)
_VALID_UNTIL_NS: Final = int(LeaseWord.VALID_UNTIL_NS)
_COMPLEMENT: Final = int(LeaseWord.VALID_UNTIL_COMPLEMENT)


@unique
class LatchState(IntEnum):
    """Say what the halt latch is doing, as published on the page."""

    UNKNOWN = 0
    CLEAR = 1
    SUSPECT = 2
    LATCHED = 3
    READY = 4


@unique
class LatchCause(IntEnum):
    """Say why the latch is set."""

    NONE = 0
    BUTTON = 1
    OPEN_AT_BOOT = 2
    CASE_OPENED = 3
    RECORD_MISSING = 4
    RECORD_DAMAGED = 5
    AUDIT_DAMAGED = 6
    STORE_FAILED = 7
    EDGE_STORM = 8
    REMOTE_STOP = 9


@unique
class RelayState(IntEnum):
    """Say what the output to the watchdog relay does; the relay itself has no wire back."""

    UNFITTED = 0
    PULSING = 1
    DROPPED = 2


@dataclass(frozen=True, slots=True)
class LeaseInformation:
    """Carry what the guardian tells beside permission."""

    latch_state: LatchState
    latch_cause: LatchCause
    latch_sequence: int
    start_sequence: int
    lamp: int
    case_open: bool
    glitch_count: int
    wiring_alarm: bool
    relay: RelayState


class LeaseWriter:
    """Hold the guardian's end of the lease."""

    __slots__ = ("_lock", "_ticket", "_words")

    def __init__(self, path: Path, boot: BootIdentity, pid: int) -> None:
        """Take over the page with permission withdrawn."""
        self._lock = threading.Lock()
        self._ticket = 0
        self._words = claim(path, LEASE_HEADER, boot)
        self._words[LeaseWord.GUARDIAN_PID] = pid
        self.withdraw()

    def ticket(self) -> int:
        """Return the ticket a renewal must show; draw it before reading the inputs."""
        return self._ticket

    def renew(self, valid_until_ns: int, ticket: int) -> bool:
        """Grant permission until a moment unless it was withdrawn since the ticket was drawn."""
        require(0 < valid_until_ns < WORD_MASK, "a lease ends at a real moment")
        with self._lock:
            if ticket != self._ticket:
                return False
            self._words[_COMPLEMENT] = valid_until_ns ^ WORD_MASK
            self._words[_VALID_UNTIL_NS] = valid_until_ns
            return True

    def withdraw(self) -> None:
        """Take permission away at once and make every ticket drawn so far void."""
        with self._lock:
            self._ticket += 1
            self._words[_VALID_UNTIL_NS] = 0
            self._words[_COMPLEMENT] = WORD_MASK

    def beat(self, now_ns: int) -> None:
        """Tell readers that the guardian's loop is alive."""
        self._words[LeaseWord.BEAT_NS] = now_ns

    def publish(self, information: LeaseInformation) -> None:
        """Store the information words."""
        words = self._words
        words[LeaseWord.LATCH_STATE] = information.latch_state
        words[LeaseWord.LATCH_CAUSE] = information.latch_cause
        words[LeaseWord.LATCH_SEQUENCE] = information.latch_sequence
        words[LeaseWord.START_SEQUENCE] = information.start_sequence
        words[LeaseWord.LAMP] = information.lamp
        words[LeaseWord.CASE_OPEN] = information.case_open
        words[LeaseWord.GLITCH_COUNT] = information.glitch_count
        words[LeaseWord.WIRING_ALARM] = information.wiring_alarm
        words[LeaseWord.RELAY] = information.relay


class LeaseReader:
    """Hold the trader's end of the lease, which can only look."""

    __slots__ = ("_boot", "_path", "_words")

    def __init__(self, path: Path, boot: BootIdentity) -> None:
        """Look for the page; without one there is no permission."""
        self._path = path
        self._boot = boot
        self._words: Words = _NOTHING
        self.refresh()

    @property
    def words(self) -> Words:
        """Return the read-only words a kernel may read, all zero without a page."""
        return self._words

    def refresh(self) -> bool:
        """Map the page again, off the hot path, and tell whether it is of this boot and layout."""
        words = map_readable(self._path)
        usable = words is not None and is_valid(words, LEASE_HEADER, self._boot)
        self._words = words if words is not None and usable else _NOTHING
        return usable

    def permits(self, now_ns: int) -> bool:
        """Tell whether exposure may be added at this moment."""
        words = self._words
        valid_until_ns = words[_VALID_UNTIL_NS]
        return (
            now_ns < valid_until_ns <= now_ns + HORIZON_NS
            and valid_until_ns ^ words[_COMPLEMENT] == WORD_MASK
            and words[_HEADER] == LEASE_HEADER
        )

    def beat_ns(self) -> int:
        """Return the moment of the guardian's last beat, 0 without a page."""
        return int(self._words[LeaseWord.BEAT_NS])

    def guardian_pid(self) -> int:
        """Return the process id the guardian wrote, 0 without a page."""
        return int(self._words[LeaseWord.GUARDIAN_PID])

    def information(self) -> LeaseInformation | None:
        """Return what the guardian tells, or nothing if the page makes no sense."""
        words = self._words
        if words[_HEADER] != LEASE_HEADER:
            return None
        try:
            state, cause = LatchState(words[LeaseWord.LATCH_STATE]), LatchCause(words[LeaseWord.LATCH_CAUSE])
            relay = RelayState(words[LeaseWord.RELAY])
        except ValueError:
            return None
        return LeaseInformation(
            latch_state=state,
            latch_cause=cause,
            latch_sequence=words[LeaseWord.LATCH_SEQUENCE],
            start_sequence=words[LeaseWord.START_SEQUENCE],
            lamp=words[LeaseWord.LAMP],
            case_open=words[LeaseWord.CASE_OPEN] != 0,
            glitch_count=words[LeaseWord.GLITCH_COUNT],
            wiring_alarm=words[LeaseWord.WIRING_ALARM] != 0,
            relay=relay,
        )


def lease_path(runtime: Path) -> Path:
    """Return where the guardian keeps the lease page."""
    return runtime / "guardian" / "lease"
