"""Push WebSocket frames as fast as they are taken; runs in a process of its own.

    python websocket_push.py FRAMES COUNT

FRAMES holds one message a line. It prints its port, and to each client sends messages, round and round, COUNT times.
"""

import asyncio
import sys
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode

BATCH = 256


async def main(frames: list[bytes], count: int) -> None:
    """Serve until killed."""

    async def push(connection: ServerConnection) -> None:
        for begin in range(0, count, BATCH):
            numbers = range(begin, min(begin + BATCH, count))
            connection.transport.write(b"".join(frames[number % len(frames)] for number in numbers))
            # The library's own way to wait until what was written is gone.
            await connection.drain()
        await connection.wait_closed()

    async with serve(push, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    messages = Path(sys.argv[1]).read_bytes().splitlines()
    # Spelled once: what is measured is the receiving side.
    spelled = [Frame(Opcode.TEXT, message).serialize(mask=False) for message in messages]
    asyncio.run(main(spelled, int(sys.argv[2])))
