"""Running a test's body in an event loop of its own, with a deadline and a short socket path."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

BODY_S_MAX = 60.0


def on_socket(body: Callable[[Path], Awaitable[None]]) -> None:
    """Run a test's body with a socket path short enough for the kernel."""

    async def bounded(socket: Path) -> None:
        async with asyncio.timeout(BODY_S_MAX):
            await body(socket)
            await asyncio.sleep(0.01)  # lets aborted connections close

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(bounded(Path(folder) / "report.sock"))


async def eventually(condition: Callable[[], object]) -> None:
    """Wait until something is so; the body's deadline ends a wait in vain."""
    while not condition():  # noqa: ASYNC110 - the tested parts announce nothing to a test
        await asyncio.sleep(0.01)


async def end(task: asyncio.Task[None]) -> None:
    """End a task that would run for ever."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
