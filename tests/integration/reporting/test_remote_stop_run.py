"""The owner's commands against the whole appliance: guardian, trader, reporter and venue as real processes."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.reporting.mosquitto import Mosquitto, needs_mosquitto, until

pytestmark = [pytest.mark.serial, needs_mosquitto]


def appliance(*words: str) -> subprocess.CompletedProcess[str]:
    """Carry out a command of the owner's."""
    command = [sys.executable, "-m", "appliance", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)


@contextlib.contextmanager
def running(broker: Mosquitto, keep: Path, key: Path) -> Iterator[Path]:
    """Run everything with a broker and a key, and return where it tells what it does."""
    told = keep.with_name("told")
    words = ("run", "--json", "--keep", str(keep), "--broker", broker.url, "--stop-key", str(key))
    with told.open("w") as file:
        process = subprocess.Popen([sys.executable, "-m", "appliance", *words], stdout=file, stderr=file)
    try:
        until(lambda: "mode: NORMAL" in told.read_text(), "the appliance trades")
        yield told
    finally:
        process.terminate()
        process.wait(timeout=60)


def test_the_owner_stops_a_trading_appliance_from_outside(tmp_path: Path) -> None:
    """A stranger's key stops nothing and says so, the owner's stops it: the command sees it, the lamp shows it, the
    guardian's log names the key; wrong if any of the processes between did not do its part.
    """
    owner, stranger, keep = tmp_path / "owner", tmp_path / "stranger", tmp_path / "run"
    made = [appliance("remote-stop", "keygen", "--out", str(folder)) for folder in (owner, stranger)]
    assert [one.returncode for one in made] == [0, 0]
    assert f'remote_stop_key = "{(owner / "stop-public.key").read_text().split()[1]}"' in made[0].stdout
    (tmp_path / "b").mkdir()
    with Mosquitto(tmp_path / "b") as broker, running(broker, keep, owner / "stop-public.key") as told:
        to_it = ("remote-stop", broker.url, "--device", "bot4-demo")
        forged = appliance(*to_it, "--signing-key", str(stranger / "stop-private.key"), "--wait", "6")
        assert forged.returncode == 1, forged
        assert "NOT SEEN TO STOP" in forged.stdout
        assert "lamp: HALTED" not in told.read_text()
        good = appliance(*to_it, "--signing-key", str(owner / "stop-private.key"))
        assert good.returncode == 0, good
        until(lambda: "lamp: HALTED" in told.read_text(), "the venue confirmed that nothing is open")
        lines = [json.loads(line) for line in (keep / "state/guardian/audit.jsonl").read_text().splitlines()]
        assert [one["detail"]["cause"] for one in lines if one["event"] == "latched"] == ["REMOTE_STOP"]
        assert len([one for one in lines if one["event"] == "remote-stop"]) == 1
