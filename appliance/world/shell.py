"""The trader's process: it feeds the real trader one event at a time, carries its commands out, and can die anywhere.

It keeps the promises that the live shell keeps: commands are carried out in order, the lease is read at the door at
the very moment an order leaves, what did not leave is reported as certainly not sent, and what left and found no
answer by its deadline, or lost its connection, is reported once as timed out.
"""

import enum
import random
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from appliance.core import events
from appliance.core.clock import NANOSECONDS_PER_MILLISECOND
from appliance.core.commands import (
    AnyCommand,
    AskHistory,
    AskModels,
    EndProcess,
    SendOrder,
    StartLayer,
    StopLayer,
    SubscribeMarket,
    WriteRow,
)
from appliance.core.events import AnyEvent
from appliance.core.records import Row
from appliance.engine.health_looks import venue_clock_apart
from appliance.engine.health_task import HealthTask
from appliance.engine.trader import Trader
from appliance.safety.cascade import Layer, Word
from appliance.safety.health import venue_clock
from appliance.safety.health.verdict import Verdict
from appliance.safety.modes import Mode
from appliance.trading.gate import admits
from appliance.trading.ledger import Ledger
from appliance.world.disk import Disk
from appliance.world.keeper import Keeper, Pulse
from appliance.world.links import Connection, milliseconds, soon
from appliance.world.model_port import ModelPort, NoModels
from appliance.world.schedule import Schedule

RESTART_MS = (300, 3_000)
AMBUSH_MS = (0, 150)
CLOCK_APART_MS_MAX = 1_000
HEALTH_NS = 5_000 * NANOSECONDS_PER_MILLISECOND
TICK_BUSY_NS = 100 * NANOSECONDS_PER_MILLISECOND
_ANSWERS = (
    events.OrderAcknowledged,
    events.OrderRefused,
    events.OrderTraded,
    events.OrderEnded,
    events.OrderReported,
)
_PRICES = (events.QuoteChanged, events.TradePrinted, events.TimePassed)
_CALM = frozenset({Mode.NORMAL, Mode.REDUCED})


class Moment(enum.Enum):
    """Name the moments at which a fault can lie in wait."""

    INTENT = "an intent is written"
    DOOR = "an order leaves"


class Watcher(Protocol):
    """Be told of everything the process does, in order."""

    def stepping(self, trader: Trader, event: AnyEvent) -> None:
        """Take an event that is about to be handled and speaks of no price."""
        ...

    def stepped(self, event: AnyEvent, commands: Sequence[AnyCommand]) -> None:
        """Take an event that was handled and what came of it, which has been carried out."""
        ...

    def leaving(self, command: SendOrder) -> None:
        """Take an order that is going through the door now."""
        ...

    def written(self, row: Row) -> None:
        """Take a row on its way to the disk."""
        ...

    def opening(self, damage: str) -> None:
        """Take what a new process found wrong with its journal, or nothing."""
        ...

    def booted(self, ledger: Ledger) -> None:
        """Take the ledger that a new process has replayed."""
        ...

    def died(self, lost_rows: int) -> None:
        """Take that the process is gone, and with it so many rows."""
        ...


class WallClock:
    """Tell the wall time, which may be wrong."""

    def __init__(self, schedule: Schedule, epoch_ns: int) -> None:
        """Begin right and vouched for."""
        self._schedule = schedule
        self.epoch_ns = epoch_ns
        self.error_ns = 0
        self.venue_error_ns = 0
        self.synchronized = True

    def wall_ns(self) -> int:
        """Return the wall time as the machine believes it."""
        return self.epoch_ns + self._schedule.now_ns + self.error_ns

    def apart_ns(self) -> int:
        """Return how far the venue's clock is ahead of the machine's."""
        return self.venue_error_ns - self.error_ns

    @property
    def too_far(self) -> bool:
        """Tell whether the two are so far apart that no deadline means anything."""
        return abs(self.apart_ns()) > CLOCK_APART_MS_MAX * NANOSECONDS_PER_MILLISECOND


class Surroundings(NamedTuple):
    """Join everything outside the process that it can reach."""

    feed: Connection
    orders: Connection
    disk: Disk
    keeper: Keeper
    clock: WallClock


class Making(NamedTuple):
    """Say how a process is made: its trader, the lease it reads, how its journal is checked and its ledger replayed."""

    trader: Callable[[Ledger, int, int], Trader]
    lease: Callable[[Keeper, Trader], bool]
    replay: Callable[[Sequence[Row]], Ledger]
    inspect: Callable[[Disk], str]
    too_far: Callable[[WallClock], bool]


