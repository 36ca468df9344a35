"""`appliance venue` as a process: how it says where it is, how it ends, and that two do not share a port."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from appliance.core.errors import WireError
from appliance.venues.simulator.ledger import ask_books

pytestmark = [pytest.mark.serial, pytest.mark.timeout(60)]


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def venue(*words: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Run a venue and return what it said of itself."""
    command = [sys.executable, "-m", "appliance", "venue", "--json", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def test_it_says_where_it_is_and_whose_keys_open_it() -> None:
    """Shows that a program can read address, seed and keys; fails when the line is for people only."""
    with venue("--port", "0", "--seed", "9") as (_, facts):
        assert facts["market"] == "synthetic"
        assert facts["seed"] == 9
        assert facts["websocket"] == facts["rest"].replace("http", "ws") + "/v2"
        assert facts["key"]
        assert facts["private"]
        books = ask_books(facts["rest"])
        assert (books.seed, books.audit_ok, books.cash_quanta) == (9, True, books.cash_start_quanta)


def test_a_signal_ends_it_cleanly_and_quickly() -> None:
    """Shows exit code 0 with nothing on stderr and nobody left to answer; fails when it hangs on a connection."""
    with venue("--port", "0") as (process, facts):
        place = facts["rest"].removeprefix("http://").split(":")
        with socket.create_connection((place[0], int(place[1]))):
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=10)
        assert (process.returncode, errors) == (0, "")
        with pytest.raises(WireError, match="no venue answers"):
            ask_books(facts["rest"])


@pytest.mark.parametrize(("words", "says"), [((), "choose another"), (("--faults", "weather=3"), "is unknown")])
def test_bad_use_is_told_in_one_line(words: tuple[str, ...], says: str) -> None:
    """Shows exit code 2 for a port in use and an unknown fault; fails on a traceback or a second venue."""
    with venue("--port", str(free_port())) as (_, facts):
        port = facts["rest"].rpartition(":")[2]
        command = [sys.executable, "-m", "appliance", "venue", "--port", port, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 2
        assert says in done.stderr
        assert "Traceback" not in done.stderr
        assert ask_books(facts["rest"]).audit_ok
