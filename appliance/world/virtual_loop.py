"""An asyncio loop on virtual time: the real coroutines run inside the world, and a process dies with its loop.

Nothing runs inside the call that caused it: what is ready runs as a happening of its own at the same moment, so a
callback of one process is never entered from the middle of another. Ending a loop cancels what is left of the process
after everything it could reach has been taken away; whatever its cleaning up would do then reaches nothing, as after a
SIGKILL.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVarTuple

from appliance.core.clock import NANOSECONDS_PER_MICROSECOND, NANOSECONDS_PER_SECOND
from appliance.core.require import unreachable
from appliance.world.schedule import Beside

_STEPS_MAX = 100_000
_CANCELS_MAX = 10
Ts = TypeVarTuple("Ts")
Dial = Callable[[asyncio.BaseProtocol], asyncio.BaseTransport]


class VirtualLoop(asyncio.BaseEventLoop):
    """Run the coroutines of one process."""

    def __init__(self, schedule: Beside, failed: Callable[[str], None], dial: Dial | None = None) -> None:
        """Begin with nothing to do; `dial` connects to the one socket, `failed` is told of lost exceptions."""
        super().__init__()
        self._schedule = schedule
        self._failed = failed
        self._dial = dial
        self._handles: deque[asyncio.Handle] = deque()
        self._planned = False
        self._tasks: list[asyncio.Task[Any]] = []
        self.hung = False
        self.ended = False

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._schedule.now_ns / NANOSECONDS_PER_SECOND

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Let something run at this moment, but not inside the caller."""
        handle = asyncio.Handle(callback, args, self, context)
        if not self.ended:
            self._handles.append(handle)
            self._plan()
        return handle

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Let something run at a moment; a little later, so that the moment has surely passed then."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        due_ns = int(when * NANOSECONDS_PER_SECOND) + NANOSECONDS_PER_MICROSECOND
        self._schedule.at(due_ns, lambda: self._due(handle))
        return handle

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Let something run after a while."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def create_task(self, coro: Any, *, name: object = None, context: Context | None = None) -> "asyncio.Task[Any]":  # noqa: ANN401 - as asyncio has it
        """Start a coroutine that ends with the process at the latest."""
        task: asyncio.Task[Any] = asyncio.Task(
            coro, loop=self, name=None if name is None else str(name), context=context
        )
        self._tasks = [one for one in self._tasks if not one.done()]
        self._tasks.append(task)
        return task

    async def create_unix_connection(self, protocol_factory: Any, path: Any = None, **_: Any) -> Any:  # noqa: ANN401, ARG002 - as asyncio has it
        """Connect to whoever listens at the other end."""
        if self._dial is None:
            raise ConnectionRefusedError("nobody listens")
        protocol = protocol_factory()
        return self._dial(protocol), protocol

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Take an exception that nobody waited for."""
        if not self.ended:
            self._failed(f"{context.get('message')}: {context.get('exception')!r}")

    def spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Start a coroutine from outside the loop."""
        return self.create_task(work)

    def hang(self) -> None:
        """Stop where it is; what becomes ready waits."""
        self.hung = True

    def resume(self) -> None:
        """Go on."""
        self.hung = False
        self._plan()

    def end(self) -> None:
        """Let the process be gone, with every coroutine it was running."""
        self.hung = False
        for _ in range(_CANCELS_MAX):
            left = [task for task in self._tasks if not task.done()]
            if not left:
                break
            for task in left:
                task.cancel()
            self._run_ready()
        else:
            unreachable("a process of this world does not die")
        self.ended = True
        self._handles.clear()
        self.close()

    def _plan(self) -> None:
        if not self._planned and not self.hung and self._handles:
            self._planned = True
            self._schedule.at(self._schedule.now_ns, self._planned_run)

    def _planned_run(self) -> None:
        self._planned = False
        if not self.hung:
            self._run_ready()

    def _due(self, handle: asyncio.TimerHandle) -> None:
        if not self.ended and not handle.cancelled():
            self._handles.append(handle)
            self._plan()

    def _run_ready(self) -> None:
        outside = asyncio._get_running_loop()  # noqa: SLF001 - asyncio names no other way to be a loop
        asyncio._set_running_loop(self)  # noqa: SLF001 - as above
        try:
            for _ in range(_STEPS_MAX):
                if not self._handles:
                    return
                handle = self._handles.popleft()
                if not handle.cancelled():
                    handle._run()  # noqa: SLF001 - as every loop does
            unreachable("a process of this world never comes to rest")
        finally:
            asyncio._set_running_loop(outside)  # noqa: SLF001 - as above
