"""From the bytes of a market frame to the bytes of an order, in the real engine with nothing left out.

Every frame passes checksum, book, quote, breakers, stops, bars and features; a frame that closes a bar asks both
strategies, and the bench's own on top, which says yes to every other bar so that there are orders to measure: sizing,
every limit, the intent's row, the word that it is durable, both gates' logic, and the order spelled for the wire. The
disk's own wait is left out: no code of ours shortens it. Beside it, frame by frame in the same run, the same engine is
fed by the usual way: a JSON library into objects, a dictionary book, a checksum over its text, and orders that are
records of decimals until the JSON library spells them.
"""

import gc
import random
import statistics
import time
import zlib
from collections.abc import Iterator

from appliance.core import commands, events
from appliance.core.config import loads
from appliance.core.instruments import Instrument
from appliance.core.values import STOP_KINDS, Ending
from appliance.engine.assembly import build_trader
from appliance.engine.trader import Trader
from appliance.kernels.book import Integers
from appliance.kernels.warm_up import warm_up
from appliance.market.intake import Told, grid_of
from appliance.safety.modes import Mode
from appliance.signals.features import Features
from appliance.strategies.contract import Opinion, Stance
from appliance.strategies.reversion import Reversion
from appliance.strategies.trend import Trend
from appliance.trading.ledger import Ledger
from appliance.venues.simulator.instruments import BUILT_IN
from appliance.wire.kraken.market import MarketDecoder
from appliance.wire.kraken.messages import BookChanged, TradesPrinted
from appliance.wire.kraken.numbers import Grid
from appliance.wire.kraken.order_bytes import OrderWriter
from appliance.wire.kraken.reader import FrameReader
from appliance.wire.kraken.requests import encode
from tests.bench.figures import Figure, figure, show
from tests.property.wire.kraken.kraken_spelling import DictBook, spelled_book, spelled_trades
from tests.property.wire.kraken.order_spelling import spelled_order

FRAMES_COUNT = 40_000
FRAMES_PER_BAR = 40
DEPTH = 10
P99_US_REACH, P999_US_REACH, RATIO_REACH = 10, 50, 2
SECOND_NS = 1_000_000_000
EPOCH_NS = 1_700_000_000 * SECOND_NS
MARKET = BUILT_IN[0]
CONFIG = """
[market]
bar_s = 1
[orders]
reconcile_interval_s = 3600
[risk]
minimum_hold_s = 0
orders_per_minute_max = 6000
[breakers]
toxicity_percent_max = 100
volume_of_usual_percent_max = 100000
spread_of_usual_percent_max = 100000
"""


class EveryOtherBar:
    """Ask both real strategies, and then enter and leave in turn whatever they say."""

    name = "trend"

    def __init__(self) -> None:
        self._strategies = (Trend(), Reversion())
        self._bars = 0

    def opinion(self, features: Features) -> Opinion:
        """Return what this bar's turn is."""
        for strategy in self._strategies:
            strategy.opinion(features)
        self._bars += 1
        return Opinion(Stance.ENTER if self._bars % 2 else Stance.LEAVE, "the bench measures an order")


class ObjectsIntake:
    """Read frames the usual way, and tell the engine the same."""

    def __init__(self, instrument: Instrument, grid: Grid) -> None:
        self._name = instrument.symbol
        self._decoder = MarketDecoder((grid,))
        self._sides: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._sequence = 0
        self._reader = FrameReader((grid,), DEPTH)

    def place_of(self, _name: str) -> tuple[Integers, int]:
        """Return a book that stays empty: the figures of a book's depth are made by kernels alone."""
        return self._reader.rows, 0

    def connected(self, _now_ns: int) -> tuple[str, ...]:
        """Begin."""
        return (self._name,)

    def due(self, _now_ns: int) -> tuple[str, ...]:
        """Ask for nothing."""
        return ()

    def lost(self) -> None:
        """Forget nothing: the bench never disconnects."""

    def take(self, frame: bytes) -> tuple[Told, ...]:
        """Take one frame and return what it told."""
        message = self._decoder.decode(frame)
        if isinstance(message, TradesPrinted):
            return tuple(
                events.TradePrinted(
                    each.symbol, each.price_ticks, each.size_lots, each.side, each.trade_number, each.venue_ns
                )
                for each in message.trades
            )
        if not isinstance(message, BookChanged):
            return ()
        bids, asks = self._apply(message)
        digits = "".join(f"{ticks}{lots}" for ticks, lots in asks) + "".join(f"{t}{lots}" for t, lots in bids)
        if zlib.crc32(digits.encode()) != message.checksum:
            raise AssertionError("the peer's book is wrong")
        self._sequence += 1
        (bid, bid_lots), (ask, ask_lots) = bids[0], asks[0]
        return (events.QuoteChanged(self._name, bid, bid_lots, ask, ask_lots, self._sequence, message.venue_ns),)

    def _apply(self, message: BookChanged) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        best = []
        for number, (side, levels) in enumerate(zip(self._sides, (message.bids, message.asks), strict=True)):
            if message.snapshot:
                side.clear()
            for ticks, lots in levels:
                if lots:
                    side[ticks] = lots
                else:
                    side.pop(ticks, None)
            kept = sorted(side.items(), reverse=number == 0)[:DEPTH]
            if len(side) > DEPTH:
                side.clear()
                side.update(kept)
            best.append(kept)
        return best[0], best[1]


