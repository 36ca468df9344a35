"""One parked last-resort process, as the guardian holds it: started, told its word, polled; never waited for.

Written on posix_spawn(3) instead of the standard library's subprocess module: the guardian must give the child an
ordinary scheduling class, or a real-time guardian would wait behind its own child's start on the core they share, and
code of ours between fork and exec could meet a lock held by another thread.
"""

import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

OUTPUT_BYTES_MAX: Final = 4096
_ARMED: Final = b"armed\n"
_END_S_MAX: Final = 0.3
_END_STEP_S: Final = 0.005
_UNKNOWN_STATUS: Final = 255


@dataclass(frozen=True, slots=True)
class Ended:
    """Carry how a process ended and the last line it printed."""

    status: int
    last_line: bytes


class ParkedProcess:
    """Hold one process."""

    def __init__(self, words: Sequence[str]) -> None:
        """Start it; it does nothing until it is told."""
        child_input, self._input = os.pipe()
        self._output, child_output = os.pipe()
        os.set_blocking(self._output, False)
        os.set_blocking(self._input, False)
        self._printed = b""
        try:
            self.pid = _spawn((sys.executable, *words), child_input, child_output)
        except OSError:
            self._close()
            raise
        finally:
            os.close(child_input)
            os.close(child_output)

    @property
    def armed(self) -> bool:
        """Tell whether it has said that it is ready."""
        self._read()
        return self._printed.startswith(_ARMED)

    def go(self, word: str) -> bool:
        """Tell it what to do; a process that is still starting will read it when it is ready."""
        try:
            os.write(self._input, word.encode("ascii") + b"\n")
        except OSError:
            return False
        return True

    def poll(self) -> Ended | None:
        """Return how it ended, once it has."""
        try:
            pid, state = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            pid, state = self.pid, _UNKNOWN_STATUS << 8
        if pid == 0:
            return None
        self._read()
        self._close()
        return Ended(os.waitstatus_to_exitcode(state), self._printed.rstrip(b"\n").rpartition(b"\n")[2])

    def kill(self) -> None:
        """End it at once; `poll` tells when it is gone."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def end(self) -> None:
        """End it and wait the moment that takes, so that nothing is left behind."""
        self.kill()
        until_s = time.monotonic() + _END_S_MAX
        while self.poll() is None and time.monotonic() < until_s:
            time.sleep(_END_STEP_S)

    def _read(self) -> None:
        if len(self._printed) < OUTPUT_BYTES_MAX:
            with suppress(OSError):
                self._printed += os.read(self._output, OUTPUT_BYTES_MAX - len(self._printed))

    def _close(self) -> None:
        for descriptor in (self._input, self._output):
            with suppress(OSError):
                os.close(descriptor)


def _spawn(words: tuple[str, ...], child_input: int, child_output: int) -> int:
    actions = [(os.POSIX_SPAWN_DUP2, child_input, 0), (os.POSIX_SPAWN_DUP2, child_output, 1)]
    if os.sched_getscheduler(0) == os.SCHED_OTHER:
        return os.posix_spawn(words[0], words, os.environ, file_actions=actions)
    ordinary = (os.SCHED_OTHER, os.sched_param(0))
    return os.posix_spawn(words[0], words, os.environ, file_actions=actions, scheduler=ordinary)
