"""When the guardian calls the last resort, how often, and what it believes of the answer.

One process at a time, parked before it is needed and replaced once it has been used. A run that could not verify is
repeated, later each time, until one does, the need is gone, or the limit is reached. A run counts as verified only if
it ended with 0 and its last line says so for the very policy it was given.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND
from appliance.guardian.last_resort_process import Ended
from appliance.safety.audit_chain import Detail

ATTEMPTS_MAX: Final = 100
REPEAT_FIRST_NS: Final = NANOSECONDS_PER_SECOND
REPEAT_CAP_NS: Final = 60 * NANOSECONDS_PER_SECOND
RUN_NS_MAX: Final = 90 * NANOSECONDS_PER_SECOND
_TEXT_LENGTH_MAX: Final = 200
_FACTS: Final = frozenset({"policy", "reason", "took_ms", "clear_ms", "canceled_count", "sold_count", "entries_count"})

Event = tuple[str, Detail]


class Process(Protocol):
    """Be what `ParkedProcess` is."""

    pid: int

    def go(self, word: str) -> bool:
        """Tell it what to do."""
        ...

    def poll(self) -> Ended | None:
        """Return how it ended, once it has."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...

    def end(self) -> None:
        """End it and wait the moment that takes."""
        ...


@dataclass(frozen=True, slots=True)
class Need:
    """Name what must be cleared; 0 is no latch. A further reason makes no other need."""

    policy: str
    latch_sequence: int
    reason: str = field(compare=False)


class LastResortWatch:
    """Keep one process ready and use it when there is a need."""

    def __init__(self, start: Callable[[], Process]) -> None:
        """Take what starts a parked process."""
        self._start = start
        self._process: Process | None = None
        self._need: Need | None = None
        self._running: Need | None = None
        self._started_ns = 0
        self._due_ns = 0
        self._attempts = 0
        self._arm_ns = 0
        self._arm_failures = 0
        self._cleared = False
        self._events: list[Event] = []
        self.verified_latch = 0

    def want(self, need: Need | None, now_ns: int) -> None:
        """Say what is needed now, or that nothing is."""
        if need == self._need:
            return
        self._need = need
        self._attempts = 0
        self._due_ns = now_ns
        self._cleared = need is not None and 0 < need.latch_sequence == self.verified_latch

    def turn(self, now_ns: int) -> list[Event]:
        """Do what is due and return what is to be recorded."""
        self._collect(now_ns)
        if self._process is None and now_ns >= self._arm_ns:
            self._arm(now_ns)
        if self._running is None and self._need is not None and not self._cleared and now_ns >= self._due_ns:
            self._use(self._need, now_ns)
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """End the process that waits, or that runs."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def _arm(self, now_ns: int) -> None:
        try:
            self._process = self._start()
        except OSError as error:
            self._not_armed(now_ns, f"it cannot be started: {error.strerror}")

    def _not_armed(self, now_ns: int, explanation: str) -> None:
        self._arm_failures += 1
        self._arm_ns = now_ns + _backoff_ns(self._arm_failures)
        self._events.append(("last-resort-not-ready", {"explanation": explanation, "count": self._arm_failures}))

    def _use(self, need: Need, now_ns: int) -> None:
        process = self._process
        if process is None or self._attempts >= ATTEMPTS_MAX or not process.go(need.policy):
            return
        self._running = need
        self._started_ns = now_ns
        self._attempts += 1
        self._events.append(
            (
                "last-resort-started",
                {
                    "attempt": self._attempts,
                    "latch_sequence": need.latch_sequence,
                    "policy": need.policy,
                    "reason": need.reason,
                },
            )
        )

    def _collect(self, now_ns: int) -> None:
        process = self._process
        if process is None:
            return
        ended = process.poll()
        if ended is not None:
            self._process = None
            self._arm_ns = now_ns
            self._ended(ended, now_ns)
        elif self._running is not None and now_ns - self._started_ns > RUN_NS_MAX:
            process.kill()

    def _ended(self, ended: Ended, now_ns: int) -> None:
        need, self._running = self._running, None
        if need is None:
            self._not_armed(now_ns, f"it ended with {ended.status} while it waited")
            return
        self._arm_failures = 0
        facts = _facts(ended.last_line)
        verified = ended.status == 0 and facts.pop("verified", 0) == 1 and facts.get("policy") == need.policy
        waited_ms = (now_ns - self._started_ns) // NANOSECONDS_PER_MILLISECOND
        outcome = {"verified": int(verified), "status": ended.status, "latch_sequence": need.latch_sequence}
        self._events.append(("last-resort-ended", {**facts, **outcome, "waited_ms": waited_ms}))
        if verified:
            self.verified_latch = max(self.verified_latch, need.latch_sequence)
        if need == self._need:
            self._cleared = verified
            self._due_ns = now_ns + _backoff_ns(self._attempts)
            if not verified and self._attempts >= ATTEMPTS_MAX:
                self._events.append(("last-resort-gave-up", {"attempts": self._attempts}))


def _backoff_ns(count: int) -> int:
    return min(REPEAT_FIRST_NS << min(count - 1, 10), REPEAT_CAP_NS)


def _facts(line: bytes) -> dict[str, str | int]:
    """Return what the process said, as far as it is what it should be: the chain keeps texts and whole numbers."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return {"reason": "it said nothing that can be read"}
    if not isinstance(said, dict):
        return {"reason": "it said nothing that can be read"}
    facts: dict[str, str | int] = {"verified": int(said.get("verified") is True)}
    for name in sorted(_FACTS & said.keys()):
        value = said[name]
        if isinstance(value, str):
            facts[name] = value[:_TEXT_LENGTH_MAX]
        elif type(value) is int and abs(value) < 1 << 62:
            facts[name] = value
    return facts
