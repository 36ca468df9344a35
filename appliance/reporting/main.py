"""The reporter's root: the one place where its parts are joined."""

import asyncio
import logging
import os
import random
import signal
from collections.abc import Coroutine, Iterable
from pathlib import Path

import msgspec

from appliance.core.clock import Clock, SystemClock
from appliance.core.config import Config
from appliance.core.errors import ApplianceError
from appliance.hardware.watchdog import Notifier
from appliance.reporting.model import Model
from appliance.reporting.mqtt.desk import open_mqtt
from appliance.reporting.panel.routes import routes
from appliance.reporting.panel.server import PanelLimits, PanelServer
from appliance.reporting.trader_link import SOCKET_NAME, TraderLink

ADDRESS_NAME = "panel.json"
_ENTRIES_MAX = 2000
_ALIVE_INTERVAL_S = 1.0
_UNBOUND_HOSTS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - recognised here, bound only if the configuration says so


async def serve(config: Config, clock: Clock, notifier: Notifier) -> None:
    """Run the reporter until it is told to end, or one of its parts fails."""
    model = Model(min(config.reporter.retain_events_count, _ENTRIES_MAX))
    link = TraderLink(config.paths.runtime / SOCKET_NAME, model, clock, random.Random())  # noqa: S311 - only jitter
    names = allowed_hosts(config.reporter.panel_host, config.device.name)
    panel = PanelServer(model, clock, routes(model, clock), names, PanelLimits())
    address = config.paths.runtime / ADDRESS_NAME
    mqtt = await open_mqtt(config, model, clock)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    port = await _listen(panel, config.reporter.panel_host, config.reporter.panel_port)
    _announce(address, _url(config.reporter.panel_host, port))
    try:
        notifier.ready()
        works = [link.run(), _feed_watchdog(notifier), *(mqtt.works() if mqtt is not None else ())]
        await _until_stopped(stop, works)
        notifier.stopping()
    finally:
        await panel.close()
        if mqtt is not None:
            await mqtt.close()
        address.unlink(missing_ok=True)


def run(config: Config) -> int:
    """Run the reporter's process and return its exit code."""
    logging.basicConfig(level=config.log.level.upper(), format="%(levelname)s %(name)s: %(message)s")
    notifier = Notifier(os.environ)
    try:
        asyncio.run(serve(config, SystemClock(), notifier))
    finally:
        notifier.close()
    return 0


def allowed_hosts(panel_host: str, device: str) -> frozenset[str]:
    """Return the names by which a browser may call the panel, besides the address it really reached."""
    own = f"[{panel_host}]" if ":" in panel_host else panel_host
    names = {"localhost", "127.0.0.1", "[::1]", device, f"{device}.local", own}
    return frozenset(names - {f"[{host}]" if ":" in host else host for host in _UNBOUND_HOSTS})


async def _until_stopped(stop: asyncio.Event, works: Iterable[Coroutine[None, None, None]]) -> None:
    """Wait for the signal; a part that ends by itself ends the process, because systemd starts a whole one again."""
    parts = [asyncio.create_task(work) for work in works]
    stopped = asyncio.create_task(stop.wait())
    done, running = await asyncio.wait([*parts, stopped], return_when=asyncio.FIRST_COMPLETED)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    for task in done:
        task.result()


async def _feed_watchdog(notifier: Notifier) -> None:
    while True:
        notifier.alive()
        await asyncio.sleep(_ALIVE_INTERVAL_S)


async def _listen(panel: PanelServer, host: str, port: int) -> int:
    try:
        return await panel.start(host, port)
    except OSError as problem:
        raise ApplianceError(
            f"the panel cannot listen on {host} port {port} ({problem.strerror or problem}); "
            "choose another reporter.panel_port, or 0 for any free one"
        ) from problem


def _url(host: str, port: int) -> str:
    shown = "localhost" if host in _UNBOUND_HOSTS else host
    return f"http://[{shown}]:{port}/" if ":" in shown else f"http://{shown}:{port}/"


def _announce(address: Path, url: str) -> None:
    """Write the panel's address for the launcher, whole or not at all."""
    address.parent.mkdir(parents=True, exist_ok=True)
    draft = address.with_suffix(".new")
    draft.write_bytes(msgspec.json.encode({"url": url}))
    draft.replace(address)
