"""A market that happened: prices, takers and, where they were recorded, whole books, at any speed.

Theory of operation. What is replayed is a sequence of moments. One that carries levels puts the recorded book in place
of the one before; one that carries only a price lets makers quote around it, so that the recorded taker meets a book
whose best price on his side is the recorded one and holds enough for him. Our own orders trade against that book and
take from it until the next moment restores what was recorded: history does not bend to a small account.

A long hole in a recording is shortened, since nobody waits a weekend for the next bar. At the end the market stands
still, as a venue whose feed fell silent.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final, NamedTuple

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.require import require
from appliance.core.values import INT64_MAX
from appliance.venues.simulator.ladder import LadderMarket
from appliance.venues.simulator.market import START_TICKS_MIN

WAIT_NS_MAX: Final = 60 * NANOSECONDS_PER_SECOND
_SPREAD_TICKS: Final = 1
Level = tuple[int, int]


class Moment(NamedTuple):
    """Hold one thing that happened; without lots nobody traded, without levels only the price is known."""

    wait_ns: int
    price_ticks: int
    taker_buys: bool = True
    taker_lots: int = 0
    bids: Sequence[Level] = ()
    asks: Sequence[Level] = ()


class BarSeen(NamedTuple):
    """Hold one recorded bar."""

    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int
    length_ns: int


class ReplayMarket(LadderMarket):
    """Let a recorded market happen again."""

    __slots__ = ("_path", "ended")

    def __init__(self, path: Iterator[Moment], base_lots: int, now_ns: int, *, speed: int = 1) -> None:
        """Begin with the first moment of a path."""
        first = next(path, None)
        require(first is not None and first.price_ticks >= START_TICKS_MIN, "a recording must begin with a price")
        start = START_TICKS_MIN if first is None else first.price_ticks
        self._path = path if first is None else chain((first,), path)
        self.ended = False
        self.ask_lots, self.bid_lots = [], []
        super().__init__("replay", start, base_lots, NANOSECONDS_PER_SECOND, now_ns, speed=speed)

    def move(self) -> None:
        """Carry the market to the next recorded moment."""
        moment = next(self._path, None)
        if moment is None:
            self.ended = True
            self.taker_lots = 0
            self.next_ns = INT64_MAX
            return
        self._show(moment)
        self.next_ns += max(1, min(moment.wait_ns, WAIT_NS_MAX) // self._speed)

    def _show(self, moment: Moment) -> None:
        self._fair = moment.price_ticks * 1_000_000
        self.taker_buys, self.taker_lots = moment.taker_buys, moment.taker_lots
        if moment.bids and moment.asks:
            self._bid_prices, self.bid_lots = [list(run) for run in zip(*moment.bids, strict=True)]
            self._ask_prices, self.ask_lots = [list(run) for run in zip(*moment.asks, strict=True)]
        elif not self._recorded(moment):
            ask = moment.price_ticks + (0 if moment.taker_buys else _SPREAD_TICKS)
            self._requote(1, ask, moment.price_ticks)
            self._requote(-1, ask - _SPREAD_TICKS, moment.price_ticks >> 1)
            lots = self.ask_lots if moment.taker_buys else self.bid_lots
            lots[0] = max(lots[0], moment.taker_lots)
        self._refresh_best()

    def _recorded(self, moment: Moment) -> bool:
        """Tell whether the book is a recorded one that holds what this taker took."""
        prices, lots = self._side(1 if moment.taker_buys else -1)
        return bool(prices) and prices[0] == moment.price_ticks and lots[0] >= moment.taker_lots


def moments_of(bar: BarSeen) -> Iterator[Moment]:
    """Yield a bar as a path of trades from its open over its extremes to its close, its volume spread evenly."""
    rises = bar.close_ticks >= bar.open_ticks
    first, second = (bar.low_ticks, bar.high_ticks) if rises else (bar.high_ticks, bar.low_ticks)
    opened, close = bar.open_ticks, bar.close_ticks
    corners = (opened, (opened + first) // 2, first, (first + second) // 2, second, (second + close) // 2, close)
    before = opened
    for part, price in enumerate(corners):
        lots = bar.volume_lots * (part + 1) // len(corners) - bar.volume_lots * part // len(corners)
        yield Moment(bar.length_ns // len(corners), price, price >= before, lots)
        before = price
