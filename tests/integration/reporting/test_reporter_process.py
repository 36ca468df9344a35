"""The reporter as its own process, fed by the real link and asked over real HTTP."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.reporting.fed_reporter import Fed, ReporterProcess, fed_reporter, write_config

pytestmark = pytest.mark.serial


@pytest.fixture
def fed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fed]:
    """Return a scripted trader in a thread of its own and the folder where a reporter finds it."""
    yield from fed_reporter(tmp_path_factory.mktemp("r"))


def test_the_panel_shows_what_the_trader_says(fed: Fed) -> None:
    """Mode, money and rows arrive on the page's own route, text escaped by nobody but the reader; wrong if the chain
    from the trader's publish to HTTP lost or changed any.
    """
    fed.publish_notes(30)
    fed.publish_telemetry(mode="REDUCED")
    with ReporterProcess(fed.config) as reporter:
        state = reporter.until(lambda document: document["state"].get("mode") == "REDUCED")
        assert state["state"]["equity"] == "10,000.00"
        assert state["state"]["synthetic"] is True
        assert state["state"]["lamp"] == "reduced"
        assert [entry["sequence"] for entry in state["entries_all"]] == list(range(1, 31))
        assert reporter.get("/healthz").status == 200
        assert b"bot4_equity_quote 10000.0" in reporter.get("/metrics").body
        assert b"<title>Bot4 Edge</title>" in reporter.get("/").body
        assert reporter.get("/", method="POST").status == 405
        assert reporter.get("/secret").status == 404
        assert reporter.get("/", host="evil.example").status == 421


def test_a_trader_that_falls_silent_is_shown_as_stale(fed: Fed) -> None:
    """Three seconds after the last word the state says it is old; wrong if a dead trader kept looking alive."""
    fed.publish_telemetry()
    with ReporterProcess(fed.config) as reporter:
        reporter.until(lambda document: document["state"]["stale"] is False)
        document = reporter.until(lambda document: document["state"]["stale"] is True)
        assert document["state"]["age_ms"] > 3000
        assert reporter.get("/healthz").status == 503


def test_a_killed_reporter_comes_back_with_every_row(fed: Fed) -> None:
    """After SIGKILL a new reporter holds the same rows and those published meanwhile; wrong if any were missing."""
    fed.publish_notes(50)
    with ReporterProcess(fed.config) as reporter:
        reporter.until(lambda document: len(document["entries_all"]) == 50)
        reporter.kill()
    fed.publish_notes(25)
    with ReporterProcess(fed.config) as reporter:
        document = reporter.until(lambda document: len(document["entries_all"]) == 75)
        assert [entry["sequence"] for entry in document["entries_all"]] == list(range(1, 76))


def test_a_restarted_trader_is_followed_without_gap_or_double(fed: Fed) -> None:
    """The reporter goes on where it was when the trader returns; wrong if it took rows twice or skipped any."""
    fed.publish_notes(40)
    with ReporterProcess(fed.config) as reporter:
        reporter.until(lambda document: len(document["entries_all"]) == 40)
        for _ in range(3):
            fed.restart()
            fed.publish_notes(10)
            time.sleep(0.2)
        document = reporter.until(lambda document: len(document["entries_all"]) == 70)
        assert [entry["sequence"] for entry in document["entries_all"]] == list(range(1, 71))
        metrics = reporter.get("/metrics").body
        assert b"bot4_link_rows_total 70.0" in metrics
        assert b"bot4_link_duplicate_rows_total 0.0" in metrics


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_good_order_within_a_second(fed: Fed, number: signal.Signals) -> None:
    """Told to end, it leaves with 0 although pages watch and a client trickles; wrong if it waited for any of them."""
    fed.publish_telemetry()
    with ReporterProcess(fed.config) as reporter:
        watching = [socket.create_connection(("127.0.0.1", reporter.port)) for _ in range(3)]
        watching[0].sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        watching[1].sendall(b"GET / HT")
        assert watching[0].recv(100).startswith(b"HTTP/1.1 200")
        started_s = time.monotonic()
        reporter.process.send_signal(number)
        assert reporter.process.wait(5) == 0
        assert time.monotonic() - started_s < 1
        for connection in watching:
            connection.close()
    assert not (fed.folder / "run" / "panel.json").exists()


def test_a_taken_port_is_said_in_a_sentence(tmp_path: Path) -> None:
    """Who chose a taken port reads what to do and gets exit code 2; wrong if it were a traceback or a silent retry."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        config = write_config(tmp_path, panel_port=taken.getsockname()[1])
        ended = subprocess.run(
            [sys.executable, "-m", "appliance", "reporter", "--config", str(config)],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    assert ended.returncode == 2
    assert "choose another reporter.panel_port" in ended.stderr
    assert "Traceback" not in ended.stderr
