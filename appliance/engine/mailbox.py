"""What waits to be stepped: two lanes, both bounded, each with its own answer to being full.

Orders, permission and time go first and are never dropped: a full first lane is a broken invariant, because it means
that the trader no longer follows its own orders. Market data may be dropped: a full second lane is emptied at once,
counted, and treated as a lost connection, because half of a stream is worse than none.
"""

import asyncio
from collections import deque

from appliance.core.events import AnyEvent, FeedChanged, MarketFrame, QuoteChanged, TradePrinted
from appliance.core.require import require

FIRST_LANE_MAX = 20_000
MARKET_LANE_MAX = 20_000

_MARKET = MarketFrame | QuoteChanged | TradePrinted | FeedChanged

Waiting = tuple[int, AnyEvent]


class Mailbox:
    """Hold events with the moment they came in, until the trader takes them."""

    __slots__ = ("_first", "_first_max", "_market", "_market_max", "_wake", "dropped")

    def __init__(self, first_max: int = FIRST_LANE_MAX, market_max: int = MARKET_LANE_MAX) -> None:
        """Begin empty."""
        self._first: deque[Waiting] = deque()
        self._market: deque[Waiting] = deque()
        self._first_max = first_max
        self._market_max = market_max
        self._wake = asyncio.Event()
        self.dropped = 0

    def __len__(self) -> int:
        """Return how many events wait."""
        return len(self._first) + len(self._market)

    def put(self, received_ns: int, event: AnyEvent) -> None:
        """Take an event in; never waits."""
        if isinstance(event, _MARKET):
            self._put_market(received_ns, event)
        else:
            require(len(self._first) < self._first_max, "more events of our own orders wait than can ever be right")
            self._first.append((received_ns, event))
        self._wake.set()

    def take(self) -> Waiting | None:
        """Return the next event, the first lane's before the market's."""
        if self._first:
            return self._first.popleft()
        if self._market:
            return self._market.popleft()
        return None

    async def wait(self) -> None:
        """Wait until something is there."""
        if not self:
            self._wake.clear()
            await self._wake.wait()

    def _put_market(self, received_ns: int, event: AnyEvent) -> None:
        if len(self._market) >= self._market_max:
            self.dropped += len(self._market)
            self._market.clear()
            self._market.append((received_ns, FeedChanged(connected=False, reason="more market data than time")))
            self._market.append((received_ns, FeedChanged(connected=True, reason="caught up by dropping")))
        self._market.append((received_ns, event))
