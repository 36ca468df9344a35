"""The market data connection: what the venue says of its market goes to the step as it came, byte for byte.

Which books to subscribe to, and when to begin one anew, is decided in the step, where the books are. This only carries
it out, and keeps the answers to its own requests to itself.
"""

from collections.abc import Callable
from typing import Final

from appliance.core.commands import SubscribeMarket
from appliance.core.events import AnyEvent, FeedChanged, MarketFrame
from appliance.venues.kraken.connection import Connection, Means
from appliance.venues.kraken.endpoint import Endpoint
from appliance.venues.kraken.link import STANDARD, LinkLimits
from appliance.wire.kraken.account import AccountDecoder
from appliance.wire.kraken.answers import Answer
from appliance.wire.kraken.refusals import Refused
from appliance.wire.kraken.requests import Subscribe, Unsubscribe

_MESSAGE: Final = b'{"channel"'
_SUBSCRIBING: Final = frozenset({"subscribe", "unsubscribe"})


class KrakenFeed(Connection):
    """Bring market data."""

    def __init__(
        self,
        place: Endpoint,
        post: Callable[[AnyEvent], None],
        means: Means,
        depth: int,
        limits: LinkLimits = STANDARD,
    ) -> None:
        """Connect to an endpoint and post events."""
        super().__init__(place, means, limits)
        self._post = post
        self._depth = depth
        self._answers = AccountDecoder()
        self._books: set[str] = set()
        self._trades: set[str] = set()
        self._terms = False

    def subscribe(self, command: SubscribeMarket) -> None:
        """Have the venue begin anew with some books; without a connection there is nothing to begin."""
        names = command.instruments
        self._begin("book", tuple(name for name in names if name in self._books), names)
        self._books.update(names)
        if command.trades:
            self._begin("trade", tuple(name for name in names if name in self._trades), names)
            self._trades.update(names)
        if not self._terms:
            # All of them anew on each connection: nobody heard what was changed while there was none.
            self._terms = self._ask(Subscribe(channel="instrument", snapshot=True))

    def _begin(self, channel: str, held: tuple[str, ...], wanted: tuple[str, ...]) -> None:
        book = channel == "book"
        if held and book:
            self._ask(Unsubscribe(channel=channel, symbol=held, depth=self._depth))
        elif held:
            self._ask(Unsubscribe(channel=channel, symbol=held))
        if book:
            self._ask(Subscribe(channel=channel, symbol=wanted, depth=self._depth, snapshot=True))
        else:
            self._ask(Subscribe(channel=channel, symbol=wanted, snapshot=True))

    async def _prepare(self) -> None:
        """Need nothing: market data is for everybody."""

    def _opened(self) -> None:
        self._books.clear()
        self._trades.clear()
        self._terms = False
        self.connected = True
        self._ping()
        self._post(FeedChanged(connected=True, reason="connected"))

    def _received(self, frame: bytes) -> None:
        if frame.startswith(_MESSAGE):
            self._post(MarketFrame(frame.decode("latin-1")))
            return
        answer = self._answers.decode(frame)
        if isinstance(answer, Answer):
            self._answered(answer)
        elif isinstance(answer, Refused):
            # Whether it was a book that cannot be read any more is for the step to judge.
            self.refused[answer.reason] += 1
            self._post(MarketFrame(frame.decode("latin-1")))

    def _answered(self, answer: Answer) -> None:
        if not self._ponged(answer) and answer.error and answer.method in _SUBSCRIBING:
            self.refused[answer.error] += 1
            if answer.method == "subscribe":
                self._give_up(f"the venue refused a subscription: {answer.error}")

    def _lost(self, reason: str) -> None:
        self._post(FeedChanged(connected=False, reason=reason))
