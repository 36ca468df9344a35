"""What holds for every test: no network but loopback, property tests that judge no timing, no secret left behind."""

import sys
from typing import Any

import hypothesis
import pytest

from tests.secret_search import search
from tests.session_folder import SessionFolder, search_what_is_removed

ADDRESS_EVENTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind"})
LOOPBACK_NAMES = frozenset({"localhost", "::1", "::ffff:127.0.0.1"})


class NetworkRefused(BaseException):
    """Stop a test that reaches for the network; no `except Exception` of the tested code can hide it."""


def pytest_configure(config: pytest.Config) -> None:
    """Install the refusal once: an audit hook sees every connection of this process, whoever makes it."""
    if not hasattr(config, "workerinput"):  # the one that started parallel workers searches for all of them
        config.pluginmanager.register(SecretSearch(SessionFolder(config.rootpath / "var")), "secret-search")
    search_what_is_removed()
    sys.addaudithook(refuse_network)
    hypothesis.settings.register_profile("project", deadline=None, print_blob=True, derandomize=True)
    hypothesis.settings.load_profile("project")


class SecretSearch:
    """Search everything that a session produced, once, when it ends."""

    PRINTED_LETTERS_MAX = 64 << 20

    def __init__(self, folder: SessionFolder) -> None:
        """Begin with nothing printed."""
        self._folder = folder
        self._printed: list[str] = []
        self._letters = 0
        self._leaks: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a test printed and logged; of a failed test that is what it failed with, too."""
        for _, text in report.sections:
            if self._letters < self.PRINTED_LETTERS_MAX:
                self._printed.append(text)
                self._letters += len(text)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Search, and let the session fail by what is found."""
        # Asking the public way would make a folder where no test wanted one.
        base = getattr(session.config, "_tmp_path_factory")._basetemp  # noqa: B009 - pytest declares no such attribute
        self._leaks = search(base, self._printed, self._folder.files())
        if self._leaks:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        else:
            self._folder.remove()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was found."""
        for leak in self._leaks:
            terminalreporter.write_line(f"SECRET LEFT BEHIND: {leak}", red=True)


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
