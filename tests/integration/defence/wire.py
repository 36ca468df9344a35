"""A wire between the appliance and its venue that can be cut: nothing passes and nobody is told, as on a dead link."""

import asyncio
import threading
from contextlib import suppress

READ_BYTES = 65_536


class Wire:
    """Pass connections on to a port until it is cut; one made after that is taken and never answered."""

    def __init__(self, to_port: int) -> None:
        """Listen on a port of its own, in a thread of its own."""
        self._to_port = to_port
        self._loop = asyncio.new_event_loop()
        self._whole = True
        self._writers: list[asyncio.StreamWriter] = []
        self.port = 0
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        if not ready.wait(10):
            raise RuntimeError("the wire does not listen")

    def cut(self) -> None:
        """Let nothing through any more, in both directions, without closing anything."""
        self._whole = False

    def close(self) -> None:
        """End the thread and every connection."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._connected, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()
        server.close()
        for writer in self._writers:
            writer.transport.abort()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        except OSError:
            # Nobody listens at the far end yet; the near one is to hear it as if there were no wire.
            writer.close()
            return
        self._writers.append(far_writer)
        with suppress(OSError, asyncio.CancelledError):
            await asyncio.gather(self._pass_on(reader, far_writer), self._pass_on(far_reader, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(READ_BYTES):
                if self._whole:
                    writer.write(data)
                    await writer.drain()
        finally:
            # A cut wire does not tell the other end that this one is gone.
            if self._whole:
                writer.close()
