"""A real venue process and the trader's real connections to it."""

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from appliance.core.clock import SystemClock
from appliance.core.commands import AskOrder, SendCancelAll, SendOrder, SetDeadMan
from appliance.core.errors import WireError
from appliance.core.events import (
    AnyEvent,
    DeadManFired,
    FeedChanged,
    OrderAcknowledged,
    OrderEnded,
    OrderLinkChanged,
    OrderRefused,
    OrderReported,
    OrderTraded,
    QuoteChanged,
    SendTimedOut,
    TradePrinted,
)
from appliance.core.values import OrderKind, Side, VenueState
from appliance.venues.client import IN_FLIGHT_MAX, VenueFeed, VenueOrders
from appliance.venues.link import LinkLimits
from appliance.venues.simulator.ledger import ask_ledger
from appliance.wire.link import encode
from appliance.wire.venue_link import PROTOCOL_VERSION, Channel, Hello, Submit

pytestmark = pytest.mark.serial

WAIT_S = 20.0
QUICK = LinkLimits(ping_interval_ns=100_000_000, silence_ns_max=500_000_000)


def start_venue(path: Path, *options: str) -> subprocess.Popen[str]:
    """Start a venue and wait until it says that it listens."""
    command = [sys.executable, "-m", "appliance", "venue", "--socket", str(path), "--seed", "7", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert "synthetic" in process.stdout.readline()
    return process


def end(process: subprocess.Popen[str]) -> None:
    """Kill a process that still runs and close its pipes."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGCONT)
    process.kill()
    process.communicate()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the venue shall listen."""
    return tmp_path / "venue.sock"


@pytest.fixture
def venue(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a venue for one test."""
    process = start_venue(path)
    yield process
    end(process)


class Trader:
    """Hold both connections and everything they posted."""

    def __init__(self, path: Path, limits: LinkLimits) -> None:
        """Prepare the connections without opening them."""
        self.events: list[AnyEvent] = []
        self.feed = VenueFeed(path, self.events.append, random.Random(1), limits, 200)
        self.orders = VenueOrders(path, self.events.append, random.Random(2), SystemClock(), limits, 200)

    async def until(self, wanted: Callable[[], object]) -> None:
        """Wait until something is true."""
        async with asyncio.timeout(WAIT_S):
            while not wanted():  # noqa: ASYNC110 - what is waited for also happens in another process
                await asyncio.sleep(0.01)

    def seen(self, *kinds: type) -> list[AnyEvent]:
        """Return the events of some kinds."""
        return [event for event in self.events if isinstance(event, kinds)]

    async def connected(self) -> None:
        """Wait for both connections."""
        await self.until(lambda: self.feed.connected and self.orders.connected)


def trade(
    path: Path, script: Callable[[Trader], Coroutine[object, object, None]], limits: LinkLimits | None = None
) -> Trader:
    """Run a script with both connections open."""

    async def run() -> Trader:
        trader = Trader(path, limits or LinkLimits())
        tasks = [asyncio.create_task(trader.feed.run()), asyncio.create_task(trader.orders.run())]
        try:
            await script(trader)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return trader

    return asyncio.run(run())


def buy(client_id: str, *, size_lots: int = 100_000, deadline_ms: int = 2_000, price_ticks: int = 0) -> SendOrder:
    """Return a buying order, at the market unless it has a price."""
    kind = OrderKind.LIMIT if price_ticks else OrderKind.MARKET
    return SendOrder(client_id, "BTC/USD", Side.BUY, kind, price_ticks, size_lots, False, deadline_ms, 1)  # noqa: FBT003


def test_an_order_travels_and_the_ledger_agrees(venue: subprocess.Popen[str], path: Path) -> None:
    """Shows market data, an order's way to its fill, and the venue's own books agreeing with what we were told;
    fails when either connection loses an event.
    """

    async def script(trader: Trader) -> None:
        await trader.connected()
        await trader.until(lambda: trader.seen(QuoteChanged) and trader.seen(TradePrinted))
        assert trader.orders.send(buy("a"))
        await trader.until(lambda: trader.seen(OrderTraded))
        assert trader.orders.send(AskOrder("a"))
        await trader.until(lambda: trader.seen(OrderReported))

    trader = trade(path, script)
    assert isinstance(trader.events[0], FeedChanged | OrderLinkChanged)
    assert trader.seen(SendTimedOut) == []
    (traded,) = trader.seen(OrderTraded)
    assert isinstance(traded, OrderTraded)
    ledger = ask_ledger(path)
    assert ledger["holdings"] == {"BTC/USD": traded.size_lots}
    assert ledger["fees_quanta"] == traded.fee_quanta
    assert (ledger["trades"], ledger["audit_ok"], ledger["seed"], ledger["synthetic"]) == (1, True, 7, True)
    quotes = [
        event.sequence for event in trader.events if isinstance(event, QuoteChanged) and event.instrument == "BTC/USD"
    ]
    assert quotes == sorted(set(quotes))


def test_a_killed_venue_is_found_again(path: Path) -> None:
    """Shows that a venue killed without warning is reported at once, its socket replaced by the next one, and events
    flow again by themselves; an order in flight times out once. Fails when either end needs help.
    """
    first = start_venue(path)
    processes = [first]

    async def script(trader: Trader) -> None:
        await trader.connected()
        first.send_signal(signal.SIGSTOP)
        assert trader.orders.send(buy("lost", deadline_ms=60_000))
        first.kill()
        await trader.until(lambda: not (trader.feed.connected or trader.orders.connected))
        assert not trader.orders.send(buy("unsent"))
        count = len(trader.events)
        processes.append(await asyncio.to_thread(start_venue, path))
        await trader.connected()
        await trader.until(lambda: any(isinstance(event, QuoteChanged) for event in trader.events[count:]))
        assert trader.orders.send(AskOrder("lost"))
        await trader.until(lambda: trader.seen(OrderReported))

    try:
        trader = trade(path, script)
    finally:
        for process in processes:
            end(process)
    assert trader.seen(SendTimedOut) == [SendTimedOut("lost")]
    (report,) = trader.seen(OrderReported)
    assert isinstance(report, OrderReported)
    assert report.state is VenueState.NOT_FOUND
    links = [event.connected for event in trader.events if isinstance(event, OrderLinkChanged)]
    assert links == [True, False, True, False]


def test_a_stopped_venue_is_noticed_by_its_silence(venue: subprocess.Popen[str], path: Path) -> None:
    """Shows that a connection that is open but dead is dropped within the silence limit, and comes back when the venue
    does; fails when a half-open connection looks healthy.
    """

    async def script(trader: Trader) -> None:
        await trader.connected()
        venue.send_signal(signal.SIGSTOP)
        stopped_s = time.monotonic()
        await trader.until(lambda: not trader.feed.connected and not trader.orders.connected)
        assert time.monotonic() - stopped_s < 5
        assert "silent" in [event.reason for event in trader.events if isinstance(event, FeedChanged)][-1]
        venue.send_signal(signal.SIGCONT)
        await trader.connected()

    trade(path, script, QUICK)


def test_an_order_that_waited_too_long_is_refused(venue: subprocess.Popen[str], path: Path) -> None:
    """Shows that an order stuck before a stopped venue times out once with us and is refused there when it wakes;
    fails when a stale order trades.
    """

    async def script(trader: Trader) -> None:
        await trader.connected()
        venue.send_signal(signal.SIGSTOP)
        assert trader.orders.send(buy("late", deadline_ms=100))
        await trader.until(lambda: trader.seen(SendTimedOut))
        venue.send_signal(signal.SIGCONT)
        await trader.until(lambda: trader.seen(OrderRefused))

    trader = trade(path, script)
    assert trader.seen(OrderRefused) == [OrderRefused("late", "deadline passed")]
    assert trader.seen(SendTimedOut) == [SendTimedOut("late")]
    assert ask_ledger(path)["trades"] == 0


def test_what_is_in_flight_is_bounded(venue: subprocess.Popen[str], path: Path) -> None:
    """Shows that a venue that stopped answering cannot collect orders without end; fails when one more is taken."""

    async def script(trader: Trader) -> None:
        await trader.connected()
        venue.send_signal(signal.SIGSTOP)
        taken = [trader.orders.send(buy(f"n{number}", deadline_ms=60_000)) for number in range(IN_FLIGHT_MAX + 1)]
        assert taken.count(False) == 1
        await trader.until(lambda: len(trader.seen(SendTimedOut)) == IN_FLIGHT_MAX)

    trade(path, script)


def test_the_dead_man_outlives_its_owner(venue: subprocess.Popen[str], path: Path) -> None:
    """Shows that orders of a trader that is gone are canceled by the venue's own timer; fails when they stay open."""

    async def script(trader: Trader) -> None:
        await trader.connected()
        trader.orders.send(SetDeadMan(1))
        trader.orders.send(buy("rests", price_ticks=100_000))
        await trader.until(lambda: trader.seen(OrderAcknowledged))

    trade(path, script)
    assert len(ask_ledger(path)["open_orders"]) == 1  # type: ignore[arg-type]

    async def watch(trader: Trader) -> None:
        await trader.until(lambda: trader.seen(DeadManFired))

    trader = trade(path, watch)
    assert isinstance(trader.seen(OrderEnded)[0], OrderEnded)
    assert ask_ledger(path)["open_orders"] == []


def test_clients_that_die_or_lie_harm_nobody(venue: subprocess.Popen[str], path: Path) -> None:
    """Shows that clients dying at every stage, speaking nonsense, using the wrong channel or reading nothing are
    dropped while an honest one trades on; fails when the venue ends or forgets an order.
    """
    openings = [
        b"",
        b"\x00",
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x02{}",
        encode(Hello(PROTOCOL_VERSION + 1, Channel.FEED)),
        encode(Submit(0, SendCancelAll())),
        encode(Hello(PROTOCOL_VERSION, Channel.FEED)) + encode(Submit(0, SendCancelAll())),
        encode(Hello(PROTOCOL_VERSION, Channel.ORDERS)) * 2,
    ]

    async def script(trader: Trader) -> None:
        await trader.connected()
        trader.orders.send(buy("rests", price_ticks=100_000))
        for opening in openings * 5:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as liar:
                liar.connect(str(path))
                liar.sendall(opening)
                await asyncio.sleep(0.005)
        trader.orders.send(buy("honest"))
        await trader.until(lambda: trader.seen(OrderTraded))

    trade(path, script)
    ledger = ask_ledger(path)
    assert (ledger["trades"], len(ledger["open_orders"])) == (1, 1)  # type: ignore[arg-type]


def test_a_client_that_reads_nothing_is_dropped(venue: subprocess.Popen[str], path: Path) -> None:
    """Shows that answers for someone who asks and never reads do not pile up: the venue hangs up;
    fails when its memory is the buffer.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as deaf:
        deaf.connect(str(path))
        deaf.settimeout(5)
        deaf.sendall(encode(Hello(PROTOCOL_VERSION, Channel.ORDERS)))
        question = encode(Submit(0, AskOrder("x" * 3_000)))
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            deaf.sendall(question * 20_000)
    assert ask_ledger(path)["audit_ok"] is True


def test_a_second_venue_is_turned_away_and_the_first_lives(venue: subprocess.Popen[str], path: Path) -> None:
    """Shows a clear sentence and exit code 2 for a path in use, and for one that cannot be used;
    fails when the living venue's socket is stolen or a file is deleted.
    """
    note = path.with_name("note")
    note.write_text("keep me")
    for place, words in (
        (path, "already listens"),
        (note, "not a socket"),
        (path.with_name("x" * 120), "at most 107"),
        (path / "below", "cannot"),
    ):
        command = [sys.executable, "-m", "appliance", "venue", "--socket", str(place)]
        outcome = subprocess.run(command, capture_output=True, text=True, check=False, timeout=WAIT_S)
        assert outcome.returncode == 2
        assert words in outcome.stderr
        assert "Traceback" not in outcome.stderr
    assert note.read_text() == "keep me"
    assert ask_ledger(path)["audit_ok"] is True


def test_sigterm_ends_it_cleanly(path: Path) -> None:
    """Shows exit code 0, no socket left and nothing on stderr, with a client connected; fails when it hangs or leaves
    a file behind.
    """
    process = start_venue(path, "--json")
    assert os.stat(path).st_mode & 0o077 == 0  # noqa: PTH116 - the mode of the socket itself

    async def script(trader: Trader) -> None:
        await trader.connected()
        process.terminate()
        await trader.until(lambda: not trader.feed.connected)

    trade(path, script)
    _, errors = process.communicate(timeout=WAIT_S)
    assert (process.returncode, errors) == (0, "")
    assert not path.exists()
    with pytest.raises(WireError, match="no venue answers"):
        ask_ledger(path)


def test_the_listening_line_is_json_when_asked(path: Path) -> None:
    """Shows that a program can read the seed and path; fails when the line is for people only."""
    command = [sys.executable, "-m", "appliance", "venue", "--socket", str(path), "--seed", "9", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()) == {"listening": str(path), "synthetic": True, "seed": 9}
    finally:
        end(process)
