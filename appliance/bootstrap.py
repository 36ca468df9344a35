"""The one place where the trader's parts are joined to the real world.

Everything below gets what it needs through its constructor; only here does anybody know that the clock is the
machine's, the venue a socket and the journal a file.
"""

import argparse
import asyncio
import gc
import os
import random
import signal
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

from appliance.core.clock import SystemClock
from appliance.core.commands import EndProcess
from appliance.core.config import CONFIG_PATH, Config, load, read
from appliance.core.errors import ConfigError, StoreFailure
from appliance.core.events import AnyEvent
from appliance.core.identifiers import journal_tag
from appliance.core.model_hashes import model_hashes
from appliance.core.records import Row
from appliance.core.sealed import Sealing, load_for_trading
from appliance.core.settings.contradictions import venue_on_this_machine
from appliance.engine.assembly import build_trader, reads_figures
from appliance.engine.backup_task import Backups
from appliance.engine.health_looks import JournalWatch, Sources, looks, venue_clock_apart
from appliance.engine.health_task import HealthTask
from appliance.engine.mailbox import Mailbox
from appliance.engine.model_desk import Folder, ModelDesk
from appliance.engine.ports import Models, Recording, TimeService
from appliance.engine.report_server import ReportServer
from appliance.engine.runner import NoModels, Ports, Runner, Unrecorded
from appliance.hardware import memory, power, storage, thermal
from appliance.hardware.clock_sync import ClockSync
from appliance.hardware.journald import Journald
from appliance.hardware.watchdog import Notifier
from appliance.kernels.warm_up import ALL_KERNELS, KERNELS, warm_up
from appliance.market.intake import DEPTH
from appliance.market.recording import Start
from appliance.safety.heartbeat import HeartbeatWriter, heartbeat_path
from appliance.safety.lease import LeaseReader, lease_path
from appliance.safety.page import boot_identity
from appliance.signals.models.installed import models_folder, trusted_key
from appliance.store.journal import Journal
from appliance.store.limits import JournalLimits
from appliance.store.paths import backups_in, journal_in
from appliance.store.recorder import Recorder, limits_of
from appliance.store.retention import Retention
from appliance.trading.ledger import Ledger
from appliance.trading.projected import ProjectedLedger
from appliance.trading.rate import TokenBucket
from appliance.trading.records import ESSENTIAL_KINDS, Boot, decode
from appliance.trading.snapshot import freeze
from appliance.venues.kraken.connection import Means
from appliance.venues.kraken.feed import KrakenFeed
from appliance.venues.kraken.history import KrakenHistory
from appliance.venues.kraken.joining import Venue, join
from appliance.venues.kraken.orders import KrakenOrders
from appliance.wire.report import PROTOCOL_VERSION, Grid, Hello

Say = Callable[[str], None]
REPORT_SOCKET = "report.sock"
RECORDINGS = "recordings"
COPY_S_MAX = 600.0
RECORDER_CLOSE_S = 1.0
COMPILER = "libllvmlite.so"
MEGABYTE = 1_000_000
_MACHINE_ID = Path("/etc/machine-id")


class _Replayed(NamedTuple):
    ledger: Ledger
    fold: ProjectedLedger
    tag: str
    wall_ns: int


class _Relay:
    """Carry the journal thread's words into the loop; the runner comes to be after the journal is open."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.runner: Runner | None = None

    def durable(self, sequence: int) -> None:
        if self.runner is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.runner.durable, sequence)

    def failed(self, failure: StoreFailure) -> None:
        if self.runner is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.runner.journal_failed, str(failure))


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `appliance trader`."""
    parser.add_argument(
        "--config", type=Path, default=CONFIG_PATH, metavar="FILE", help="the configuration (default: %(default)s)"
    )
    parser.add_argument(
        "--public-key", type=Path, metavar="FILE", help="whose seal must be on it (default: seal.pub beside it)"
    )
    parser.add_argument(
        "--seal", type=Path, metavar="FILE", help="the seal (default: the configuration's name and .seal)"
    )
    parser.add_argument(
        "--device", default="", metavar="ID", help="the device the seal is for (default: the machine id)"
    )
    parser.add_argument("--models", type=Path, metavar="FILE", help="the manifest of the models the seal covers")


def run(arguments: argparse.Namespace) -> int:
    """Trade until stopped; needs a guardian for permission and a venue to trade on."""
    return start(arguments, ClockSync())


