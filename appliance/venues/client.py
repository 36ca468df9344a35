"""The trader's two connections to the built-in venue: market data and orders.

Each keeps connecting for as long as it runs. Everything it learns leaves through one callback, as an event, in order.
An order that was written to the socket is in flight until the venue says anything of it; if its deadline passes first,
or the link breaks, the trader is told once that it timed out, which means unknown and never refused.
"""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from appliance.core.clock import Clock
from appliance.core.commands import SendOrder, SubscribeMarket, VenueCommand
from appliance.core.events import (
    AnyEvent,
    FeedChanged,
    OrderAcknowledged,
    OrderEnded,
    OrderLinkChanged,
    OrderRefused,
    OrderReported,
    OrderTraded,
    SendTimedOut,
)
from appliance.venues.backoff import Backoff
from appliance.venues.link import Link, LinkLimits
from appliance.wire.venue_link import (
    PROTOCOL_VERSION,
    Channel,
    Hello,
    LedgerReported,
    Ping,
    Submit,
    VenueMessage,
    client_decoder,
)

IN_FLIGHT_MAX = 256
RETRY_FIRST_MS = 100
RETRY_CAP_MS = 5_000
CONNECT_TIMEOUT_S = 3.0
_MILLISECONDS = 1_000
_ANSWERS = OrderAcknowledged | OrderRefused | OrderTraded | OrderEnded | OrderReported
_STANDARD = LinkLimits()


class _VenueConnection(ABC):
    """Connect, say hello, pass on, and connect again."""

    _channel: Channel

    def __init__(
        self,
        path: Path,
        post: Callable[[AnyEvent], None],
        generator: random.Random,
        limits: LinkLimits = _STANDARD,
        retry_cap_ms: int = RETRY_CAP_MS,
    ) -> None:
        """Connect to a socket path and post events; the generator spreads the waits between attempts."""
        self._path = path
        self._post = post
        self._limits = limits
        self._retry_cap_ms = retry_cap_ms
        self._backoff = Backoff(min(RETRY_FIRST_MS, retry_cap_ms), retry_cap_ms, generator)
        self._link: Link[VenueMessage] | None = None
        self.connected = False
        self.attempts = 0

    async def run(self) -> None:
        """Stay connected until canceled."""
        while True:
            await self._connect_once()
            await asyncio.sleep(self._backoff.next_ms() / _MILLISECONDS)

    async def _connect_once(self) -> None:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[str] = loop.create_future()
        link: Link[VenueMessage] = Link(
            client_decoder(),
            self._limits,
            on_open=lambda: self._greet(link),
            on_message=self._receive,
            on_closed=lambda reason: self._lost(reason, ended),
        )
        self.attempts += 1
        started_s = loop.time()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await loop.create_unix_connection(lambda: link, str(self._path))
        except OSError:  # also TimeoutError; the venue is not there, which the next attempt will find out again
            return
        self._link = link
        try:
            await ended
        finally:
            self._link = None
            link.abort("closed by this side")
            self._lost("closed by this side", ended)
        # A venue that takes the connection only to drop it at once must not be asked ten times a second.
        if (loop.time() - started_s) * _MILLISECONDS > self._retry_cap_ms:
            self._backoff.reset()

    def _greet(self, link: Link[VenueMessage]) -> None:
        link.send(Hello(PROTOCOL_VERSION, self._channel))

    def _receive(self, message: VenueMessage) -> None:
        if not self.connected:
            self.connected = True
            self._changed(connected=True, reason="connected")
        if not isinstance(message, Ping | LedgerReported):
            self._handle(message)

    def _lost(self, reason: str, ended: asyncio.Future[str]) -> None:
        if not ended.done():
            ended.set_result(reason)
        if self.connected:
            self.connected = False
            self._changed(connected=False, reason=reason)

    def _handle(self, event: AnyEvent) -> None:
        self._post(event)

    @abstractmethod
    def _changed(self, *, connected: bool, reason: str) -> None: ...


class VenueFeed(_VenueConnection):
    """Receive quotes and trades."""

    _channel = Channel.FEED

    def subscribe(self, _command: SubscribeMarket) -> None:
        """Ask for nothing: this venue sends its quotes to every feed."""

    def _changed(self, *, connected: bool, reason: str) -> None:
        self._post(FeedChanged(connected, reason))


class VenueOrders(_VenueConnection):
    """Send commands and receive what becomes of them."""

    _channel = Channel.ORDERS

    def __init__(
        self,
        path: Path,
        post: Callable[[AnyEvent], None],
        generator: random.Random,
        clock: Clock,
        limits: LinkLimits = _STANDARD,
        retry_cap_ms: int = RETRY_CAP_MS,
    ) -> None:
        """Connect to a socket path; the clock dates every command on its way out."""
        super().__init__(path, post, generator, limits, retry_cap_ms)
        self._clock = clock
        self._in_flight: dict[str, asyncio.TimerHandle] = {}

    def send(self, command: VenueCommand) -> bool:
        """Send a command now, or return False when it cannot leave; nothing of it has been sent then."""
        if self._link is None or not self.connected:
            return False
        if isinstance(command, SendOrder) and len(self._in_flight) >= IN_FLIGHT_MAX:
            return False
        if not self._link.send(Submit(self._clock.monotonic_ns(), command)):
            return False
        if isinstance(command, SendOrder):
            self._await_answer(command)
        return True

    def _await_answer(self, command: SendOrder) -> None:
        self._answered(command.client_id)
        self._in_flight[command.client_id] = asyncio.get_running_loop().call_later(
            command.deadline_ms / _MILLISECONDS, self._time_out, command.client_id
        )

    def _answered(self, client_id: str) -> None:
        timer = self._in_flight.pop(client_id, None)
        if timer is not None:
            timer.cancel()

    def _time_out(self, client_id: str) -> None:
        del self._in_flight[client_id]
        self._post(SendTimedOut(client_id))

    def _handle(self, event: AnyEvent) -> None:
        if isinstance(event, _ANSWERS):
            self._answered(event.client_id)
        self._post(event)

    def _changed(self, *, connected: bool, reason: str) -> None:
        self._post(OrderLinkChanged(connected, reason))
        for client_id in [] if connected else list(self._in_flight):
            self._answered(client_id)
            self._post(SendTimedOut(client_id))
