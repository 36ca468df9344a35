"""A reporter process and the scripted trader that feeds it from a thread."""

import asyncio
import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

from appliance.trading.records import AnyRecord
from tests.integration.reporting.scripted_trader import ScriptedTrader, note, telemetry

START_S_MAX = 20.0


def write_config(folder: Path, panel_port: int = 0) -> Path:
    """Write a configuration whose runtime folder lies below this one."""
    config = folder / "appliance.toml"
    config.write_text(
        '[device]\nname = "bot4-demo"\n[pins]\nfactory = "simulated"\n'
        f"[reporter]\npanel_port = {panel_port}\n"
        f'[paths]\nstate = "{folder}/state"\nruntime = "{folder}/run"\n'
    )
    return config


class Fed:
    """Drive a scripted trader whose loop runs in a thread."""

    def __init__(self, folder: Path) -> None:
        """Serve the link below this folder."""
        self.folder = folder
        self.config = write_config(folder)
        (folder / "run").mkdir()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.trader = ScriptedTrader(folder / "run" / "report.sock")

    async def _start(self) -> None:
        await self.trader.server.start()

    async def _restart(self) -> None:
        await self.trader.server.close()
        self.trader = ScriptedTrader(self.folder / "run" / "report.sock", self.trader.rows)
        await self.trader.server.start()

    async def _publish(self, count: int) -> None:
        for _ in range(count):
            self.trader.publish(note(len(self.trader.rows)))

    async def _publish_record(self, record: AnyRecord) -> None:
        self.trader.publish(record)

    async def _tell(self, mode: str) -> None:
        self.trader.server.publish_telemetry(telemetry(time.time_ns(), mode=mode))

    async def _close(self) -> None:
        await self.trader.server.close()
        await asyncio.sleep(0.05)

    def _run(self, work: Any) -> None:  # noqa: ANN401 - any coroutine of ours
        asyncio.run_coroutine_threadsafe(work, self.loop).result(START_S_MAX)

    def start(self) -> None:
        """Start serving."""
        self.thread.start()
        self._run(self._start())

    def restart(self) -> None:
        """Close the link and serve the same journal again."""
        self._run(self._restart())

    def publish_notes(self, count: int) -> None:
        """Publish so many rows."""
        self._run(self._publish(count))

    def publish(self, record: AnyRecord) -> None:
        """Publish one record."""
        self._run(self._publish_record(record))

    def publish_telemetry(self, mode: str = "NORMAL") -> None:
        """Publish telemetry of this moment."""
        self._run(self._tell(mode))

    def close(self) -> None:
        """Stop serving and end the thread."""
        self._run(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


def fed_reporter(folder: Path) -> Iterator[Fed]:
    """Yield a serving scripted trader and close it afterwards."""
    fed = Fed(folder)
    fed.start()
    yield fed
    fed.close()


class Answer(NamedTuple):
    """Hold one HTTP answer."""

    status: int
    body: bytes


class ReporterProcess:
    """Run `appliance reporter` and ask its panel."""

    def __init__(self, config: Path) -> None:
        """Start it with this configuration."""
        address = config.parent / "run" / "panel.json"
        address.unlink(missing_ok=True)
        command = [sys.executable, "-m", "appliance", "reporter", "--config", str(config)]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        deadline_s = time.monotonic() + START_S_MAX
        while not address.exists():
            if self.process.poll() is not None or time.monotonic() > deadline_s:
                self.kill()
                raise AssertionError("the reporter did not announce its address")
            time.sleep(0.02)
        self.url: str = json.loads(address.read_bytes())["url"]
        self.port = int(self.url.rstrip("/").rpartition(":")[2])

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.kill()

    def kill(self) -> None:
        """End the process at once, as a power cut would."""
        self.process.kill()
        self.process.wait()

    def get(self, path: str, *, method: str = "GET", host: str = "localhost") -> Answer:
        """Ask for a path and return the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, headers={"Host": host})
            response = connection.getresponse()
            return Answer(response.status, response.read())
        finally:
            connection.close()

    def until(self, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Return the first state for which the condition holds."""
        deadline_s = time.monotonic() + START_S_MAX
        while True:
            document: dict[str, Any] = json.loads(self.get("/state.json").body)
            if condition(document):
                return document
            assert time.monotonic() < deadline_s, f"never came to be; last seen {document['state']}"
            time.sleep(0.05)
