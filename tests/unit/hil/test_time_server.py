"""The bench's time server."""

import socket
import struct
import time

import pytest

from hil_tests.virtual.time_server import FROM_1900_S, TimeServer

REQUEST = b"\x23" + bytes(39) + b"ORIGINAL"


def _asked(server: TimeServer) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(1.0)
        client.sendto(REQUEST, ("127.0.0.1", server.port))
        return client.recv(512)


def test_it_tells_this_machines_time() -> None:
    """Shows mode, stratum, the asker's own stamp and the time; fails for an answer that chrony would not take."""
    server = TimeServer()
    try:
        found = _asked(server)
    finally:
        server.close()
    assert len(found) == 48
    assert found[0] & 7 == 4
    assert found[1] == 2
    assert found[24:32] == b"ORIGINAL"
    assert abs(struct.unpack_from("!I", found, 40)[0] - FROM_1900_S - time.time()) < 5


def test_it_can_be_muted() -> None:
    """Shows that a box can be left without time; fails when the muted server still answers."""
    server = TimeServer()
    server.muted = True
    try:
        with pytest.raises(TimeoutError):
            _asked(server)
    finally:
        server.close()
