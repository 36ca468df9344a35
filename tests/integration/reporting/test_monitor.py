"""`appliance monitor` as its own process beside a real broker and appliances that publish."""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from appliance.reporting.mqtt.payloads import Chain, State, encode
from tests.integration.reporting.mosquitto import Listener, Mosquitto, free_port, needs_mosquitto
from tests.integration.reporting.mqtt_parts import config_for, notes, publishing, run, trading
from tests.integration.reporting.scripted_trader import telemetry

pytestmark = needs_mosquitto


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a path short enough for a socket."""
    return tmp_path_factory.mktemp("n")


def monitor(*words: str) -> subprocess.Popen[str]:
    """Start the monitor."""
    command = [sys.executable, "-m", "appliance", "monitor", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def documents(process: subprocess.Popen[str]) -> tuple[int, dict[str, dict[str, Any]], str]:
    """Return how a monitor ended and what it printed for each device."""
    out, problem = process.communicate(timeout=60)
    found = [json.loads(line) for line in out.splitlines()]
    return process.returncode, {one["device"]: one for one in found}, problem


def test_it_tells_the_well_from_the_quiet(folder: Path) -> None:
    """A publishing appliance and one that fell silent are told apart by exit code, alarm and figures; wrong if silence
    looked like health, or the figures were others than published.
    """

    async def body() -> None:
        with Mosquitto(folder) as broker, Listener(broker.port) as other:
            silent = encode(State(device="quiet-one", wall_ms=1, stale=False, mode="NORMAL"))
            other.client.publish("bot4-edge/quiet-one/state", silent, qos=1, retain=True).wait_for_publish(10)
            config = config_for(folder, f'broker = "{broker.url}"')
            async with trading(folder, notes(10)) as trader, publishing(config):
                watching = monitor(broker.url, "--for", "5s", "--json", "--quiet-after", "2.5")
                while watching.poll() is None:
                    trader.server.publish_telemetry(telemetry(time.time_ns()))
                    await asyncio.sleep(0.2)
            code, found, _ = documents(watching)
            assert code == 1
            assert found["bot4-demo"]["alarms"] == ["check: cpu_temperature"]
            assert found["bot4-demo"]["online"] is True
            state = found["bot4-demo"]["state"]
            assert state["equity"] == "10000"
            assert [alarm.startswith("quiet for") for alarm in found["quiet-one"]["alarms"]] == [True]

    run(body)


def test_a_cut_journal_is_found_in_a_later_run(folder: Path) -> None:
    """Heads remembered in a file accuse a journal that came back shorter; wrong if only one run's memory counted."""
    with Mosquitto(folder) as broker, Listener(broker.port) as other:
        words = (broker.url, "--for", "2s", "--json", "--heads", str(folder / "heads"), "--quiet-after", "60")
        for head, code in (("120:aa", 0), ("125:bb", 0), ("90:cc", 1)):
            chain = encode(Chain(device="a", wall_ms=1, journal="abc12", head=head))
            other.client.publish("bot4-edge/a/chain", chain, qos=1, retain=True).wait_for_publish(10)
            ended, found, problem = documents(monitor(*words))
            assert (ended, problem) == (code, "")
            assert len(found["a"]["alarms"]) == code
            assert not code or "went back from row 125 to 90: it was cut" in found["a"]["alarms"][0]


def test_a_screen_is_drawn_and_an_absent_broker_is_said(folder: Path) -> None:
    """The terminal shows a line for the appliance; without a broker the exit code is 2 and the reason is said; wrong if
    nothing were drawn or the absence passed for an empty fleet.
    """
    with Mosquitto(folder) as broker, Listener(broker.port) as other:
        state = encode(State(device="a", wall_ms=1, stale=False, mode="NORMAL", lamp="NORMAL"))
        other.client.publish("bot4-edge/a/state", state, qos=1, retain=True).wait_for_publish(10)
        watching = monitor(broker.url, "--for", "2s")
        out, _ = watching.communicate(timeout=60)
        assert watching.returncode == 0
        assert "● a" in out
    alone = monitor(f"mqtt://127.0.0.1:{free_port()}", "--for", "1s", "--json")
    _, problem = alone.communicate(timeout=60)
    assert alone.returncode == 2
    assert "was not reached" in problem
    for words in (("http://x", "--for", "1s"), ("mqtt://x", "--json"), ("mqtt://x", "--for", "0s")):
        bad = monitor(*words)
        _, problem = bad.communicate(timeout=60)
        assert bad.returncode == 2
        assert "Traceback" not in problem
