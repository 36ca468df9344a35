"""The one time server that the emulated machine reaches: this machine's clock, over SNTP (RFC 4330), on loopback."""

import socket
import struct
import threading
import time

# Seconds between 1900, where the protocol counts from, and 1970.
FROM_1900_S = 2_208_988_800
REQUEST_BYTES_MIN = 48
# Server, version 4, stratum 2, precision of a microsecond.
HEAD = struct.pack("!BBBb", 0x24, 2, 6, -20)
ROOT = struct.pack("!II4s", 0, 0x40, b"\x7f\x00\x00\x01")
LOOK_S = 0.2


def stamp(wall_ns: int) -> bytes:
    """Return a moment as the protocol writes it."""
    seconds, rest_ns = divmod(wall_ns, 1_000_000_000)
    return struct.pack("!II", seconds + FROM_1900_S, (rest_ns << 32) // 1_000_000_000)


def answer(request: bytes, received_ns: int, sent_ns: int) -> bytes:
    """Return the answer to one request; the sender knows it again by its own stamp."""
    return HEAD + ROOT + stamp(received_ns) + request[40:48] + stamp(received_ns) + stamp(sent_ns)


class TimeServer:
    """Answer on a free port until closed; while it is muted, it hears and says nothing."""

    def __init__(self) -> None:
        """Take a port and begin."""
        self.muted = False
        self.offset_ns = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(LOOK_S)
        self.port = int(self._socket.getsockname()[1])
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="time", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it and give the port back."""
        self._ended.set()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                request, sender = self._socket.recvfrom(512)
            except TimeoutError:
                continue
            received_ns = time.time_ns() + self.offset_ns
            if len(request) >= REQUEST_BYTES_MIN and not self.muted:
                self._socket.sendto(answer(request, received_ns, time.time_ns() + self.offset_ns), sender)
