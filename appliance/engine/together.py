"""Guardian, last resort, trader, reporter and the built-in venue on one machine, with the lamp told in words."""

import asyncio
import contextlib
import json
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.core.config import Config
from appliance.core.errors import ApplianceError, WireError
from appliance.engine.children import Child, Kind
from appliance.safety.lamps import PATTERNS, Lamp
from appliance.safety.lease import LeaseReader, lease_path
from appliance.safety.page import boot_identity
from appliance.wire.link import encode
from appliance.wire.report import Hello, Subscribe, Telemetry, trader_decoder

LAMP_INTERVAL_S = 0.05
PANEL_INTERVAL_S = 0.2
RECONNECT_S = 0.2
READ_BYTES = 65_536
NORMAL_WAIT_S_MAX = 120.0
TRADER_PATIENCE_S = 2.2
OTHERS_PATIENCE_S_MIN = 0.6
# Together they end within three seconds of being asked; what the trader leaves of that is the others'.
PATIENCE_S = TRADER_PATIENCE_S + OTHERS_PATIENCE_S_MIN

Say = Callable[[str], None]


def with_settings(text: str, values: dict[str, str]) -> str:
    """Return a configuration text with some settings given other values; each must already be there."""
    for key, value in values.items():
        parts = re.split(rf"(?m)^{key} = .*$", text)
        text = f"{key} = {value}".join(parts)
        if len(parts) != 2:  # noqa: PLR2004 - what stands before the one line, and behind it
            raise ApplianceError(f"the demonstration's configuration should set {key} exactly once")
    return text


class Together:
    """Start everything, watch it, and end it in good order."""

    def __init__(self, config: Config, path: Path, say: Say) -> None:
        """Take the configuration that every process reads from the same file."""
        self._config = config
        self._runtime = Path(config.paths.runtime)
        self._say = say
        words = ("--config", str(path))
        self._children = {
            name: Child(Kind(name, (name, *more, *words), urgent=name == "guardian"), say)
            for name, *more in (
                ("venue",),
                ("last-resort", "--parked"),
                ("guardian",),
                ("reporter",),
                ("trader",),
            )
        }
        self._stop = asyncio.Event()
        self._normal = asyncio.Event()
        self.telemetry: Telemetry | None = None
        self.failed = ""

    @property
    def restarts(self) -> dict[str, int]:
        """Return how often each process had to be started again."""
        return {name: child.restarts_count for name, child in self._children.items()}

    async def run(self, for_s: float | None, at_end: Callable[[], None]) -> None:
        """Run until stopped, or for a while from the first trading moment on; `at_end` still finds the venue up."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        tasks = [child.start() for child in self._children.values()]
        watchers = [asyncio.create_task(work()) for work in (self._watch_lamp, self._watch_panel, self._watch_trader)]
        if for_s is not None:
            watchers.append(asyncio.create_task(self._stop_after(for_s)))
        stopped = asyncio.create_task(self._stop.wait())
        try:
            done, _ = await asyncio.wait({*tasks, *watchers, stopped}, return_when=asyncio.FIRST_COMPLETED)
            while not self._stop.is_set() and done <= set(watchers):
                self._raise_failures(done)
                watchers = [task for task in watchers if not task.done()]
                done, _ = await asyncio.wait({*tasks, *watchers, stopped}, return_when=asyncio.FIRST_COMPLETED)
            self._raise_failures(done)
        finally:
            self._say("stopping")
            asked_s = loop.time()
            await self._children["trader"].end(TRADER_PATIENCE_S)
            for task in [*watchers, stopped]:
                task.cancel()
            at_end()
            patience_s = max(OTHERS_PATIENCE_S_MIN, asked_s + PATIENCE_S - loop.time())
            others = [child for name, child in self._children.items() if name != "trader"]
            await asyncio.gather(*(child.end(patience_s) for child in others))
            await asyncio.gather(*watchers, stopped, return_exceptions=True)

    def _raise_failures(self, done: set[asyncio.Task[Any]]) -> None:
        for task in done:
            if not task.cancelled() and task.exception() is not None:
                self.failed = str(task.exception())
                self._say(f"failed: {self.failed}")
                self._stop.set()

    async def _stop_after(self, for_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._normal.wait(), NORMAL_WAIT_S_MAX)
        await asyncio.sleep(for_s)
        self._stop.set()

    async def _watch_lamp(self) -> None:
        lease = LeaseReader(lease_path(self._runtime), boot_identity())
        shown: Lamp | None = None
        while True:
            known = lease.information()
            if known is None:
                lease.refresh()
            elif (lamp := Lamp(known.lamp)) is not shown:
                shown = lamp
                self._say(f"lamp: {lamp.name} ({PATTERNS[lamp].label})")
            await asyncio.sleep(LAMP_INTERVAL_S)

    async def _watch_panel(self) -> None:
        path = self._runtime / "panel.json"
        told = ""
        while True:
            with contextlib.suppress(FileNotFoundError):
                url = json.loads(path.read_text())["url"]
                if url != told:
                    told = url
                    self._say(f"panel: {url}")
            await asyncio.sleep(PANEL_INTERVAL_S)

    async def _watch_trader(self) -> None:
        """Follow the trader's own reports, over every restart of it."""
        while True:
            with contextlib.suppress(OSError, WireError):
                await self._follow_reports()
            await asyncio.sleep(RECONNECT_S)

    async def _follow_reports(self) -> None:
        reader, writer = await asyncio.open_unix_connection(self._runtime / "report.sock")
        decoder = trader_decoder()
        try:
            while data := await reader.read(READ_BYTES):
                for message in decoder.feed(data):
                    if isinstance(message, Hello):
                        # Only what happens from now on: the journal itself is read at the end.
                        writer.write(encode(Subscribe(message.head_sequence + 1)))
                    elif isinstance(message, Telemetry):
                        self._heard(message)
        finally:
            writer.close()

    def _heard(self, telemetry: Telemetry) -> None:
        if self.telemetry is None or telemetry.mode != self.telemetry.mode:
            self._say(f"mode: {telemetry.mode}")
        self.telemetry = telemetry
        if telemetry.mode in {"NORMAL", "REDUCED"}:
            self._normal.set()
