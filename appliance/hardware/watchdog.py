"""Telling systemd that the service is ready and alive.

Written by hand instead of using systemd-python, because that needs a compiler and systemd's headers wherever there is
no Debian package of it; the protocol is one datagram of `KEY=value` lines to the socket named in NOTIFY_SOCKET,
sd_notify(3). The socket module is loaded only where systemd names such a socket.
"""

from collections.abc import Mapping
from typing import Any, Final

from appliance.core.errors import HardwareError

_ABSTRACT_MARK: Final = "@"


class Notifier:
    """Speak to systemd, or to nobody where there is none."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Connect to the socket that the environment names."""
        address = environment.get("NOTIFY_SOCKET", "")
        self._socket: Any = _connect(address) if address else None
        self.failed_count = 0

    @property
    def connected(self) -> bool:
        """Tell whether systemd is listening."""
        return self._socket is not None

    def ready(self) -> None:
        """Say that starting is done."""
        self._send("READY=1")

    def alive(self) -> None:
        """Feed the service's watchdog."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the service is ending."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """Say in one line what the service is doing."""
        self._send("STATUS=" + text.replace("\n", " "))

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, line: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.send(line.encode())
        except OSError:
            # A full or vanished socket must not stop the caller; systemd acts on the silence by itself.
            self.failed_count += 1


def _connect(address: str) -> Any:  # noqa: ANN401 - naming the type would load the module
    import socket  # noqa: PLC0415 - see the header

    if address[0] not in {"/", _ABSTRACT_MARK}:
        raise HardwareError(f"NOTIFY_SOCKET is {address!r}: expected a path or an abstract name starting with @")
    name = "\0" + address[1:] if address[0] == _ABSTRACT_MARK else address
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        channel.connect(name)
    except OSError as error:
        channel.close()
        raise HardwareError(f"systemd's socket {address} cannot be reached: {error.strerror}") from error
    return channel
