"""What happens when the trader does not answer a latch in time: steps in order, each guarded, each recorded.

The trader's process id comes from a page the trader writes, so it is not believed. A process is killed only if it
belongs to the owner of that page, carries the appliance's name on its command line, and is the very process that was
seen when its heartbeat was first read; the identity is checked between taking a handle on the process and using it,
so a recycled id cannot be hit, pidfd_open(2).
"""

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_COMMAND_BYTES_MAX: Final = 4096
_START_TICKS_FIELD: Final = 19  # field 22 of proc_pid_stat(5), counted from the first one after the name
_MARK: Final = b"appliance"


@dataclass(frozen=True, slots=True)
class Identity:
    """Tell one process from any other that may get its number."""

    pid: int
    start_ticks: int
    owner_uid: int


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Describe a latch that was not acknowledged; without a trader there is no identity."""

    latch_sequence: int
    trader: Identity | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Say what a step did."""

    step: str
    done: bool
    explanation: str


Step = Callable[[Unanswered], Outcome]


def identify(pid: int, owner_uid: int | None, proc: Path = _PROC) -> Identity | None:
    """Return a process's identity if it may be the trader: the owner's, named as ours, neither init nor us."""
    if pid <= 1 or pid in {os.getpid(), os.getppid()}:
        return None
    folder = proc / str(pid)
    try:
        found_uid = folder.stat().st_uid
        with (folder / "cmdline").open("rb") as file:
            command = file.read(_COMMAND_BYTES_MAX)
        # The name in parentheses may itself hold spaces and parentheses, so counting starts after the last one.
        fields = (folder / "stat").read_bytes().rpartition(b")")[2].split()
        start_ticks = int(fields[_START_TICKS_FIELD])
    except (OSError, ValueError, IndexError):
        return None
    return Identity(pid, start_ticks, found_uid) if found_uid == owner_uid and _MARK in command else None


def end_process(identity: Identity) -> str:
    """Kill exactly this process and return why not, if not."""
    try:
        handle = os.pidfd_open(identity.pid)
    except OSError as error:
        return f"process {identity.pid}: {error.strerror}"
    try:
        if identify(identity.pid, identity.owner_uid) != identity:
            return f"process {identity.pid} is no longer who it was"
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    except OSError as error:
        return f"process {identity.pid}: {error.strerror}"
    finally:
        os.close(handle)
    return ""


def kill_trader(unanswered: Unanswered) -> Outcome:
    """End a trader that does not answer."""
    step = "kill-trader"
    trader = unanswered.trader
    if trader is None:
        return Outcome(step, done=False, explanation="no process that is surely the trader")
    refused = end_process(trader)
    return Outcome(step, done=not refused, explanation=refused or f"process {trader.pid} was killed")


class Enforcer:
    """Watch that every latch is acknowledged, and take the steps once when it is not."""

    def __init__(self, acknowledge_ns_max: int, steps: Sequence[Step]) -> None:
        """Remember the limit and what to do past it."""
        self._acknowledge_ns_max = acknowledge_ns_max
        self._steps = tuple(steps)
        self._latch_sequence = 0
        self._deadline_ns = 0
        self._waiting = False
        self.unanswered = False

    def expect(self, latch_sequence: int, now_ns: int) -> None:
        """Start waiting for a latch's acknowledgement."""
        self._latch_sequence = latch_sequence
        self._deadline_ns = now_ns + self._acknowledge_ns_max
        self._waiting = True
        self.unanswered = False

    def settle(self) -> None:
        """Stop waiting: acknowledged, or no longer latched."""
        self._waiting = False
        self.unanswered = False

    def check(self, now_ns: int, trader: Identity | None) -> tuple[Outcome, ...]:
        """Take the steps if the wait is over."""
        if not self._waiting or now_ns < self._deadline_ns:
            return ()
        self._waiting = False
        self.unanswered = True
        unanswered = Unanswered(self._latch_sequence, trader)
        return tuple(_guarded(step, unanswered) for step in self._steps)


def _guarded(step: Step, unanswered: Unanswered) -> Outcome:
    try:
        return step(unanswered)
    except Exception as error:  # noqa: BLE001 - a step that throws must not keep the next from its turn; it is recorded
        return Outcome(getattr(step, "__name__", "step"), done=False, explanation=f"{type(error).__name__}: {error}")
