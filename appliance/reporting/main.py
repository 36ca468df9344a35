"""The reporter's root: the one place where its parts are joined."""

import asyncio
import datetime as dt
import logging
import os
import random
import signal
import ssl
from collections.abc import Coroutine, Iterable
from pathlib import Path

import msgspec

from appliance.core.clock import NANOSECONDS_PER_SECOND, Clock, SystemClock
from appliance.core.config import Config
from appliance.core.errors import ApplianceError
from appliance.hardware.journald import Journald, JournaldHandler
from appliance.hardware.thermal import temperature_millicelsius
from appliance.hardware.watchdog import Notifier
from appliance.reporting.audit_tail import AuditTail
from appliance.reporting.box import Box
from appliance.reporting.model import Model
from appliance.reporting.mqtt.keeper import MqttKeeper
from appliance.reporting.mqtt.metrics import MqttCollector
from appliance.reporting.panel.access import context_in, is_private, token_in
from appliance.reporting.panel.bench import LINES, bench_at, no_bench
from appliance.reporting.panel.counters import PanelCounters
from appliance.reporting.panel.metrics import PanelCollector
from appliance.reporting.panel.request import Door
from appliance.reporting.panel.routes import routes
from appliance.reporting.panel.server import PanelLimits, PanelServer
from appliance.reporting.row_log import RowLog
from appliance.reporting.trader_link import SOCKET_NAME, TraderLink

OWN_FOLDER = "reporter"
ADDRESS_NAME = "panel.json"
_ENTRIES_MAX = 2000
_log = logging.getLogger(__name__)
_ALIVE_INTERVAL_S = 1.0
_BOX_INTERVAL_S = 0.5
_UNBOUND_HOSTS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - recognised here, bound only if the configuration says so


async def serve(config: Config, clock: Clock, notifier: Notifier) -> None:
    """Run the reporter until it is told to end, or one of its parts fails."""
    model = Model(min(config.reporter.retain_events_count, _ENTRIES_MAX))
    model.bench = config.pins.factory == "simulated"
    model.on_entry = RowLog(config.device.name).write
    link = TraderLink(config.paths.runtime / SOCKET_NAME, model, clock, random.Random())  # noqa: S311 - only jitter
    mqtt = MqttKeeper(config, model, clock, random.random)
    await mqtt.open()
    panel = _panel(config, model, clock, mqtt)
    address = config.paths.runtime / ADDRESS_NAME
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await _open_panel(panel, config, clock, address)
        notifier.ready()
        works = [link.run(), _feed_watchdog(notifier), _watch_box(config, model, clock)]
        await _until_stopped(stop, [*works, *((mqtt.run(),) if mqtt.configured else ())])
        notifier.stopping()
    finally:
        await panel.close()
        await mqtt.close()
        address.unlink(missing_ok=True)


def _panel(config: Config, model: Model, clock: Clock, mqtt: MqttKeeper) -> PanelServer:
    private = is_private(config.reporter.panel_host)
    door = Door(
        hosts=allowed_hosts(config.reporter.panel_host, config.device.name),
        presses=frozenset(LINES) if model.bench else frozenset(),
        token=None if private else token_in(config.paths.state / OWN_FOLDER),
    )
    counters = PanelCounters()
    more = (PanelCollector(counters), *((MqttCollector(mqtt),) if mqtt.configured else ()))
    bench = bench_at(config.paths.runtime) if model.bench else no_bench
    return PanelServer(model, clock, routes(model, clock, more), door, PanelLimits(), bench, counters)


async def _open_panel(panel: PanelServer, config: Config, clock: Clock, address: Path) -> None:
    host, context = config.reporter.panel_host, None
    if not is_private(host):
        now = dt.datetime.fromtimestamp(clock.wall_ns() // NANOSECONDS_PER_SECOND, dt.UTC)
        context = context_in(config.paths.state / OWN_FOLDER, config.device.name, host, now)
    port = await _listen(panel, host, config.reporter.panel_port, context)
    _announce(address, _url(host, port, encrypted=context is not None))


async def _watch_box(config: Config, model: Model, clock: Clock) -> None:
    """Keep the model told of what the guardian shows."""
    box = Box(config.paths.runtime, clock, temperature_millicelsius)
    audit = AuditTail(config.paths.runtime)
    while True:
        model.take_box(box.look(), audit.entries())
        await asyncio.sleep(_BOX_INTERVAL_S)


def run(config: Config) -> int:
    """Run the reporter's process and return its exit code."""
    journald = Journald("bot4-reporter", os.environ)
    logging.basicConfig(level=config.log.level.upper(), format="%(message)s", handlers=[JournaldHandler(journald)])
    notifier = Notifier(os.environ)
    try:
        asyncio.run(serve(config, SystemClock(), notifier))
    finally:
        notifier.close()
        journald.close()
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


async def _listen(panel: PanelServer, host: str, port: int, context: ssl.SSLContext | None) -> int:
    try:
        return await panel.start(host, port, context)
    except OSError as problem:
        raise ApplianceError(
            f"the panel cannot listen on {host} port {port} ({problem.strerror or problem}); "
            "choose another reporter.panel_port, or 0 for any free one"
        ) from problem


def _url(host: str, port: int, *, encrypted: bool) -> str:
    shown = "localhost" if host in _UNBOUND_HOSTS else host
    scheme = "https" if encrypted else "http"
    return f"{scheme}://[{shown}]:{port}/" if ":" in shown else f"{scheme}://{shown}:{port}/"


def _announce(address: Path, url: str) -> None:
    """Write the panel's address for the launcher, whole or not at all."""
    address.parent.mkdir(parents=True, exist_ok=True)
    draft = address.with_suffix(".new")
    draft.write_bytes(msgspec.json.encode({"url": url}))
    draft.replace(address)