def frames(grid: Grid) -> Iterator[bytes]:
    """Yield a day in small: a walking book, a trade now and then, a bar closed every so many frames."""
    draw = random.Random(7)
    book, middle, number = DictBook(DEPTH), 640_000, 0
    book.apply(
        [(middle - 1 - n, 10_000_000 + n) for n in range(DEPTH)],
        [(middle + 1 + n, 10_000_000 + n) for n in range(DEPTH)],
        snapshot=True,
    )
    yield spelled_book(grid, book.best(0), book.best(1), book.checksum(), EPOCH_NS, snapshot=True)
    for index in range(1, FRAMES_COUNT):
        venue_ns = EPOCH_NS + index * SECOND_NS // FRAMES_PER_BAR
        if index % 10 == 0:
            number += 1
            word, side = draw.choice((("buy", 1), ("sell", 0)))
            yield spelled_trades(grid, [(word, book.best(side)[0][0], draw.randint(1, 10**7), number, venue_ns)])
            continue
        side = draw.randrange(2)
        ticks = book.best(side)[draw.randrange(DEPTH - 1)][0]
        change = [(ticks, draw.randint(10**6, 10**8))]
        bids, asks = (change, []) if side == 0 else ([], change)
        book.apply(bids, asks)
        yield spelled_book(grid, bids, asks, book.checksum(), venue_ns)


def spelled(order: commands.SendOrder, due_ns: int, number: int) -> bytes:
    """Return the bytes of an order the usual way: decimals in a record, and the record through a JSON library."""
    return encode(spelled_order(order, MARKET, due_ns), number)


