"""When the guardian calls the last resort, how often, and what it believes of the answer.

One call at a time, made before it is needed and made again when it ended. A call that nobody takes costs next to
nothing and is repeated until somebody does, so a press that falls between two parked processes is served by the next.
A run that could not verify is repeated, later each time, until one does, the need is gone, or the limit is reached. A
run counts as verified only if its last line says so for the very policy it was given.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND
from appliance.guardian.last_resort_call import Ended
from appliance.safety.audit_chain import Detail

ATTEMPTS_MAX: Final = 100
REPEAT_FIRST_NS: Final = NANOSECONDS_PER_SECOND
REPEAT_CAP_NS: Final = 60 * NANOSECONDS_PER_SECOND
RUN_NS_MAX: Final = 90 * NANOSECONDS_PER_SECOND
HEARD_NS_MAX: Final = 3 * NANOSECONDS_PER_SECOND
RECALL_NS: Final = 200 * NANOSECONDS_PER_MILLISECOND
# At every boot the guardian is there first.
ABSENT_NS_MAX: Final = 15 * NANOSECONDS_PER_SECOND
_TEXT_LENGTH_MAX: Final = 200
_FACTS: Final = frozenset({"policy", "reason", "took_ms", "clear_ms", "canceled_count", "sold_count", "entries_count"})

Event = tuple[str, Detail]


class Call(Protocol):
    """Be what `ParkedCall` is."""

    @property
    def armed(self) -> bool:
        """Tell whether it had said that it is ready when it was polled last."""
        ...

    @property
    def started(self) -> bool:
        """Tell whether it had said that it acts when it was polled last."""
        ...

    def go(self, word: str) -> bool:
        """Tell it what to do."""
        ...

    def poll(self) -> Ended | None:
        """Return what was heard last, once the call has ended."""
        ...

    def kill(self) -> None:
        """End the process at once."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


@dataclass(frozen=True, slots=True)
class Need:
    """Name what must be cleared; 0 is no latch. A further reason makes no other need."""

    policy: str
    latch_sequence: int
    reason: str = field(compare=False)


class LastResortWatch:
    """Keep one call open and use it when there is a need."""

    def __init__(self, call: Callable[[], Call]) -> None:
        """Take what calls a parked process."""
        self._new_call = call
        self._call: Call | None = None
        self._need: Need | None = None
        self._running: Need | None = None
        self._started_ns = 0
        self._due_ns = 0
        self._attempts = 0
        self._call_ns = 0
        self._absent_since_ns: int | None = None
        self._absence = ""
        self._tell_ns = 0
        self._told_count = 0
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
        if self._call is None and now_ns >= self._call_ns:
            self._make_call(now_ns)
        if self._running is None and self._need is not None and not self._cleared and now_ns >= self._due_ns:
            self._use(self._need, now_ns)
        self._look_for_absence(now_ns)
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """Hang up: a process that waits goes on waiting, for the next guardian."""
        if self._call is not None:
            self._call.close()
            self._call = None

    def _make_call(self, now_ns: int) -> None:
        try:
            self._call = self._new_call()
        except OSError as error:
            self._call_ns = now_ns + RECALL_NS
            self._absence = f"it cannot be called: {error.strerror or error}"

    def _look_for_absence(self, now_ns: int) -> None:
        """Record that nobody is there to be called, later each time."""
        if self._running is not None or (self._call is not None and self._call.armed):
            self._absent_since_ns = None
            return
        if self._absent_since_ns is None:
            self._absent_since_ns = now_ns
        if now_ns - self._absent_since_ns >= ABSENT_NS_MAX and now_ns >= self._tell_ns:
            self._tell_absence(now_ns, self._absence or "it does not take the call")

    def _tell_absence(self, now_ns: int, explanation: str) -> None:
        self._told_count += 1
        self._tell_ns = now_ns + _backoff_ns(self._told_count)
        self._events.append(("last-resort-not-ready", {"explanation": explanation, "count": self._told_count}))

    def _use(self, need: Need, now_ns: int) -> None:
        call = self._call
        if call is None or self._attempts >= ATTEMPTS_MAX or not call.go(need.policy):
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
        call = self._call
        if call is None:
            return
        ended = call.poll()
        if ended is not None:
            self._call = None
            self._call_ns = now_ns
            self._ended(ended, now_ns)
        elif self._running is not None and now_ns - self._started_ns > self._patience_ns(call):
            call.kill()

    def _patience_ns(self, call: Call) -> int:
        """Return how long a run may take; who had taken the call and does not act on a word hangs."""
        return HEARD_NS_MAX if call.armed and not call.started else RUN_NS_MAX

    def _ended(self, ended: Ended, now_ns: int) -> None:
        need, self._running = self._running, None
        if need is None:
            self._call_ns = now_ns + RECALL_NS
            self._absence = "it ended while it waited"
            if now_ns >= self._tell_ns:
                self._tell_absence(now_ns, self._absence)
            return
        self._told_count = 0
        facts = _facts(ended.last_line)
        verified = facts.pop("verified", 0) == 1 and facts.get("policy") == need.policy
        waited_ms = (now_ns - self._started_ns) // NANOSECONDS_PER_MILLISECOND
        outcome = {"verified": int(verified), "latch_sequence": need.latch_sequence}
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
