"""Tests reach no network but loopback."""

import asyncio
import socket
import urllib.request
from collections.abc import Callable

import pytest

from tests.conftest import is_local, is_loopback


def connect_elsewhere() -> None:
    """Open a connection to an address reserved for documentation."""
    with socket.socket() as one:
        one.settimeout(0.1)
        one.connect(("192.0.2.1", 9))


def send_elsewhere() -> None:
    """Send a datagram to an address reserved for documentation."""
    with socket.socket(type=socket.SOCK_DGRAM) as one:
        one.sendto(b"", ("192.0.2.1", 9))


def look_up_elsewhere() -> None:
    """Look up a name that is reserved never to exist."""
    socket.getaddrinfo("venue.invalid", 443)


def fetch_elsewhere() -> None:
    """Fetch a page through the standard library."""
    urllib.request.urlopen("http://192.0.2.1:9/", timeout=0.1).close()


def connect_elsewhere_asynchronously() -> None:
    """Open a connection from an event loop."""
    asyncio.run(asyncio.wait_for(asyncio.open_connection("192.0.2.1", 9), 0.1))


def listen_to_everyone() -> None:
    """Offer a port on every interface."""
    with socket.socket() as one:
        one.bind(("0.0.0.0", 0))  # noqa: S104 - the very thing that must be refused


@pytest.mark.parametrize(
    "reach",
    [
        connect_elsewhere,
        send_elsewhere,
        look_up_elsewhere,
        fetch_elsewhere,
        connect_elsewhere_asynchronously,
        listen_to_everyone,
    ],
)
def test_the_network_is_refused(reach: Callable[[], None]) -> None:
    """Shows that each way out is refused at once; fails when a test could talk to another machine."""
    with pytest.raises(BaseException, match=r"loopback only"):
        reach()


def test_loopback_works() -> None:
    """Shows that a test may serve and connect on this machine; fails when the refusal is too wide."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1", b"localhost", None])
def test_names_of_this_machine(host: object) -> None:
    """Shows which hosts are this machine; fails when one of its names is refused."""
    assert is_loopback(host)


def test_local_sockets_are_local() -> None:
    """Shows that sockets without a host pass; fails when a local socket is refused."""
    assert is_local("/run/some.socket")
    assert is_local(b"\0abstract")
