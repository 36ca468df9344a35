"""Let Home Assistant as released find a running appliance by itself: `make assistant`.

A mosquitto, `appliance run` and Home Assistant's core with its MQTT integration, all real. Home Assistant must make one
entity of every announcement, with its class and unit, know each one's state, follow a slap on the stop button,
and complain of nothing. The exit code is 1 when it does not.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from appliance.reporting.mqtt.discovery import announcements
from appliance.reporting.mqtt.topics import Topics
from tests.integration.reporting.mosquitto import Mosquitto, free_port

ASSISTANT = Path(".venv-assistant/bin/python")
LOOK = Path(__file__).with_name("home_assistant_look.py")
DEVICE = "bot4-demo"
NODE = "bot4_bot4_demo"
# It logs warnings and worse; these parts of it concern us.
CONCERNED = ("[homeassistant.components.mqtt", "[homeassistant.helpers.template", "[homeassistant.components.sensor")
COMPLAINTS_SHOWN = 5
# A virtual machine has no thermometer.
MAY_BE_UNKNOWN = {f"{NODE}_temperature"}
_ENTRY: dict[str, Any] = {
    "created_at": "2025-01-01T00:00:00+00:00", "modified_at": "2025-01-01T00:00:00+00:00", "disabled_by": None,
    "discovery_keys": {}, "domain": "mqtt", "entry_id": "broker", "minor_version": 2, "options": {},
    "pref_disable_new_entities": False, "pref_disable_polling": False, "source": "user", "subentries": [],
    "title": "broker", "unique_id": None, "version": 1,
}  # fmt: skip


def main() -> int:
    """Look, tell, and return the exit code."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "broker").mkdir()
        with Mosquitto(folder / "broker") as broker, appliance(folder / "run", broker.url):
            problems = watched(folder, broker.port)
    for problem in problems:
        print(f"assistant: {problem}")
    print(f"assistant: {len(problems)} problems")
    return 1 if problems else 0


@contextlib.contextmanager
def appliance(keep: Path, url: str) -> Iterator[None]:
    """Run the appliance on its synthetic market, publishing to a broker."""
    words = [sys.executable, "-m", "appliance", "run", "--keep", str(keep), "--broker", url]
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def watched(folder: Path, broker_port: int) -> list[str]:
    """Return what Home Assistant did not do as it should."""
    wanted = announced()
    home = configured(folder / "home", broker_port)
    log = folder / "log"
    with log.open("wb") as complaints:
        words = [str(ASSISTANT), str(LOOK), str(home), str(len(wanted))]
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, text=True)
        question, answer = require_pipe(process.stdin), require_pipe(process.stdout)
        problems = compared(wanted, told(question, answer, {f"{NODE}_mode": "NORMAL"}))
        slap(folder / "run")
        problems += changed(
            told(question, answer, {f"{NODE}_mode": "HALTED", f"{NODE}_estop": "on", f"{NODE}_relay": "dropped"})
        )
        question.close()
        process.wait(60)
    said = [line for line in log.read_text(errors="replace").splitlines() if any(room in line for room in CONCERNED)]
    return problems + [f"it complained: {line}" for line in said[:COMPLAINTS_SHOWN]]


def announced() -> dict[str, dict[str, Any]]:
    """Return our announcements by unique_id."""
    documents = announcements(Topics("bot4-edge", DEVICE), "homeassistant", "1", "USD", 1)
    return {one["unique_id"]: one for one in (msgspec.json.decode(payload) for _, payload in documents)}


def configured(home: Path, broker_port: int) -> Path:
    """Write a Home Assistant's folder that knows the broker and listens on this machine only."""
    (home / ".storage").mkdir(parents=True)
    (home / "configuration.yaml").write_text(f"http:\n  server_host: 127.0.0.1\n  server_port: {free_port()}\n")
    entry = {**_ENTRY, "data": {"broker": "127.0.0.1", "port": broker_port, "discovery": True}}
    document = {"version": 1, "minor_version": 5, "key": "core.config_entries", "data": {"entries": [entry]}}
    (home / ".storage" / "core.config_entries").write_text(json.dumps(document))
    return home


def told(question: IO[str], answer: IO[str], wanted: Mapping[str, str]) -> dict[str, Any]:
    """Ask for these states and return what it has."""
    question.write(json.dumps(wanted) + "\n")
    question.flush()
    document: dict[str, Any] = json.loads(answer.readline())
    missed = {key: value for key, value in wanted.items() if document["entities"].get(key, {}).get("state") != value}
    return {**document, "missed": missed}


def compared(wanted: Mapping[str, Mapping[str, Any]], shown: Mapping[str, Any]) -> list[str]:
    """Return what differs between announcements and entities, and print the entities."""
    problems = [f"{key} never became {value}" for key, value in shown["missed"].items()]
    if DEVICE not in shown["devices"]:
        problems.append(f"its devices are {shown['devices']}")
    for identity, document in wanted.items():
        entity = shown["entities"].get(identity)
        if entity is None:
            problems.append(f"{identity} has no entity")
            continue
        print(f"{entity['entity_id']:<42} {entity['state']!s:<14} {entity['unit'] or '':<4} {entity['name']}")
        for field, option in (("device_class", "device_class"), ("unit", "unit_of_measurement")):
            if entity[field] != document.get(option):
                problems.append(f"{identity} has {field} {entity[field]}, not {document.get(option)}")
        if entity["state"] in {None, "unavailable", "unknown"} and identity not in MAY_BE_UNKNOWN:
            problems.append(f"{identity} is {entity['state']}")
    return problems


def changed(shown: Mapping[str, Any]) -> list[str]:
    """Return what did not follow the stop button."""
    return [f"after the stop button {key} never became {value}" for key, value in shown["missed"].items()]


def require_pipe(pipe: IO[str] | None) -> IO[str]:
    """Return a pipe that was asked for."""
    if pipe is None:
        raise RuntimeError("the process was started without a pipe")
    return pipe


def slap(keep: Path) -> None:
    """Slap the simulated stop button of a kept run."""
    words = [sys.executable, "-m", "appliance", "bench-press", "estop", "--config", str(keep / "appliance.toml")]
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True, timeout=30)


if __name__ == "__main__":
    if not ASSISTANT.exists() or shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        sys.exit("assistant: run it with `make assistant`, which installs what it needs")
    begun_s = time.monotonic()
    code = main()
    print(f"assistant: {time.monotonic() - begun_s:.0f} s")
    sys.exit(code)
