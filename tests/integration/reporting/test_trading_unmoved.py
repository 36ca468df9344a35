"""Whatever becomes of reporter, broker and panel, the trader decides as if they were not there."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.reporting.mosquitto import Listener, Mosquitto, needs_mosquitto

pytestmark = [pytest.mark.serial, needs_mosquitto]
RUN_S_MAX = 120


def pid_of(verb: str, keep: Path) -> int | None:
    """Return the process id of one part of a run."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if verb.encode() in words and any(word.startswith(bytes(keep)) for word in words):
                return int(entry.name)
    return None


class Trouble:
    """Hang, kill and flood everything that only looks, in turn, until the run ends."""

    def __init__(self, keep: Path, broker: Mosquitto) -> None:
        """Trouble the run that keeps its things there."""
        self._keep = keep
        self._broker = broker
        self.ended = threading.Event()
        self.done: list[str] = []

    def run(self) -> None:
        """Make trouble."""
        works: tuple[Callable[[], None], ...] = (self.hang, self.lose_broker, self.flood, self.kill)
        while not self.ended.wait(1.0):
            work = works[len(self.done) % len(works)]
            with contextlib.suppress(OSError):  # what it was to trouble has ended by itself in between
                work()
            self.done.append(work.__name__)

    def hang(self) -> None:
        """Stop the reporter for a while."""
        self._signal(signal.SIGSTOP)
        self.ended.wait(1.5)
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill the reporter."""
        self._signal(signal.SIGKILL)

    def lose_broker(self) -> None:
        """Kill the broker and start it again."""
        self._broker.kill()
        self.ended.wait(1.0)
        self._broker.start()

    def flood(self) -> None:
        """Open many connections to the panel."""
        url = json.loads((self._keep / "run" / "panel.json").read_bytes())["url"]
        for _ in range(200):
            socket.create_connection(("127.0.0.1", int(url.rstrip("/").rpartition(":")[2])), timeout=1).close()

    def _signal(self, number: signal.Signals) -> None:
        pid = pid_of("reporter", self._keep)
        if pid is not None:
            os.kill(pid, number)


def replayed(keep: Path, commands: Path) -> list[bytes]:
    """Replay a run's recording in a process of its own, where nothing reports, and return every step's commands."""
    folder = keep / "state" / "recordings"
    words = [sys.executable, "-m", "appliance", "replay", str(folder), "--json", "--commands", str(commands)]
    result = subprocess.run(words, capture_output=True, text=True, check=False, timeout=RUN_S_MAX)
    assert result.returncode == 0, result.stdout + result.stderr
    return commands.read_bytes().splitlines()


def test_the_command_stream_is_the_same_without_anybody_who_looks(tmp_path_factory: pytest.TempPathFactory) -> None:
    """While the reporter is stopped, killed and flooded and its broker lost again and again, every command the trader
    gave is the one a trader gives that has no reporter and no broker and sees the same inputs; wrong if one byte of one
    command differed, the trader had to be started again, or books and venue no longer agreed.
    """
    folder = tmp_path_factory.mktemp("u")
    keep = folder / "run"
    with Mosquitto(folder) as broker:
        words = ["--json", "--keep", str(keep), "--broker", broker.url, "--for", "14s"]
        process = subprocess.Popen(
            [sys.executable, "-m", "appliance", "run", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        trouble = Trouble(keep, broker)
        troubling = threading.Thread(target=trouble.run)
        with Listener(broker.port) as listener:
            troubling.start()
            try:
                out, told = process.communicate(timeout=RUN_S_MAX)
            finally:
                trouble.ended.set()
                troubling.join()
                process.kill()
            heard = len(listener.of("/event/"))
    assert process.returncode == 0, told
    summary = json.loads(out)
    assert set(trouble.done) == {"hang", "kill", "lose_broker", "flood"}
    assert heard > 0, "a run that published nothing proves nothing"
    assert summary["orders"] > 0, "a run without orders proves nothing"
    assert summary["agreed"]
    assert summary["restarts"]["trader"] == 0
    assert summary["restarts"]["reporter"] >= 1
    sent = [step for step in replayed(keep, folder / "commands") if b'"SendOrder"' in step]
    assert len(sent) == summary["orders"]