def start(arguments: argparse.Namespace, clock_sync: TimeService) -> int:
    """Trade until stopped, with somebody's word on whether the clock is set."""
    bare = load(arguments.config)
    bare.paths.state.mkdir(parents=True, exist_ok=True)
    config = load_for_trading(arguments.config, _sealing(arguments, bare))
    journald = Journald("bot4-trader", os.environ)
    ended = trade(config, read(arguments.config).decode(), journald.tell, clock_sync)
    journald.tell(ended.reason)
    journald.close()
    return ended.code


def _sealing(arguments: argparse.Namespace, config: Config) -> Sealing | None:
    """Return what the seal must be for, or nothing where no public key is installed."""
    path: Path = arguments.config
    public_key = arguments.public_key or path.with_name("seal.pub")
    if arguments.public_key is None and not public_key.exists():
        return None
    return Sealing(
        seal=arguments.seal or path.with_name(path.name + ".seal"),
        public_key=public_key,
        device=arguments.device or _MACHINE_ID.read_text(encoding="ascii").strip(),
        model_hashes={} if arguments.models is None else model_hashes(arguments.models),
        state=config.paths.state,
    )


def trade(config: Config, config_text: str, say: Say, clock_sync: TimeService) -> EndProcess:
    """Run the trader until it is asked to end, and say how it ended."""
    if config.trading.mode == "live":
        say(f"LIVE: orders go to {config.venue.orders_url}, by the owner's consent in the sealed configuration")
    for folder in (config.paths.state, config.paths.runtime / "trader"):
        folder.mkdir(parents=True, exist_ok=True)
    for name, number, count in warm_up(ALL_KERNELS if reads_figures(config) else KERNELS):
        say(f"kernels: {number}/{count} {name}")
    return asyncio.run(_trade(config, config_text, say, clock_sync))


async def _trade(config: Config, config_text: str, say: Say, clock_sync: TimeService) -> EndProcess:
    loop, clock = asyncio.get_running_loop(), SystemClock()
    relay = _Relay(loop)
    async with AsyncExitStack() as stack:
        journal = _open_journal(config, clock, relay)
        stack.callback(journal.close)
        replayed = _replay(journal, config.device.name, clock)
        say(f"journal: replayed {replayed.ledger.sequence:,} rows")
        venue = await join(config, clock, say)
        now_ns = clock.monotonic_ns()
        recording = _recording(config, config_text, replayed, venue, now_ns, clock, say)
        if isinstance(recording, Recorder):
            stack.callback(recording.close, RECORDER_CLOSE_S)
        server = _report_server(config, venue, journal, replayed)
        await server.start()
        stack.push_async_callback(server.close)
        ports = _ports(config, clock, venue, journal, server, recording, say, clock_sync)
        require_models(config, ports.models.problem)
        trader = build_trader(
            config,
            venue.names.instruments,
            replayed.ledger,
            tag=replayed.tag,
            now_ns=now_ns,
            wall_ns=replayed.wall_ns,
        )
        relay.runner = Runner(trader, ports)
        if journal.start(replayed.fold):
            say("journal: the projections were behind and have been rebuilt")
        ports.health.look()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, relay.runner.request_shutdown, signal.Signals(number).name)
        gc.collect()
        gc.freeze()
        # The compiler has done its work; its code is read from the disk again if it is ever called.
        say(f"memory: {memory.give_back(COMPILER) // MEGABYTE} MB of the compiler's code given back")
        say("running")
        return await relay.runner.run()


def _ports(
    config: Config,
    clock: SystemClock,
    venue: Venue,
    journal: Journal,
    server: ReportServer,
    recording: Recording,
    say: Say,
    clock_sync: TimeService,
) -> Ports:
    mailbox, boot, runtime = Mailbox(), boot_identity(), config.paths.runtime
    means = Means(clock, random.SystemRandom(), say)

    def post(event: AnyEvent) -> None:
        mailbox.put(clock.monotonic_ns(), event)

    orders = KrakenOrders(venue.orders, venue.asker, venue.names, post, means, venue.limits)
    sources = _sources(config, journal, clock, orders)
    return Ports(
        clock=clock,
        clock_sync=clock_sync,
        mailbox=mailbox,
        journal=journal,
        feed=KrakenFeed(venue.market, post, means, DEPTH, venue.limits),
        orders=orders,
        rate=TokenBucket(
            config.orders.rate_per_s_max,
            config.orders.rate_burst_count,
            config.orders.cancel_reserve_count,
            clock.monotonic_ns(),
        ),
        lease=LeaseReader(lease_path(runtime), boot),
        pulse=HeartbeatWriter(heartbeat_path(runtime), boot),
        publisher=server,
        recording=recording,
        watchdog=Notifier(os.environ),
        backups=_backups(config, journal, clock, say),
        health=HealthTask(looks(config.health, config.venue.clock_offset_ms_max, sources), post),
        models=_models(config, clock, post, say),
        history=KrakenHistory(venue.client, venue.names, clock, post, say),
        pid=os.getpid(),
    )


