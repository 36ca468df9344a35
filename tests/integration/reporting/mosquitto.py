"""A real mosquitto started for one test, and a listener that remembers what it hears."""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import msgspec
import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="no mosquitto on this machine (Debian: mosquitto)")
WAIT_S_MAX = 30.0


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until something is so."""
    deadline_s = time.monotonic() + WAIT_S_MAX
    while not condition():
        assert time.monotonic() < deadline_s, f"never came to be: {what}"
        time.sleep(0.02)


class Mosquitto:
    """Run one broker that can be killed and started again."""

    def __init__(self, folder: Path, settings: str = "allow_anonymous true", port: int | None = None) -> None:
        """Prepare a broker with these settings beside its listener."""
        self.port = free_port() if port is None else port
        self._config = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\n{settings}\nlog_dest stdout\nlog_type all\nuser root\n"
            f"max_queued_messages 0\npersistence false\n"
        )
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return its address."""
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Return what it said."""
        return self._log.read_text(errors="replace")

    def start(self) -> Self:
        """Start it and wait until it listens."""
        assert MOSQUITTO is not None
        with self._log.open("ab") as log:
            self.process = subprocess.Popen([MOSQUITTO, "-c", str(self._config)], stdout=log, stderr=log)
        until(self._listens, f"mosquitto on port {self.port}; it said: {self.log}")
        return self

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def __enter__(self) -> Self:
        """Start it."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.kill()

    def _listens(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Listener:
    """Subscribe to everything and keep it in the order it came."""

    def __init__(self, port: int, prepare: Callable[[Client], object] = lambda _: None) -> None:
        """Listen at a broker; `prepare` may set certificates or a password."""
        self.messages: list[tuple[str, bytes, bool]] = []
        self.events: list[int] = []
        self._subscribed = threading.Event()
        self.client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311)
        prepare(self.client)
        self.client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.on_message = self._take
        self.client.connect("127.0.0.1", port, bind_address="127.0.0.1")
        self.client.loop_start()

    def __enter__(self) -> Self:
        """Wait until it listens."""
        assert self._subscribed.wait(WAIT_S_MAX)
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        self.client.disconnect()
        self.client.loop_stop()
        self.client.on_connect = self.client.on_subscribe = self.client.on_message = None

    def of(self, ending: str) -> list[bytes]:
        """Return the payloads of topics that contain this."""
        return [payload for topic, payload, _ in self.messages if ending in topic]

    def _take(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self.messages.append((message.topic, bytes(message.payload), bool(message.retain)))
        if "/event/" in message.topic:
            self.events.append(msgspec.json.decode(message.payload)["sequence"])
