"""What the two connections to a venue have in common: connect, stay, and connect again."""

import asyncio
import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple

from appliance.core.clock import Clock
from appliance.core.errors import ApplianceError
from appliance.venues.backoff import Backoff
from appliance.venues.kraken.clock_offset import ClockOffset
from appliance.venues.kraken.endpoint import Endpoint, tls
from appliance.venues.kraken.link import STANDARD, LinkLimits, WebSocketLink
from appliance.wire.kraken.answers import Answer, Pong
from appliance.wire.kraken.requests import Ping, Request, encode

RETRY_FIRST_MS: Final = 100
CONNECT_TIMEOUT_S: Final = 5.0
PINGS_KEPT_MAX: Final = 16
_MILLISECONDS = 1_000


class Means(NamedTuple):
    """Hold what every connection needs: the generator spreads the waits, and problems are said to a person."""

    clock: Clock
    generator: random.Random
    say: Callable[[str], None]


class Connection(ABC):
    """Keep one WebSocket connected for as long as it runs."""

    def __init__(self, place: Endpoint, means: Means, limits: LinkLimits = STANDARD) -> None:
        """Connect to an endpoint."""
        self._place = place
        self._clock = means.clock
        self._say = means.say
        self._limits = limits
        self._backoff = Backoff(min(RETRY_FIRST_MS, limits.retry_cap_ms), limits.retry_cap_ms, means.generator)
        self._link: WebSocketLink | None = None
        self._requests = 0
        self._pings: dict[int, int] = {}
        self.offset = ClockOffset()
        self.connected = False
        self.attempts = 0
        self.problem = ""
        self.refused: Counter[str] = Counter()

    async def run(self) -> None:
        """Stay connected until canceled."""
        while True:
            await self._connect_once()
            await asyncio.sleep(self._backoff.next_ms() / _MILLISECONDS)

    async def _connect_once(self) -> None:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[str] = loop.create_future()
        link = WebSocketLink(
            self._place,
            self._limits,
            on_open=self._opened,
            on_frame=self._received,
            on_beat=self._ping,
            on_closed=lambda reason: self._closed(reason, ended),
        )
        self.attempts += 1
        started_s = loop.time()
        try:
            # Several encrypted questions, each with a limit of its own; a slow way must not use up this one's.
            await self._prepare()
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._reach(link)
        except (OSError, ApplianceError) as problem:  # also TimeoutError: the next attempt will find out again
            self._tell(str(problem) or "the venue did not answer in time")
            return
        self._link = link
        try:
            self._tell(await ended)
        finally:
            self._link = None
            link.abort("closed by this side")
            self._closed("closed by this side", ended)
        # A venue that takes the connection only to drop it at once must not be asked ten times a second.
        if (loop.time() - started_s) * _MILLISECONDS > self._limits.retry_cap_ms:
            self._backoff.reset()

    async def _reach(self, link: WebSocketLink) -> None:
        context = tls(self._place)
        await asyncio.get_running_loop().create_connection(
            lambda: link,
            self._place.host,
            self._place.port,
            ssl=context,
            server_hostname=self._place.host if context is not None else None,
        )

    def _ask(self, request: Request) -> bool:
        link = self._link
        if link is None:
            return False
        self._requests += 1
        return link.send(encode(request, self._requests))

    def _ping(self) -> None:
        self._requests += 1
        self._pings[self._requests] = self._clock.monotonic_ns()
        while len(self._pings) > PINGS_KEPT_MAX:
            del self._pings[next(iter(self._pings))]
        if self._link is not None:
            self._link.send(encode(Ping(), self._requests))

    def _ponged(self, answer: Answer) -> bool:
        """Take an answer to a ping, and tell whether it was one."""
        if not isinstance(answer.result, Pong):
            return False
        sent_ns = self._pings.pop(answer.request or 0, None)
        if sent_ns is not None and answer.received_ns and answer.answered_ns:
            self.offset.note(sent_ns, answer.received_ns, answer.answered_ns, self._clock.monotonic_ns())
        return True

    def _give_up(self, reason: str) -> None:
        if self._link is not None:
            self._link.abort(reason)

    def _tell(self, problem: str) -> None:
        """Say a problem that is not the last one again: a venue that is away for a day is said once."""
        if problem != self.problem:
            self.problem = problem
            self._say(f"{type(self).__name__}: {problem}")

    def _closed(self, reason: str, ended: "asyncio.Future[str]") -> None:
        if not ended.done():
            ended.set_result(reason)
        self._pings.clear()
        if self.connected:
            self.connected = False
            self._lost(reason)

    @abstractmethod
    async def _prepare(self) -> None:
        """Do what must be done before connecting; a failure counts as an attempt that failed."""

    @abstractmethod
    def _opened(self) -> None: ...

    @abstractmethod
    def _received(self, frame: bytes) -> None: ...

    @abstractmethod
    def _lost(self, reason: str) -> None: ...
