"""The live shell: real time, sockets and a disk around the very same step.

One task takes events from the mailbox and steps; everything else only puts events in. The step's commands are carried
out in order at once: rows to the journal's thread, orders through the gate to the socket. Nothing here waits for a
disk or a peer. Any task that ends, ends the process: a trader with half of its parts must not look alive.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from appliance.core.clock import NANOSECONDS_PER_MICROSECOND, NANOSECONDS_PER_SECOND, Clock
from appliance.core.commands import (
    AnyCommand,
    AskHistory,
    AskModels,
    EndProcess,
    SendOrder,
    StartLayer,
    StopLayer,
    SubscribeMarket,
    VenueCommand,
    WriteRow,
)
from appliance.core.events import (
    AnyEvent,
    JournalFailed,
    JournalReached,
    PermissionChanged,
    SendFailed,
    ShutdownRequested,
    TimePassed,
)
from appliance.core.records import Row
from appliance.engine.mailbox import Mailbox
from appliance.engine.measures import Doublings, Spread
from appliance.engine.ports import (
    Background,
    Feed,
    Health,
    History,
    Journal,
    Lease,
    Models,
    Orders,
    Publisher,
    Pulse,
    Recording,
    TimeService,
    Watchdog,
)
from appliance.engine.progress import Progress
from appliance.engine.shell_layers import FeedSwitch, ShellLayers, journal_work, outputs_work, reporting_work
from appliance.engine.telemetry import heartbeat_of, telemetry_of
from appliance.engine.trader import Trader
from appliance.safety.cascade import Layer
from appliance.safety.lease import LatchState
from appliance.trading.gate import admits
from appliance.trading.rate import TokenBucket
from appliance.wire.report import Dropped, Latency

STEPS_PER_TURN_MAX = 256
TIME_INTERVAL_S = 0.1
LEASE_INTERVAL_S = 0.01
PULSE_INTERVAL_S = 0.02
TELEMETRY_INTERVAL_S = 0.5
SYNC_INTERVAL_NS = NANOSECONDS_PER_SECOND
GUARDIAN_SILENT_NS = NANOSECONDS_PER_SECOND // 5
TRACES_FOLLOWED_MAX = 1024


class Ports(NamedTuple):
    """Join what the runner talks to."""

    clock: Clock
    clock_sync: TimeService
    mailbox: Mailbox
    journal: Journal
    feed: Feed
    orders: Orders
    rate: TokenBucket
    lease: Lease
    pulse: Pulse
    publisher: Publisher
    recording: Recording
    watchdog: Watchdog
    backups: Background
    health: Health
    models: Models
    history: History
    pid: int


class Unrecorded:
    """Keep nothing, where the recorder is switched off."""

    __slots__ = ()

    def record(self, now_ns: int, event: AnyEvent, commands: Sequence[AnyCommand] | None) -> None:
        """Let one step go by."""


class NoModels:
    """Stand where models would, when they are switched off: no file of theirs is read."""

    __slots__ = ()
    problem = ""

    def ask(self, command: AskModels) -> None:
        """Let an ask go by; the step makes none then."""

    async def run(self) -> None:
        """Do nothing until canceled."""
        await asyncio.Event().wait()


class Runner:
    """Drive a trader until it ends."""

    def __init__(self, trader: Trader, ports: Ports) -> None:
        """Take a trader that is built and ports that are open."""
        self._trader = trader
        self._ports = ports
        self._unsaved: deque[Row] = deque()
        self._received: dict[int, int] = {}
        self._loops = 0
        self._synchronized = False
        self._synchronized_ns: int | None = None
        self._ended: EndProcess | None = None
        self._said: PermissionChanged | None = None
        self._progress = Progress(ports.clock.monotonic_ns())
        self._feed = FeedSwitch(ports.feed)
        works = {
            Layer.JOURNAL: journal_work(ports.journal),
            Layer.REPORTING: reporting_work(ports.publisher, self._report),
            Layer.OUTPUTS: outputs_work(self._beat),
        }
        self._layers = ShellLayers(self._feed, works, self._put)
        self._tick_to_order = Spread()
        self._event_wait = Doublings()
        self._gate_refusals = 0

    @property
    def trader(self) -> Trader:
        """Return the trader being driven."""
        return self._trader

    async def run(self) -> EndProcess:
        """Run until the trader asks to end; a part that fails ends it with that part's error."""
        self._put(self._permission())
        broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().set_exception_handler(lambda _, context: _fail(broken, context))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._feed.run(), name="feed")
                group.create_task(self._ports.orders.run(), name="orders")
                group.create_task(self._ports.backups.run(), name="backups")
                group.create_task(self._ports.health.run(), name="health")
                group.create_task(self._ports.models.run(), name="models")
                group.create_task(self._ports.history.run(), name="history")
                for work, interval_s in (
                    (self._pass_time, TIME_INTERVAL_S),
                    (self._look_at_lease, LEASE_INTERVAL_S),
                    (self._beat, PULSE_INTERVAL_S),
                    (self._report, TELEMETRY_INTERVAL_S),
                ):
                    group.create_task(_repeat(work, interval_s), name=work.__name__.strip("_"))
                group.create_task(self._step_until_end(), name="steps")
                group.create_task(_end_with(broken), name="callbacks")
                self._ports.watchdog.ready()
        except* _Ended:
            self._ports.watchdog.stopping()
            self._beat()
            self._report()
        if self._ended is None:
            raise RuntimeError("the runner ended without being asked to")
        return self._ended

    def request_shutdown(self, reason: str) -> None:
        """Ask the trader to end in good order."""
        self._put(ShutdownRequested(reason))

    def durable(self, sequence: int) -> None:
        """Take the journal's word that rows are safe; called in the loop's thread."""
        while self._unsaved and self._unsaved[0].sequence <= sequence:
            self._ports.publisher.publish_row(self._unsaved.popleft())
        self._put(JournalReached(sequence))

    def journal_failed(self, reason: str) -> None:
        """Take the journal's word that nothing will be safe any more; called in the loop's thread."""
        self._put(JournalFailed(reason))

    def _put(self, event: AnyEvent) -> None:
        self._ports.mailbox.put(self._ports.clock.monotonic_ns(), event)

    async def _step_until_end(self) -> None:
        mailbox = self._ports.mailbox
        while True:
            await mailbox.wait()
            for _ in range(STEPS_PER_TURN_MAX):
                waiting = mailbox.take()
                if waiting is None:
                    break
                self._step(*waiting)
                if self._ended is not None:
                    raise _Ended
            await asyncio.sleep(0)

    def _step(self, received_ns: int, event: AnyEvent) -> None:
        now_ns = self._ports.clock.monotonic_ns()
        self._event_wait.record(now_ns - received_ns)
        commands: list[AnyCommand] | None = None
        try:
            commands = self._trader.step(now_ns, event)
        finally:
            # A step that crashed is recorded as well: it is the one worth replaying.
            self._ports.recording.record(now_ns, event, commands)
        for command in commands:
            self._carry_out(command, received_ns)

    def _carry_out(self, command: AnyCommand, received_ns: int) -> None:
        match command:
            case WriteRow(row=row):
                self._unsaved.append(row)
                self._ports.journal.append(row)
                if row.kind == "intent":
                    self._follow(row.trace, received_ns)
            case EndProcess():
                self._ended = command
            case StopLayer():
                self._layers.stop(command)
            case StartLayer():
                self._layers.start(command)
            case AskModels():
                self._ports.models.ask(command)
            case AskHistory():
                self._ports.history.ask(command)
            case SubscribeMarket():
                self._ports.feed.subscribe(command)
            case _:
                self._send(command)

    def _send(self, command: VenueCommand) -> None:
        ports = self._ports
        now_ns = ports.clock.monotonic_ns()
        affordable = ports.rate.admits(command, now_ns)
        if not isinstance(command, SendOrder):
            if affordable:
                ports.orders.send(command)
            return
        if not affordable:
            self._put(SendFailed(command.client_id, "more requests than the venue allows"))
            return
        # Both doors stand right here, with nothing between the lease and the socket.
        if not admits(command, permitted=ports.lease.permits(ports.clock.monotonic_ns())):
            self._gate_refusals += 1
            self._put(SendFailed(command.client_id, "the gate had no permission"))
        elif not ports.orders.send(command):
            self._put(SendFailed(command.client_id, "no order connection"))
        else:
            received_ns = self._received.pop(command.trace, None)
            if received_ns is not None:
                self._tick_to_order.record(ports.clock.monotonic_ns() - received_ns)

    def _follow(self, trace: int, received_ns: int) -> None:
        if len(self._received) >= TRACES_FOLLOWED_MAX:
            del self._received[next(iter(self._received))]
        self._received[trace] = received_ns

    def _pass_time(self) -> None:
        ports = self._ports
        now_ns = ports.clock.monotonic_ns()
        if self._synchronized_ns is None or now_ns - self._synchronized_ns >= SYNC_INTERVAL_NS:
            self._synchronized = ports.clock_sync.synchronized()
            self._synchronized_ns = now_ns
        self._put(TimePassed(ports.clock.wall_ns(), self._synchronized))
        self._progress.note(
            now_ns,
            events_count=self._trader.events_count,
            rows_waiting=ports.journal.appended() - ports.journal.head().sequence,
            durable_sequence=ports.journal.head().sequence,
            input_count=self._trader.inputs_count + ports.feed.attempts,
            input_wanted=self._feed.wanted,
        )
        if self._progress.feed_due(now_ns):
            ports.watchdog.alive()

    def _permission(self) -> PermissionChanged:
        lease, now_ns = self._ports.lease, self._ports.clock.monotonic_ns()
        if now_ns - lease.beat_ns() > GUARDIAN_SILENT_NS:
            lease.refresh()
        known = lease.information()
        if known is None:
            return PermissionChanged(permitted=False, latch_sequence=0, start_sequence=0, latched=False)
        return PermissionChanged(
            permitted=lease.permits(now_ns),
            latch_sequence=known.latch_sequence,
            start_sequence=known.start_sequence,
            latched=known.latch_state in {LatchState.LATCHED, LatchState.READY},
        )

    def _look_at_lease(self) -> None:
        permission = self._permission()
        if permission != self._said:
            self._said = permission
            self._put(permission)

    def _beat(self) -> None:
        self._loops += 1
        now_ns = self._ports.clock.monotonic_ns()
        head = self._ports.journal.head()
        self._ports.pulse.beat(
            heartbeat_of(
                self._trader, now_ns, self._ports.pid, self._loops, head.sequence, ending=self._ended is not None
            )
        )

    def _report(self) -> None:
        ports = self._ports
        known, journal = ports.lease.information(), ports.journal.status()
        telemetry = telemetry_of(
            self._trader,
            wall_ns=ports.clock.wall_ns(),
            head=ports.journal.head(),
            lamp_code=known.lamp if known is not None else 0,
            dropped=(
                Dropped("market data, too much at once", ports.mailbox.dropped),
                Dropped("orders, no permission at the gate", self._gate_refusals),
                Dropped("requests, over the venue's rate", ports.rate.refused_count),
            ),
            journal_ns=journal.commit_ns_last,
            tick_to_order=self._tick_to_order,
            machine=ports.health.verdicts,
        )
        latencies = (
            Latency("event wait", 1, self._event_wait.counts()),
            Latency("journal commit", NANOSECONDS_PER_MICROSECOND, journal.commit_counts),
            Latency("tick to order", 1, self._tick_to_order.doublings()),
        )
        ports.publisher.publish_telemetry(msgspec.structs.replace(telemetry, latencies=latencies))
        ports.watchdog.status(f"{self._trader.mode.name}: {self._trader.conduct.mode_reason}")


class _Ended(Exception):
    """Leave the task group because the trader asked to end: no error, but the only way out of one."""


def _fail(broken: asyncio.Future[None], context: dict[str, Any]) -> None:
    """Make a failed callback end the process: asyncio would log it and carry on, broken invariants included."""
    if not broken.done():
        problem = context.get("exception") or RuntimeError(str(context.get("message")))
        broken.set_exception(problem)


async def _end_with(broken: asyncio.Future[None]) -> None:
    await broken


async def _repeat(work: Callable[[], None], interval_s: float) -> None:
    loop = asyncio.get_running_loop()
    due_s = loop.time()
    while True:
        work()
        # Never earlier than now: after a stall the missed turns are left out, not made up for.
        due_s = max(due_s + interval_s, loop.time())
        await asyncio.sleep(due_s - loop.time())
