"""A small TCP proxy in front of a broker that can hang, cut, swallow answers or refuse a version."""

import contextlib
import enum
import socket
import threading
from typing import Self

_CHUNK = 65_536
_PUBACK = 0x40
_CONNECT_PROTOCOL_AT = 8


class Mode(enum.Enum):
    """Say what the proxy does with what it carries."""

    PASS = "pass"
    HOLD = "take everything and hand on nothing: a half-open connection"
    NO_CONFIRMATIONS = "hand on all but the broker's confirmations"


class Proxy:
    """Carry connections to a port."""

    def __init__(self, port: int, *, refuse_v5: bool = False) -> None:
        """Carry to this port; `refuse_v5` hangs up on version 5 as an old broker does."""
        self._target = port
        self._refuse_v5 = refuse_v5
        self.mode = Mode.PASS
        self._held_up_to = 0
        self.accepted = 0
        self.refused = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Cut everything."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def hold(self) -> None:
        """Let the connections that are open now hang; later ones are carried as usual."""
        self._held_up_to = self.accepted
        self.mode = Mode.HOLD

    def cut(self) -> None:
        """Reset every connection."""
        connections, self._open = self._open, []
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            self.accepted += 1
            self._open += [client, server]
            threading.Thread(target=self._pump, args=(client, server, True, self.accepted), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, False, self.accepted), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, upwards: bool, number: int) -> None:
        first = True
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                if first and upwards and self._refuse_v5 and data[_CONNECT_PROTOCOL_AT] == 5:
                    self.refused += 1
                    break
                first = False
                if self.mode is Mode.HOLD and number <= self._held_up_to:
                    continue
                if self.mode is Mode.NO_CONFIRMATIONS and not upwards:
                    data = without_confirmations(data)
                if data:
                    sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def without_confirmations(data: bytes) -> bytes:
    """Return whole packets without the confirmations among them; they are all shorter than 128 bytes here."""
    kept = bytearray()
    while len(data) > 1:
        length = data[1] + 2
        if data[0] & 0xF0 != _PUBACK:
            kept += data[:length]
        data = data[length:]
    return bytes(kept)
