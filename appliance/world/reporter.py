"""The reporter's process: the real link, feeder, outbox and publisher, on the world's time and disk."""

import asyncio
import random
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

from appliance.core.errors import StoreFailure
from appliance.core.settings.machine import Mqtt
from appliance.reporting.box import Box, BoxView
from appliance.reporting.model import Model
from appliance.reporting.mqtt.broker import Broker as Address
from appliance.reporting.mqtt.desk import MqttDesk
from appliance.reporting.mqtt.feeder import Feeder
from appliance.reporting.mqtt.flight import Parts
from appliance.reporting.mqtt.outbox import Outbox, prepare
from appliance.reporting.mqtt.publisher import Publisher
from appliance.reporting.mqtt.topics import Topics
from appliance.reporting.trader_link import TraderLink
from appliance.world.broker import Broker, opener
from appliance.world.delivery import Delivery
from appliance.world.links import milliseconds
from appliance.world.outbox_disk import OutboxDisk
from appliance.world.publishing import Publishing
from appliance.world.schedule import Beside
from appliance.world.virtual_loop import VirtualLoop

RESTART_MS = (300, 5_000)
_ENTRIES = 20
_SOCKET = Path("report.sock")


class _NoBox(Box):
    """Know nothing of the box; what is shown of it is no row."""

    def __init__(self) -> None:
        """Look at nothing."""

    def look(self) -> BoxView:
        """Return that nobody tells."""
        return BoxView()


class ReporterMaking(NamedTuple):
    """Say what the reporter's process is made of."""

    outbox: type[Outbox] = Outbox
    feeder: type[Feeder] = Feeder


class Clocks(NamedTuple):
    """Tell the reporter the world's time."""

    schedule: Beside
    wall: Callable[[], int]

    def monotonic_ns(self) -> int:
        """Return the virtual time."""
        return self.schedule.now_ns

    def wall_ns(self) -> int:
        """Return the wall time as the machine believes it."""
        return self.wall()


class Reporter:
    """Run the reporter's process."""

    def __init__(
        self,
        clocks: Clocks,
        dice: random.Random,
        making: ReporterMaking,
        publishing: Publishing,
        delivery: Delivery,
        broker: Broker,
        failed: Callable[[str], None],
    ) -> None:
        """Prepare; `start` begins the first life."""
        self._clocks = clocks
        self.dice = dice
        self._making = making
        self.broker = broker
        self._failed = failed
        self._loop: VirtualLoop | None = None
        self._desk: MqttDesk | None = None
        self._down = False
        self._settings = Mqtt(
            discovery=False, state_interval_s=300, keepalive_s=dice.choice((5, 15, 30)),
            outbox_rows_max=dice.choice((20, 60, 100, 50_000)),
        )  # fmt: skip
        self.publishing = publishing
        self.delivery = delivery
        self.disk = OutboxDisk(dice, delivery.committed)
        self.waits_for_room = 0
        self.commits_lost = 0

    @property
    def running(self) -> bool:
        """Tell whether the process is there."""
        return self._loop is not None

    @property
    def schedule(self) -> Beside:
        """Return where the reporter's happenings are put."""
        return self._clocks.schedule

    @property
    def hung(self) -> bool:
        """Tell whether the process is there and stands still."""
        return self._loop is not None and self._loop.hung

    @property
    def behind(self) -> str:
        """Say what the broker still lacks."""
        if self.delivery.complete and self._desk is not None and not self._desk.outbox.count:
            return ""
        position = None if self._desk is None else self._desk.feeder.sequence
        waiting = None if self._desk is None else self._desk.outbox.count
        return f"the broker lacks rows; the reporter is at row {position} with {waiting} waiting"

    def start(self) -> None:
        """Begin a life."""
        if self._loop is None and not self._down:
            schedule = self._clocks.schedule
            loop = VirtualLoop(schedule, self._failed, lambda protocol: self.publishing.dial(loop, protocol))
            self._loop = loop
            loop.spawn(self._live()).add_done_callback(partial(self._lived, loop))

    def kill(self) -> bool:
        """End the process where it is; it is started again. Tell whether there was one."""
        if self._loop is None:
            return False
        self._vanish()
        self.schedule.after(milliseconds(self.dice, RESTART_MS), self.start)
        return True

    def lose_power(self) -> None:
        """End the process with the box, and with it some of the last commits."""
        self._down = True
        self._vanish()
        self.commits_lost += self.disk.take_back()
        self.delivery.taken_back()

    def get_power(self) -> None:
        """Start with the box."""
        if self._down:
            self._down = False
            self.schedule.after(milliseconds(self.dice, RESTART_MS), self.start)

    def hang(self) -> bool:
        """Stop the process where it is; tell whether it was running."""
        if self._loop is None or self._loop.hung:
            return False
        self._loop.hang()
        return True

    def resume(self) -> None:
        """Let a hung process go on."""
        if self._loop is not None and self._loop.hung:
            self._loop.resume()

    def end(self) -> None:
        """End for good, with the world."""
        self._down = True
        self._vanish()
        self.publishing.end()

    def _begin_again(self) -> None:
        self.kill()

    def _vanish(self) -> None:
        loop, self._loop = self._loop, None
        if loop is not None:
            self.waits_for_room += 0 if self._desk is None else self._desk.feeder.full_waits
            self._desk = None
            self.disk.let_go()
            self.publishing.cut()
            self.broker.cut("the reporter is gone")
            loop.end()

    async def _live(self) -> None:
        connection = self.disk.open()
        try:
            await prepare(connection)
        except sqlite3.OperationalError as problem:
            raise StoreFailure(f"the outbox cannot be opened ({problem})") from problem
        outbox = self._making.outbox(connection, self._settings.outbox_rows_max)
        topics = Topics(self._settings.base_topic, "world")
        feeder = self._making.feeder(outbox, await outbox.load(), topics)
        link = TraderLink(_SOCKET, feeder, self._clocks, self.dice)
        parts = Parts(topics, outbox, feeder, Model(_ENTRIES), _NoBox(), lambda: None)
        address = Address("broker", 1, encrypted=False)
        publisher = Publisher(self._settings, address, parts, self._clocks, self.dice, opener(self.broker))
        self._desk = MqttDesk(outbox, feeder, link, publisher)
        await asyncio.gather(*self._desk.works())

    def _lived(self, loop: VirtualLoop, task: "asyncio.Task[None]") -> None:
        """Take that the process ended by itself: for want of a disk it is started again, for a bug it is a finding."""
        if task.cancelled() or loop is not self._loop:
            return
        problem = cast("BaseException", task.exception())
        if not isinstance(problem, StoreFailure):
            self._failed(f"the reporter's process died of {type(problem).__name__}: {problem}")
        self.schedule.after(0, self._begin_again)