class Lane:
    """Hold one trader and the times of its frames."""

    def __init__(self, objects: bool, grid: Grid) -> None:
        self.trader: Trader = build_trader(
            loads(CONFIG), {MARKET.symbol: MARKET}, Ledger(), tag="bench", now_ns=0, wall_ns=EPOCH_NS
        )
        self.trader._parts = self.trader._parts._replace(strategies=(EveryOtherBar(),))
        if objects:
            self.trader._inlet._intake = ObjectsIntake(MARKET, grid)  # type: ignore[assignment]
        writer = OrderWriter((MARKET,))
        self._spell = spelled if objects else lambda order, due_ns, number: writer.write(order, due_ns, number, None)
        self.now_ns = 0
        self.frame_ns: list[int] = []
        self.order_ns: list[int] = []
        self._requests = 0
        for event in (
            events.PermissionChanged(permitted=True, latch_sequence=0, start_sequence=0),
            events.FeedChanged(connected=True, reason=""),
            events.OrderLinkChanged(connected=True, reason=""),
        ):
            self.tell(event)

    def tell(self, *told: events.AnyEvent) -> None:
        """Step, and answer as an honest venue and a quick disk would; none of this is measured."""
        pending = list(told)
        while pending:
            for command in self.trader.step(self.now_ns, pending.pop(0)):
                match command:
                    case commands.WriteRow(row=row):
                        pending.append(events.JournalReached(row.sequence))
                    case commands.AskAccount(request=request):
                        pending.append(self._account(request))
                    case commands.SendOrder():
                        pending += self._filled(command)
                    case commands.SendCancel(client_id=client_id):
                        pending.append(events.OrderEnded(client_id, Ending.CANCELED, 0, 1))
                    case _:
                        pass

    def frame(self, data: bytes) -> None:
        """Take one frame in, measured to the bytes of the order it led to, if it led to one."""
        trader, now_ns, sequence, orders = self.trader, self.now_ns, 0, []
        begun = time.perf_counter_ns()
        for command in trader.step(now_ns, events.MarketFrame(data.decode("latin-1"))):
            if type(command) is commands.WriteRow:
                sequence = command.row.sequence
        if sequence:
            for command in trader.step(now_ns, events.JournalReached(sequence)):
                if type(command) is commands.SendOrder:
                    self._requests += 1
                    self._spell(command, EPOCH_NS, self._requests)
                    orders.append(command)
        took_ns = time.perf_counter_ns() - begun
        self.frame_ns.append(took_ns)
        if orders:
            self.order_ns.append(took_ns)
        for order in orders:
            self.tell(*self._filled(order))

    def _filled(self, order: commands.SendOrder) -> list[events.AnyEvent]:
        fill = events.OrderTraded(
            order.client_id,
            f"T{order.client_id}",
            order.instrument,
            order.side,
            order.price_ticks,
            order.size_lots,
            0,
            maker=False,
            venue_ns=1,
        )
        taken = events.OrderAcknowledged(order.client_id, "V", 1)
        return [taken] if order.kind in STOP_KINDS else [taken, fill]

    def _account(self, request: int) -> events.AccountReported:
        ledger = self.trader.ledger
        held = tuple(events.Holding(name, each.lots) for name, each in ledger.positions.items() if each.lots)
        cash_quanta = ledger.cash_quanta if ledger.funded else 10_000 * 10**10
        return events.AccountReported(request, cash_quanta, held, (), (), trades_complete=True, venue_ns=1)


def run() -> tuple[Lane, Lane]:
    """Feed both lanes, one frame each in turn."""
    for _ in warm_up():
        pass
    grid = grid_of(MARKET)
    if grid is None:
        raise AssertionError("the instrument has whole digits")
    ours, peer = Lane(objects=False, grid=grid), Lane(objects=True, grid=grid)
    told = list(frames(grid))
    for lane in (ours, peer):
        lane.frame(told[0])
        lane.tell(events.TimePassed(EPOCH_NS, wall_synchronized=True))
        if lane.trader.mode is not Mode.NORMAL:
            raise AssertionError(f"the bench's trader is {lane.trader.conduct.mode_reason}")
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        for index, frame in enumerate(told[1:], start=1):
            # In turn, or the second would always find warm what both share.
            for lane in (ours, peer) if index % 2 else (peer, ours):
                lane.now_ns = index * SECOND_NS // FRAMES_PER_BAR
                lane.frame(frame)
                if index % FRAMES_PER_BAR == 0:
                    lane.tell(events.TimePassed(EPOCH_NS + lane.now_ns, wall_synchronized=True))
    finally:
        gc.enable()
        gc.unfreeze()
    return ours, peer


def quantile_us(values: list[int], permille: int) -> float:
    """Return a quantile in microseconds."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * permille // 1_000)] / 1_000


def measure() -> list[Figure]:
    """Return the quantiles of both ways, and their ratio."""
    ours, peer = run()
    if not ours.order_ns or len(ours.order_ns) != len(peer.order_ns):
        raise AssertionError(f"{len(ours.order_ns)} and {len(peer.order_ns)} orders: the two ways differ")
    reaches = {500: None, 990: P99_US_REACH, 999: P999_US_REACH}
    figures = []
    for what, name in (("frame_ns", "book frame -> engine done"), ("order_ns", "frame -> order bytes")):
        mine, theirs = getattr(ours, what), getattr(peer, what)
        for permille, reach in reaches.items():
            point = f"p{permille / 10:g}"
            figures.append(figure(f"{name}, {point}", quantile_us(mine, permille), "us", reach))
            figures.append(figure(f"{name}, {point}, JSON objects", quantile_us(theirs, permille), "us"))
        ratio = statistics.median(theirs) / statistics.median(mine)
        figures.append(figure(f"{name}, objects / kernels at p50", ratio, "x", RATIO_REACH))
    return [*figures, figure("orders measured", len(ours.order_ns), "orders")]


if __name__ == "__main__":
    show(measure())
