"""Pressing the simulated buttons from the page: only where pins are simulated, and only what the bench offers.

The guardian's bench listens on a local socket that real pins never open, so nothing here could press a real button.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from appliance.reporting.panel.response import Response

Bench = Callable[[str], Awaitable[Response]]
LINES = {
    "/bench/estop": "press estop",
    "/bench/release": "release estop",
    "/bench/reset": "reset",
    "/bench/start": "start",
}
_ANSWER_BYTES_MAX = 256
_ANSWER_S_MAX = 35.0


async def no_bench(path: str) -> Response:
    """Answer where there is nothing to press."""
    return Response(404, "text/plain; charset=utf-8", f"there is nothing to press at {path}\n".encode())


def bench_at(runtime: Path) -> Bench:
    """Return what presses the buttons of the guardian below this runtime folder."""
    socket = runtime / "guardian" / "bench"

    async def press(path: str) -> Response:
        try:
            async with asyncio.timeout(_ANSWER_S_MAX):
                reader, writer = await asyncio.open_unix_connection(socket)
                try:
                    writer.write(LINES[path].encode() + b"\n")
                    await writer.drain()
                    answer = await reader.read(_ANSWER_BYTES_MAX)
                finally:
                    writer.close()
        except OSError as problem:  # a timeout is one too
            return Response(503, "text/plain; charset=utf-8", f"no bench answers: {problem}\n".encode())
        return Response(200, "text/plain; charset=utf-8", answer)

    return press
