"""What holds for every test: no network but loopback, and property tests that judge no timing."""

import sys
from typing import Any

import hypothesis

ADDRESS_EVENTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind"})
LOOPBACK_NAMES = frozenset({"localhost", "::1", "::ffff:127.0.0.1"})


class NetworkRefused(BaseException):
    """Stop a test that reaches for the network; no `except Exception` of the tested code can hide it."""


def pytest_configure() -> None:
    """Install the refusal once: an audit hook sees every connection of this process, whoever makes it."""
    sys.addaudithook(refuse_network)
    hypothesis.settings.register_profile("project", deadline=None, print_blob=True, derandomize=True)
    hypothesis.settings.load_profile("project")


def refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    """Stop the test when a socket is about to leave this machine, or a name to be looked up elsewhere."""
    if event in ADDRESS_EVENTS and not is_local(arguments[1]):
        raise NetworkRefused(f"{event} to {arguments[1]}: tests may use loopback only")
    if event == "socket.getaddrinfo" and not is_loopback(arguments[0]):
        raise NetworkRefused(f"looking up {arguments[0]}: tests may use loopback only")


def is_local(address: object) -> bool:
    """Tell whether a socket's address stays on this machine; those of local sockets are no pair of host and port."""
    return not isinstance(address, tuple) or not isinstance(address[0], str) or is_loopback(address[0])


def is_loopback(host: object) -> bool:
    """Tell whether a host is this machine by a name that needs no look-up."""
    name = host.decode() if isinstance(host, bytes) else host
    return name is None or (isinstance(name, str) and (name in LOOPBACK_NAMES or name.startswith("127.")))
