"""Run our own processes side by side, as systemd does on the appliance: start, restart within a limit, end in order.

On the appliance this is systemd's work. This stand-in serves people without one: `appliance run`, and tests.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

RESTART_DELAY_S = 0.3
RESTARTS_MAX = 20
RESTART_WINDOW_S = 60.0
LINE_BYTES_MAX = 16_384
# What the guardian's unit asks systemd for.
URGENT_PRIORITY = 50
_PR_SET_PDEATHSIG = 1
_LIBRARY = ctypes.CDLL(None)


class Kind(NamedTuple):
    """Name a child, the words it is started with, and whether it must run before all others where that is allowed."""

    name: str
    words: tuple[str, ...]
    urgent: bool = False


class Child:
    """Keep one process running until it is told to end."""

    def __init__(self, kind: Kind, say: Callable[[str], None]) -> None:
        """Prepare to run `python -m appliance` with the kind's words."""
        self._kind = kind
        self._say = say
        self._process: asyncio.subprocess.Process | None = None
        self._ending = False
        self._task: asyncio.Task[None] | None = None
        self._starts_s: deque[float] = deque(maxlen=RESTARTS_MAX)
        self.restarts_count = 0

    @property
    def name(self) -> str:
        """Return the child's name."""
        return self._kind.name

    @property
    def pid(self) -> int | None:
        """Return the running process's id."""
        return self._process.pid if self._process is not None else None

    def start(self) -> asyncio.Task[None]:
        """Start it; the returned task ends with the child, or fails when it keeps dying."""
        self._task = asyncio.create_task(self._keep_running(), name=self.name)
        return self._task

    async def end(self, patience_s: float) -> None:
        """Ask it to end, and kill it when patience has run out."""
        self._ending = True
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        if self._task is None:
            return
        done, _ = await asyncio.wait({self._task}, timeout=patience_s)
        if not done and self._process is not None and self._process.returncode is None:
            self._say(f"{self.name}: did not end within {patience_s:.1f} s, killed")
            self._process.kill()
            await asyncio.wait({self._task}, timeout=1.0)

    async def _keep_running(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._ending:
            if len(self._starts_s) == RESTARTS_MAX and loop.time() - self._starts_s[0] < RESTART_WINDOW_S:
                raise RuntimeError(f"{self.name} died {RESTARTS_MAX} times within {RESTART_WINDOW_S:.0f} s")
            self._starts_s.append(loop.time())
            code = await self._run_once()
            if not self._ending:
                self.restarts_count += 1
                self._say(f"{self.name}: ended with {_meaning(code)}, starting it again")
                await asyncio.sleep(RESTART_DELAY_S)

    async def _run_once(self) -> int:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "appliance",
            *self._kind.words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=LINE_BYTES_MAX,
            start_new_session=True,
            preexec_fn=_begin_urgent if self._kind.urgent else _die_with_parent,
            env=os.environ | {"PYTHONUNBUFFERED": "1", "NUMBA_NUM_THREADS": "1"},
        )
        self._process = process
        if self._ending:
            process.terminate()
        if process.stdout is not None:
            await self._relay(process.stdout)
        return await process.wait()

    async def _relay(self, stream: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await stream.readline()
            except ValueError:
                self._say(f"{self.name}: (a line longer than {LINE_BYTES_MAX} bytes was left out)")
                continue
            if not line:
                return
            self._say(f"{self.name}: {line.decode(errors='replace').rstrip().removeprefix(f'{self.name}: ')}")


def _die_with_parent() -> None:
    _LIBRARY.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _begin_urgent() -> None:
    _die_with_parent()
    # Only root may; anybody else gets a guardian that a busy machine can hold up, which withdraws permission.
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(URGENT_PRIORITY))


def _meaning(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
