"""An appliance without sockets: a trader, the built-in exchange and a journal in memory, with seeded misfortunes.

One market goes on while the trader restarts from its journal several times. Between them the feed and the order
connection drop, permission comes and goes, and answers get lost, so that a recording holds every kind of day.
"""

import random
from collections import deque
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

from appliance.core import config, events
from appliance.core.clock import VirtualClock
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
from appliance.engine.assembly import build_trader
from appliance.engine.trader import Trader
from appliance.market.recording import Start
from appliance.store.recorder import Recorder
from appliance.store.recorder_files import RecorderLimits
from appliance.trading.ledger import replay
from appliance.trading.snapshot import freeze
from appliance.venues.simulator.exchange import Exchange, is_market_data
from appliance.venues.simulator.instruments import BUILT_IN

EPOCH_NS = 1_700_000_000 * 10**9
TICK_NS = 100_000_000
TAG = "abcde"
DEMO = (files("appliance") / "profiles" / "demo.toml").read_text()
LIMITS = RecorderLimits(
    file_bytes_max=10**8, total_bytes_max=10**9, bytes_per_day_max=10**9, disk_free_bytes_min=0, flush_interval_s=0.02
)
Record = Callable[[int, AnyEvent, Sequence[AnyCommand]], None]


class Driver:
    """Drive one trader after the other against one market."""

    def __init__(self, seed: int, config_text: str = DEMO) -> None:
        self.rows: list[Row] = []
        self.now_ns = 0
        self.exchange = Exchange(BUILT_IN, seed, cash_quanta=10**14, trade_interval_ns=20_000_000, epoch_ns=EPOCH_NS)
        self._config_text = config_text
        self._draw = random.Random(seed)
        self._orders_connected = self._feed_connected = False
        self._permitted = False
        self._latch_sequence = self._start_sequence = 0
        self._steps: deque[AnyEvent] = deque()

    def start(self) -> Start:
        """Return what the next life of the trader starts from."""
        ledger = replay(self.rows)
        return Start(
            device="bot4-demo",
            tag=TAG,
            boot_count=ledger.boot_count + 1,
            now_ns=self.now_ns,
            wall_ns=EPOCH_NS + self.now_ns,
            synthetic=True,
            config_text=self._config_text,
            instruments=BUILT_IN,
            ledger_snapshot=freeze(ledger),
        )

    def live(self, seconds: int, record: Record, *, orderly: bool = True) -> Trader:
        """Let one trader live so long; one that does not end in good order leaves its orders behind."""
        trader = build_trader(
            config.loads(self._config_text),
            {instrument.symbol: instrument for instrument in BUILT_IN},
            replay(self.rows),
            tag=TAG,
            now_ns=self.now_ns,
            wall_ns=EPOCH_NS + self.now_ns,
        )
        self._orders_connected = self._feed_connected = self._permitted = True
        for event in (self._feed(), self._link(), self._permission()):
            self._feed_in(trader, event, record)
        until_ns = self.now_ns + seconds * 10**9
        while self.now_ns < until_ns:
            self._tick(trader, record)
        if orderly:
            self._feed_in(trader, events.ShutdownRequested("the test is over"), record)
            for _ in range(30):
                self._tick(trader, record)
        return trader

    def _tick(self, trader: Trader, record: Record) -> None:
        due_ns = self.now_ns + TICK_NS
        while self.exchange.next_ns() < due_ns:
            self.now_ns = self.exchange.next_ns()
            for event in self.exchange.advance(self.now_ns):
                self._deliver(trader, event, record)
        self.now_ns = due_ns
        self._misfortune(trader, record)
        self._feed_in(trader, events.TimePassed(EPOCH_NS + self.now_ns, wall_synchronized=True), record)

    def _misfortune(self, trader: Trader, record: Record) -> None:
        chance = self._draw.random()
        if chance < 0.006:
            self._feed_connected = not self._feed_connected
            self._feed_in(trader, self._feed(), record)
        elif chance < 0.012:
            self._orders_connected = not self._orders_connected
            self._feed_in(trader, self._link(), record)
        elif chance < 0.02:
            self._permitted = not self._permitted
            self._latch_sequence += not self._permitted
            self._start_sequence += self._permitted
            self._feed_in(trader, self._permission(), record)
        elif chance > 0.7:  # what is broken is mended soon
            self._mend(trader, record)

    def _mend(self, trader: Trader, record: Record) -> None:
        if not self._feed_connected:
            self._feed_connected = True
            self._feed_in(trader, self._feed(), record)
        if not self._orders_connected:
            self._orders_connected = True
            self._feed_in(trader, self._link(), record)
        if not self._permitted:
            self._permitted = True
            self._start_sequence += 1
            self._feed_in(trader, self._permission(), record)

    def _deliver(self, trader: Trader, event: AnyEvent, record: Record) -> None:
        connected = self._feed_connected if is_market_data(event) else self._orders_connected
        if connected:
            self._feed_in(trader, event, record)

    def _feed_in(self, trader: Trader, event: AnyEvent, record: Record) -> None:
        self._steps.append(event)
        while self._steps:
            each = self._steps.popleft()
            commands = trader.step(self.now_ns, each)
            record(self.now_ns, each, commands)
            for command in commands:
                self._carry_out(command)

    def _carry_out(self, command: AnyCommand) -> None:
        match command:
            case WriteRow(row=row):
                self.rows.append(row)
                self._steps.append(events.JournalReached(row.sequence))
            case EndProcess() | StartLayer() | SubscribeMarket() | AskModels() | AskHistory():
                pass
            case StopLayer(number=number, layer=layer):
                self._steps.append(events.LayerStopped(number, layer, "done", "as the driver does it"))
            case _ if self._orders_connected:
                answers = self.exchange.submit(self.now_ns, command, self.now_ns)
                lost = self._draw.random() < 0.05
                self._steps.extend(event for event in answers if is_market_data(event) or not lost)
            case SendOrder(client_id=client_id):
                self._steps.append(events.SendFailed(client_id, "no order connection"))
            case _:
                pass

    def _feed(self) -> events.FeedChanged:
        return events.FeedChanged(self._feed_connected, "")

    def _link(self) -> events.OrderLinkChanged:
        return events.OrderLinkChanged(self._orders_connected, "")

    def _permission(self) -> events.PermissionChanged:
        return events.PermissionChanged(
            self._permitted, self._latch_sequence, self._start_sequence, latched=not self._permitted
        )


def record_sessions(folder: Path, seconds: Sequence[int], seed: int = 3, limits: RecorderLimits = LIMITS) -> Driver:
    """Record several lives of one appliance; every other one is killed rather than ended."""
    driver = Driver(seed)
    for number, session_seconds in enumerate(seconds):
        problems: list[str] = []
        recorder = Recorder(folder, limits, problems.append, VirtualClock(0, EPOCH_NS))
        recorder.begin(driver.start())
        driver.live(session_seconds, recorder.record, orderly=number % 2 == 0)
        assert recorder.close(20), problems
        assert problems == []
        assert recorder.dropped_count == 0
    return driver