class Shell:
    """Run the trader's process, life after life."""

    def __init__(self, schedule: Schedule, dice: random.Random, making: Making, watcher: Watcher, tick_ns: int) -> None:
        """Prepare; `start` begins the first life."""
        self._schedule = schedule
        self._dice = dice
        self._making = making
        self._watcher = watcher
        self._tick_ns = tick_ns
        self._life = 0
        self._queue: deque[AnyEvent] = deque()
        self._draining = False
        self._unanswered: dict[str, int] = {}
        self._beat_ns = 0
        self.trader: Trader | None = None
        self.hung = False
        self.kept_down = False
        self.key_problem = ""
        self.ended_code: int | None = None
        self.ambushes: dict[Moment, list[Callable[[], None]]] = {moment: [] for moment in Moment}
        self._health: HealthTask
        self._health_due_ns = 0
        self.models: ModelPort = NoModels()
        self.around: Surroundings

    def start(self) -> None:
        """Begin a life: replay, join, connect."""
        if self.trader is not None or self.kept_down:
            return
        damage = self._making.inspect(self.around.disk)
        self._watcher.opening(damage)
        if damage:
            self._schedule.after(milliseconds(self._dice, RESTART_MS), self.start)
            return
        self._life += 1
        ledger = self._making.replay(self.around.disk.rows)
        self._watcher.booted(ledger)
        self.trader = self._making.trader(ledger, self._schedule.now_ns, self.around.clock.wall_ns())
        self._beat_ns = self._schedule.now_ns
        self.around.feed.open()
        self.around.orders.open()
        self.models.start(self.deliver)
        self._health = HealthTask((self._judge_clocks,), self.deliver)
        self._health_due_ns = self._schedule.now_ns
        self.deliver(self.around.keeper.state())
        self._tick(self._life)

    def kill(self) -> None:
        """End the process where it is, with whatever it held; it is started again unless it is kept down."""
        if self.trader is not None:
            self._vanish(self.around.disk.crash())

    def hang(self) -> None:
        """Stop the process where it is; what is sent to it waits."""
        self.hung = self.trader is not None
        self.models.hang()

    def resume(self) -> None:
        """Let a hung process go on."""
        if self.hung:
            self.hung = False
            self.models.resume()
            self._drain()
            if self.trader is not None:
                self._tick(self._life)

    def pulse(self) -> Pulse | None:
        """Return the last beat of the process, if one is alive."""
        if self.trader is None:
            return None
        conduct = self.trader.conduct
        verified = conduct.acknowledged_latch if conduct.stop_verified else None
        return Pulse(self._beat_ns, self.trader.mode, verified)

    def deliver(self, event: AnyEvent) -> None:
        """Give the process an event; it is handled after those that came before."""
        if self.trader is not None:
            self._queue.append(event)
            self._drain()

    def feed_connected(self) -> None:
        """Take that market data is connected."""
        self.deliver(events.FeedChanged(connected=True, reason="connected"))

    def feed_lost(self, reason: str) -> None:
        """Take that market data is gone."""
        self.deliver(events.FeedChanged(connected=False, reason=reason))

    def orders_connected(self) -> None:
        """Take that the order connection is there."""
        if self.key_problem:
            # The live shell does not even connect then.
            self.deliver(events.KeyRejected(self.key_problem))
            return
        self.deliver(events.OrderLinkChanged(connected=True, reason="connected"))

    def orders_lost(self, reason: str) -> None:
        """Take that the order connection is gone; what was unanswered then is in doubt."""
        self.deliver(events.OrderLinkChanged(connected=False, reason=reason))
        doubtful, self._unanswered = self._unanswered, {}
        for client_id in doubtful:
            self.deliver(events.SendTimedOut(client_id))

    def received(self, found: Sequence[AnyEvent]) -> None:
        """Take what the venue sent."""
        for event in found:
            if isinstance(event, _ANSWERS):
                self._unanswered.pop(event.client_id, None)
            self.deliver(event)

    def _drain(self) -> None:
        if self._draining:
            return
        self._draining = True
        while self._queue and self.trader is not None and not self.hung:
            self._step(self.trader, self._queue.popleft())
        self._draining = False

    def _step(self, trader: Trader, event: AnyEvent) -> None:
        if not isinstance(event, _PRICES):
            self._watcher.stepping(trader, event)
        commands = trader.step(self._schedule.now_ns, event)
        for command in commands:
            self._carry_out(trader, command)
        self._watcher.stepped(event, commands)

    def _carry_out(self, trader: Trader, command: AnyCommand) -> None:
        match command:
            case WriteRow():
                self._watcher.written(command.row)
                self.around.disk.write(command.row)
                if command.row.kind == "intent":
                    self._spring(Moment.INTENT)
            case SendOrder():
                self._send(trader, command)
            case EndProcess():
                self.ended_code = command.code
                self._vanish(self.around.disk.flush())
            case StopLayer():
                self._stop_layer(command)
            case StartLayer():
                self.around.feed.open()
            case AskModels():
                self.models.ask(command)
            case AskHistory():
                self.models.recall(command)
            case SubscribeMarket():
                pass  # this world's feed tells quotes and trades, which need no subscription
            case _:
                self.around.orders.send(command)

    def _stop_layer(self, command: StopLayer) -> None:
        """Stop as the live shell does: market data goes away, and the journal answers when its disk has."""
        match command.layer:
            case Layer.FEEDS:
                was_up = self.around.feed.up
                self.around.feed.close()
                if was_up:
                    self._queue.append(events.FeedChanged(connected=False, reason="closed by this side"))
                self._layer_stopped(self._life, command, Word.DONE)
            case Layer.JOURNAL:
                self._await_disk(self._life, command, self._schedule.now_ns, len(self.around.disk.rows))
            case _:
                self._layer_stopped(self._life, command, Word.DONE)

    def _await_disk(self, life: int, command: StopLayer, since_ns: int, sequence: int) -> None:
        disk, waited_ns = self.around.disk, self._schedule.now_ns - since_ns
        if disk.failed:
            self._layer_stopped(life, command, Word.FAILED)
        elif disk.holds(sequence):
            self._layer_stopped(life, command, Word.DONE)
        elif waited_ns >= command.deadline_ms * NANOSECONDS_PER_MILLISECOND:
            self._layer_stopped(life, command, Word.OVERDUE)
        else:
            again = partial(self._await_disk, life, command, since_ns, sequence)
            self._schedule.after(NANOSECONDS_PER_MILLISECOND, again)

    def _layer_stopped(self, life: int, command: StopLayer, word: Word) -> None:
        if life == self._life:
            self.deliver(events.LayerStopped(command.number, command.layer, word, "as the world's shell does it"))

    def _send(self, trader: Trader, command: SendOrder) -> None:
        if not admits(command, permitted=self._making.lease(self.around.keeper, trader)):
            self._queue.append(events.SendFailed(command.client_id, "no permission"))
        elif self._making.too_far(self.around.clock):
            # A deadline is a moment of the venue's clock: with clocks this far apart it would promise nothing.
            self._queue.append(events.SendFailed(command.client_id, "the venue's clock is too far from ours"))
        elif not self.around.orders.up:
            self._queue.append(events.SendFailed(command.client_id, "no connection"))
        else:
            self._watcher.leaving(command)
            self.around.orders.send(command)
            self._spring(Moment.DOOR)
            self._unanswered[command.client_id] = self._schedule.now_ns
            deadline_ns = command.deadline_ms * NANOSECONDS_PER_MILLISECOND
            self._schedule.after(deadline_ns, partial(self._time_out, self._life, command.client_id))

    def _time_out(self, life: int, client_id: str) -> None:
        if life == self._life and self._unanswered.pop(client_id, None) is not None:
            self.deliver(events.SendTimedOut(client_id))

    def _spring(self, moment: Moment) -> None:
        waiting, self.ambushes[moment] = self.ambushes[moment], []
        for ambush in waiting:
            self._schedule.after(soon(self._dice, AMBUSH_MS), ambush)

    def _vanish(self, lost_rows: int) -> None:
        self.trader = None
        self.hung = False
        self._queue.clear()
        self._unanswered.clear()
        self.around.feed.close()
        self.around.orders.close()
        self.models.end()
        self._watcher.died(lost_rows)
        if self.ended_code is None:
            self._schedule.after(milliseconds(self._dice, RESTART_MS), self.start)

    def _judge_clocks(self, before: Verdict | None) -> Verdict:
        known_ns = self.around.clock.apart_ns() if self.around.orders.up else None
        return venue_clock.judge(venue_clock_apart(lambda: known_ns)(), CLOCK_APART_MS_MAX, before)

    def _tick(self, life: int) -> None:
        trader = self.trader
        if trader is None or life != self._life or self.hung:
            return
        self._beat_ns = self._schedule.now_ns
        clock = self.around.clock
        if self._schedule.now_ns >= self._health_due_ns:
            self._health_due_ns = self._schedule.now_ns + HEALTH_NS
            self._health.look()
        self.deliver(events.TimePassed(clock.wall_ns(), clock.synchronized))
        self.around.keeper.review()
        calm = trader.mode in _CALM and not trader.ledger.in_flight
        self._schedule.after(self._tick_ns if calm else TICK_BUSY_NS, partial(self._tick, life))
