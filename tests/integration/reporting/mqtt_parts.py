"""The publishing half of a reporter in the test's own loop, fed by a scripted trader's real report server."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from appliance.core.clock import SystemClock
from appliance.core.config import Config, loads
from appliance.core.records import Row
from appliance.reporting.model import Model
from appliance.reporting.mqtt.desk import MqttDesk, open_mqtt
from appliance.reporting.trader_link import TraderLink
from tests.integration.reporting.mosquitto import Listener
from tests.integration.reporting.scripted_trader import ScriptedTrader, note, row

DEVICE = "bot4-demo"
BODY_S_MAX = 90.0


def config_for(folder: Path, mqtt: str) -> Config:
    """Return a configuration with these MQTT settings and its places below a folder."""
    return loads(
        f'[device]\nname = "{DEVICE}"\n[pins]\nfactory = "simulated"\n[mqtt]\nstate_interval_s = 1\n{mqtt}\n'
        f'[paths]\nstate = "{folder}/s"\nruntime = "{folder}/r"\n'
    )


@contextlib.asynccontextmanager
async def publishing(config: Config) -> AsyncIterator[MqttDesk]:
    """Run model, outbox and publisher, and end them in good order."""
    model = Model(200)
    desk = await open_mqtt(config, model, SystemClock())
    assert desk is not None
    link = TraderLink(config.paths.runtime / "report.sock", model, SystemClock(), random.Random(1))
    tasks = [asyncio.create_task(work) for work in (link.run(), *desk.works())]
    try:
        yield desk
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await desk.close()


@contextlib.asynccontextmanager
async def trading(folder: Path, rows: Sequence[Row] = ()) -> AsyncIterator[ScriptedTrader]:
    """Serve a scripted trader below a folder."""
    (folder / "r").mkdir(exist_ok=True)
    trader = ScriptedTrader(folder / "r" / "report.sock", rows)
    await trader.server.start()
    try:
        yield trader
    finally:
        await trader.server.close()


def notes(count: int) -> list[Row]:
    """Return so many small rows."""
    return [row(number, note(number)) for number in range(1, count + 1)]


def sequences(listener: Listener) -> list[int]:
    """Return the sequences of the events heard, in order, doubles included."""
    return list(listener.events)


def first_heard(heard: Sequence[int]) -> list[int]:
    """Return what a listener that ignores doubles is left with."""
    return list(dict.fromkeys(heard))


def run(body: Callable[[], Awaitable[None]]) -> None:
    """Run a test's body with a deadline."""

    async def bounded() -> None:
        async with asyncio.timeout(BODY_S_MAX):
            await body()
            await asyncio.sleep(0.01)

    asyncio.run(bounded())
