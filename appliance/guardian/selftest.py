"""The monthly test of the stop button, done by a person and measured from outside.

It looks on as the trader's gate does: through the shared pages, at most half a millisecond apart. When the button
opened, when the lease was withdrawn and when the latch was set are the guardian's own moments, read from its audit log
afterwards; where that cannot be read the moments seen from outside stand in, and the result says so.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from appliance.core.clock import NANOSECONDS_PER_MICROSECOND, NANOSECONDS_PER_SECOND, Clock
from appliance.core.errors import ApplianceError, HardwareError, StoreFailure
from appliance.safety.heartbeat import HeartbeatReader, heartbeat_path
from appliance.safety.lease import LatchCause, LatchState, LeaseInformation, LeaseReader, lease_path
from appliance.safety.page import boot_identity
from appliance.store.audit_files import audit_file, audit_folder, read_lines

POLL_S: Final = 0.0005
_BEAT_NS_MAX: Final = NANOSECONDS_PER_SECOND
_LATCH_NS_MAX: Final = NANOSECONDS_PER_SECOND
# A record may have been closed and a new one begun since.
_FILES_COUNT: Final = 2
_LATCHED: Final = frozenset({LatchState.LATCHED, LatchState.READY})

Say = Callable[[str], None]


class Missed(ApplianceError):
    """Say which step of the test did not happen."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Hold when what happened, on CLOCK_MONOTONIC."""

    opened_ns: int
    withdrawn_ns: int
    latched_ns: int
    gate_seen_ns: int
    confirmed_ns: int
    source: str

    def result(self) -> dict[str, str | int]:
        """Return the durations the history keeps."""
        return {
            "press_to_withdrawn_us": _us(self.opened_ns, self.withdrawn_ns),
            "press_to_latch_us": _us(self.opened_ns, self.latched_ns),
            "press_to_gate_us": _us(self.opened_ns, self.gate_seen_ns),
            "latch_to_gate_us": _us(self.latched_ns, self.gate_seen_ns),
            "latch_to_confirmed_us": _us(self.latched_ns, self.confirmed_ns),
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class Seen:
    """Hold what was seen of a press from outside."""

    latch_sequence: int
    gate_ns: int
    latch_ns: int
    confirmed_ns: int

    def moments(self, state: Path) -> Moments:
        """Return the guardian's own moments where it recorded them, and these where not."""
        audited = latching(state, self.latch_sequence)
        if audited is None:
            # Nobody outside sees the contact itself: the earliest sign of it is the lease.
            return Moments(self.gate_ns, self.gate_ns, self.latch_ns, self.gate_ns, self.confirmed_ns, "polled")
        detail = audited["detail"]
        opened_ns, withdrawn_ns = int(detail["opened_ns"]), int(detail["withdrawn_ns"])
        return Moments(opened_ns, withdrawn_ns, audited["monotonic_ns"], self.gate_ns, self.confirmed_ns, "audit")


class EstopTest:
    """Lead a person through one test."""

    def __init__(self, runtime: Path, state: Path, clock: Clock, timeout_s: int, say: Say) -> None:
        """Look at a running appliance."""
        self._lease = LeaseReader(lease_path(runtime), boot_identity())
        self._pulse = HeartbeatReader(heartbeat_path(runtime), boot_identity())
        self._pulse.refresh()
        self._state = state
        self._clock = clock
        self._timeout_ns = timeout_s * NANOSECONDS_PER_SECOND
        self._say = say

    def run(self) -> dict[str, str | int]:
        """Lead through press, release, reset and start, and return what was measured."""
        self._require_running()
        try:
            seen = self._press()
            self._say("Stopped and confirmed. Turn the button out, then hold reset until the lamp blinks yellow.")
            self._await("the reset", lambda: self._told().latch_state is LatchState.READY, permitted=False)
            self._say("Ready. Now press the reset button once, shortly.")
            self._await("the start", lambda: self._told().latch_state is LatchState.CLEAR)
            self._await("permission after the start", self._permits)
        except Missed as missed:
            return {"passed": 0, "reason": str(missed)}
        # Read last: right after a press a slow card may not have kept the record yet.
        return {"passed": 1, **seen.moments(self._state).result()}

    def _press(self) -> Seen:
        self._say("Press the stop button and leave it pressed.")
        while True:
            gate_seen_ns = self._await("a press", lambda: not self._permits())
            if self._latches():
                break
        latch_seen_ns, told = self._clock.monotonic_ns(), self._told()
        if told.latch_cause is not LatchCause.BUTTON:
            raise Missed(f"it stopped because of {told.latch_cause.name}, not of the button")
        sequence = told.latch_sequence
        confirmed_ns = self._await("the venue's confirmation", lambda: self._confirmed(sequence), permitted=False)
        return Seen(sequence, gate_seen_ns, latch_seen_ns, confirmed_ns)

    def _latches(self) -> bool:
        """Tell whether a withdrawal became a latch; a glitch gives permission back by itself."""
        until_ns = self._clock.monotonic_ns() + _LATCH_NS_MAX
        while self._clock.monotonic_ns() < until_ns:
            if self._told().latch_state in _LATCHED:
                return True
            time.sleep(POLL_S)
        return False

    def _confirmed(self, latch_sequence: int) -> bool:
        report = self._pulse.read(self._clock.monotonic_ns())
        return (
            report is not None
            and report.acknowledged_latch_sequence == latch_sequence
            and report.verified_flat
            and report.open_entries_count == 0
        )

    def _await(self, what: str, wanted: Callable[[], bool], *, permitted: bool = True) -> int:
        """Wait for something and return when it was seen; permission meanwhile, where there must be none, fails."""
        until_ns = self._clock.monotonic_ns() + self._timeout_ns
        while not wanted():
            if self._clock.monotonic_ns() > until_ns:
                raise Missed(f"{what} did not come in time")
            if not permitted and self._permits():
                raise Missed(f"permission came back while waiting for {what}")
            time.sleep(POLL_S)
        return self._clock.monotonic_ns()

    def _require_running(self) -> None:
        if self._clock.monotonic_ns() - self._lease.beat_ns() > _BEAT_NS_MAX:
            raise HardwareError("no guardian shows life here: start the appliance first, or name it with --config")
        if not self._permits():
            raise HardwareError("the appliance is not permitted to trade now: start it, wait for green, and try again")

    def _permits(self) -> bool:
        return self._lease.permits(self._clock.monotonic_ns())

    def _told(self) -> LeaseInformation:
        found = self._lease.information()
        if found is None:
            raise Missed("the guardian's page cannot be read any more")
        return found


def latching(state: Path, latch_sequence: int) -> dict[str, Any] | None:
    """Return the guardian's own record of a latching, if it can be read and holds the moments."""
    for number in range(_FILES_COUNT):
        try:
            lines = read_lines(audit_file(audit_folder(state), number))
        except StoreFailure:
            return None
        for line in reversed(lines):
            with suppress(ValueError, KeyError, TypeError):
                found = json.loads(line)
                if found["event"] == "latched" and found["detail"]["latch_sequence"] == latch_sequence:
                    return found if {"opened_ns", "withdrawn_ns"} <= found["detail"].keys() else None
    return None


def _us(from_ns: int, to_ns: int) -> int:
    """Return a duration; what was over before it could begin took none."""
    return max(0, to_ns - from_ns) // NANOSECONDS_PER_MICROSECOND