def require_models(config: Config, problem: str) -> None:
    """Refuse to start where models are wanted that cannot be trusted, unless trading goes on without them."""
    if config.models.enabled and config.models.missing == "refuse" and problem:
        raise ConfigError(f"models.missing is refuse, and {problem}")


def _models(config: Config, clock: SystemClock, post: Callable[[AnyEvent], None], say: Say) -> Models:
    if not config.models.enabled:
        return NoModels()
    folder = Folder(models_folder(), trusted_key())
    return ModelDesk(folder, clock, config.models.budget_ms / 1_000, post, say)


def _sources(config: Config, journal: Journal, clock: SystemClock, orders: KrakenOrders) -> Sources:
    state = config.paths.state
    wear, watch = storage.WearMeter(storage.device_under(state)), JournalWatch(journal.status, journal.appended)
    return Sources(
        temperature=thermal.temperature_millicelsius,
        throttled=power.throttled_bits,
        voltage=power.voltage_bits,
        free=partial(storage.free_bytes, state),
        writable=partial(storage.writable, state),
        wear=lambda: wear.read(clock.monotonic_ns()),
        memory=memory.available_bytes,
        journal=lambda: watch.read(clock.monotonic_ns()),
        venue_clock=venue_clock_apart(orders.clock_apart_ns),
    )


def _open_journal(config: Config, clock: SystemClock, relay: _Relay) -> Journal:
    return Journal.open(
        journal_in(config.paths.state),
        device=config.device.name,
        clock=clock,
        on_durable=relay.durable,
        on_failure=relay.failed,
        essential_kinds=ESSENTIAL_KINDS,
        limits=JournalLimits(
            rows_waiting_max=config.journal.queue_rows_max,
            wal_pages_max=config.journal.wal_pages_max,
            reserve_bytes=config.journal.reserve_bytes,
        ),
    )


def _replay(journal: Journal, device: str, clock: SystemClock) -> _Replayed:
    """Fold every row, once for trading and once for the projections; the first row names the journal."""
    fold, ledger, wall_ns = ProjectedLedger(), Ledger(), clock.wall_ns()
    tag = journal_tag(device, wall_ns)
    for row in journal.rows():
        record = decode(row)
        if row.sequence == 1 and isinstance(record, Boot):
            tag = journal_tag(record.device, row.wall_ns)
        ledger.apply(row.sequence, row.wall_ns, row.trace, record)
        fold.apply(row)
    return _Replayed(ledger, fold, tag, wall_ns)


def _recording(
    config: Config, config_text: str, replayed: _Replayed, venue: Venue, now_ns: int, clock: SystemClock, say: Say
) -> Recording:
    if not config.recorder.enabled:
        return Unrecorded()
    recorder = Recorder(config.paths.state / RECORDINGS, limits_of(config.recorder), say, clock)
    recorder.begin(
        Start(
            device=config.device.name,
            tag=replayed.tag,
            boot_count=replayed.ledger.boot_count + 1,
            now_ns=now_ns,
            wall_ns=replayed.wall_ns,
            synthetic=venue_on_this_machine(config),
            config_text=config_text,
            instruments=tuple(venue.names.instruments.values()),
            ledger_snapshot=freeze(replayed.ledger),
        )
    )
    return recorder


def _report_server(config: Config, venue: Venue, journal: Journal, replayed: _Replayed) -> ReportServer:
    async def read_rows(from_sequence: int, limit: int) -> Sequence[Row]:
        return await asyncio.wrap_future(journal.page(from_sequence, limit))

    grids = tuple(Grid(name, each.tick, each.lot) for name, each in venue.names.instruments.items())
    hello = Hello(
        PROTOCOL_VERSION,
        config.device.name,
        replayed.tag,
        replayed.ledger.sequence,
        synthetic=venue_on_this_machine(config),
        started_wall_ns=replayed.wall_ns,
        grids=grids,
    )
    return ReportServer(config.paths.runtime / REPORT_SOCKET, hello, read_rows)


def _backups(config: Config, journal: Journal, clock: SystemClock, say: Say) -> Backups:
    kept = config.backups
    retention = Retention(
        hourly=kept.hourly_count, daily=kept.daily_count, weekly=kept.weekly_count, monthly=kept.monthly_count
    )
    state = config.paths.state

    def copy(target: Path) -> None:
        journal.copy_to(target, COPY_S_MAX)

    return Backups(copy, journal_in(state), backups_in(state), retention, clock, say)
