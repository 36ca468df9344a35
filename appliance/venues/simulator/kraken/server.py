"""The paper venue as a real Kraken server on loopback: WebSocket v2 at /v2 and REST at /0, on one port.

    server = KrakenServer(paper_floor(...), clock, keys)
    await server.start()          # server.url, server.ws_url, server.port
    ...
    await server.close()

It can be embedded in a test or another process, or run alone (`appliance venue --port`). All money is paper money.
"""

import asyncio
import itertools
import random
import ssl
from typing import Final

import msgspec

from appliance.core.clock import NANOSECONDS_PER_SECOND, Clock
from appliance.core.errors import AlreadyRunning
from appliance.venues.simulator.arrivals import Arrived, asked_in
from appliance.venues.simulator.floor import Floor
from appliance.venues.simulator.kraken.connection import Connection
from appliance.venues.simulator.kraken.desk import System
from appliance.venues.simulator.kraken.faults import Chance, FaultPlan, Moment, Planned
from appliance.venues.simulator.kraken.http import HttpRequest
from appliance.venues.simulator.kraken.keys import ApiKey, Keyring
from appliance.venues.simulator.kraken.mischief import LATE_ACK_S, disowned, mangled
from appliance.venues.simulator.kraken.operator import BOOKS_PATH, books
from appliance.venues.simulator.kraken.rates import PRO, RateTier
from appliance.venues.simulator.kraken.rest_private import PrivateCalls
from appliance.venues.simulator.kraken.rest_public import PublicCalls
from appliance.venues.simulator.kraken.rounds import Round, forget_unfollowed
from appliance.venues.simulator.kraken.session import Session
from appliance.venues.simulator.kraken.state import VenueState
from appliance.wire.kraken.serving import market, rest
from appliance.wire.kraken.serving.requests import RequestDecoder

HOST: Final = "127.0.0.1"
CONNECTIONS_MAX: Final = 64
TICK_S_MIN: Final = 0.001
# A market that stands still must not keep the script of faults waiting.
TICK_S_MAX: Final = 0.25
HEARTBEAT_S: Final = 1.0
_PUBLIC: Final = "/0/public/"
_PRIVATE: Final = "/0/private/"
_MILLISECONDS: Final = 1_000


class Latency:
    """Draw how long messages are under way: log-normally, as networks are found to be."""

    def __init__(self, median_ms: float, sigma: float, seed: int) -> None:
        """Draw around a median in milliseconds; none at all for zero."""
        self._median_s = median_ms / _MILLISECONDS
        self._sigma = sigma
        self._random = random.Random(f"latency/{seed}")  # noqa: S311 - a network to replay, not a secret

    def draw_s(self) -> float:
        """Return the next delay."""
        return self._median_s * self._random.lognormvariate(0.0, self._sigma) if self._median_s else 0.0


class KrakenServer:
    """Drive a floor by the clock and serve it to Kraken clients."""

    def __init__(
        self,
        floor: Floor,
        clock: Clock,
        keys: list[ApiKey],
        *,
        port: int = 0,
        latency: Latency | None = None,
        faults: FaultPlan | None = None,
        tier: RateTier = PRO,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Serve a floor whose time began on that clock; port 0 takes any that is free."""
        self._tls = tls
        self.seed = 0
        self.on_arrival: Arrived | None = None
        self.state = VenueState(floor, tier)
        self.faults = faults or FaultPlan({}, [], 0)
        self.keyring = Keyring(keys)
        self.port = port
        self.clients_dropped = 0
        self._clock = clock
        self._latency = latency or Latency(0, 0, 0)
        self._public = PublicCalls(self.state)
        self._private = PrivateCalls(self.state, self.keyring)
        self._connections: dict[Connection, Session | None] = {}
        self._numbers = itertools.count(1)
        self._server: asyncio.Server | None = None
        self._timers: list[asyncio.Handle] = []
        self._begun_ns = 0

    @property
    def url(self) -> str:
        """Return where REST is served."""
        return f"http{self._s}://{HOST}:{self.port}"

    @property
    def ws_url(self) -> str:
        """Return where WebSocket v2 is served, public and authenticated alike."""
        return f"ws{self._s}://{HOST}:{self.port}/v2"

    @property
    def _s(self) -> str:
        return "" if self._tls is None else "s"

    async def start(self) -> None:
        """Listen and let the market run."""
        loop = asyncio.get_running_loop()
        # Nesting is judged by a kernel; no client's first request is to wait for its compiler.
        RequestDecoder().decode(b"{}")
        try:
            self._server = await loop.create_server(lambda: Connection(self), HOST, self.port, ssl=self._tls)
        except OSError as problem:
            raise AlreadyRunning(f"port {self.port} cannot be served ({problem.strerror}); choose another") from problem
        self.port = self._server.sockets[0].getsockname()[1]
        self._begun_ns = self._clock.monotonic_ns()
        self._timers = [loop.call_soon(self._tick), loop.call_soon(self._beat)]

    async def close(self) -> None:
        """End every connection and stop listening."""
        for timer in self._timers:
            timer.cancel()
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.close()
        await asyncio.sleep(0)
        for connection in list(self._connections):
            connection.abort()

    def set_system(self, system: System) -> None:
        """Change the venue's mode and tell everyone."""
        if system is not self.state.desk.system:
            self.state.desk.system = system
            for connection, session in self._connections.items():
                if session is not None:
                    self._send(connection, [market.status(system.value, session.number)])

    def opened(self, connection: Connection) -> bool:
        """Take a connection in unless there are too many."""
        self._connections[connection] = None
        return len(self._connections) <= CONNECTIONS_MAX

    def closed(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        self._connections.pop(connection, None)

    def delay_s(self) -> float:
        """Return how long the next message is under way."""
        return self._latency.draw_s()

    def upgraded(self, connection: Connection) -> None:
        """Begin a WebSocket session."""
        session = Session(self.state, self.keyring, next(self._numbers))
        self._connections[connection] = session
        self._send(connection, session.opened())

    def received(self, connection: Connection, frame: bytes) -> None:
        """Carry out a request of a session, then tell everyone what happened."""
        session = self._connections.get(connection)
        if session is None:
            return
        self._advance()
        self._publish()
        if self.on_arrival is not None:
            self.on_arrival(*asked_in(frame), self._clock.monotonic_ns())
        answers = session.receive(frame, self.state.floor.venue_ns)
        if any(b'"method":"add_order"' in answer or b'"method":"batch_add"' in answer for answer in answers):
            self._answer_badly(connection, answers)
        else:
            self._send(connection, answers)
        self._publish()

    def _answer_badly(self, connection: Connection, answers: list[bytes]) -> None:
        """Answer a request for an order, which was carried out, as the plan of faults says."""
        faults, extra_s = self.faults, 0.0
        if faults.strikes(Chance.DISCONNECT):
            connection.abort()
        if faults.strikes(Chance.FILL_FIRST):
            self._publish()
        if faults.strikes(Chance.LOST_ACK):
            return
        if faults.strikes(Chance.LATE_ACK):
            extra_s = LATE_ACK_S
        ghost = faults.strikes(Chance.GHOST)
        for answer in answers:
            connection.send(disowned(answer) if ghost else answer, extra_s)

    def called(self, connection: Connection, request: HttpRequest) -> None:
        """Carry out a REST request."""
        self._advance()
        path, _, query = request.target.partition("?")
        keep = request.headers.get("connection", "").lower() != "close"
        content_type = request.headers.get("content-type", "").lower()
        if path.startswith(_PUBLIC):
            found = (rest.fields(query.encode(), "") or {}) | (rest.fields(request.body, content_type) or {})
            call = self._public.calls.get(path.removeprefix(_PUBLIC))
            result = "EGeneral:Unknown method" if call is None else call(found)
        elif path == BOOKS_PATH and request.method == "GET":
            connection.respond("200 OK", msgspec.json.encode(books(self.state, self.seed)), keep=keep)
            return
        elif path.startswith(_PRIVATE) and request.method == "POST":
            key, sign = request.headers.get("api-key", ""), request.headers.get("api-sign", "")
            if self.on_arrival is not None:
                holder = self.keyring.keys.get(key)
                fields = rest.fields(request.body, content_type) or {}
                self.on_arrival(
                    "" if holder is None else holder.name,
                    path.removeprefix(_PRIVATE),
                    fields,
                    self._clock.monotonic_ns(),
                )
            result = self._private.answer(path, request.body, content_type, key, sign)
            if self.faults.strikes(Chance.DISCONNECT):
                connection.abort()
        else:
            connection.respond("404 Not Found", rest.failure("EGeneral:Unknown method"), keep=keep)
            return
        body = rest.failure(result) if isinstance(result, str) else rest.answer(result)
        connection.respond("200 OK", body, keep=keep)
        self._publish()

    def _advance(self) -> None:
        self.state.floor.advance(max(self._clock.monotonic_ns(), self.state.floor.now_ns))

    def _publish(self) -> None:
        happened = Round(self.state)
        followed = set()
        for connection, session in list(self._connections.items()):
            if session is not None:
                self._send(connection, session.told(happened))
                followed |= {(s, params.depth) for (c, s), params in session.follows.items() if c == "book"}
        forget_unfollowed(self.state, followed)

    def _send(self, connection: Connection, frames: list[bytes]) -> None:
        for frame, extra_s in mangled(frames, self.faults):
            connection.send(frame, extra_s)

    def _tick(self) -> None:
        self._advance()
        self._publish()
        for planned in self.faults.due((self._clock.monotonic_ns() - self._begun_ns) // 1_000_000):
            self._misbehave(planned)
        wait_s = (self.state.floor.next_ns() - self._clock.monotonic_ns()) / NANOSECONDS_PER_SECOND
        self._timers[0] = asyncio.get_running_loop().call_later(min(max(wait_s, TICK_S_MIN), TICK_S_MAX), self._tick)

    def _beat(self) -> None:
        for connection, session in list(self._connections.items()):
            connection.look()
            if session is not None and session.follows:
                connection.send(market.HEARTBEAT)
        self._timers[1] = asyncio.get_running_loop().call_later(HEARTBEAT_S, self._beat)

    def _misbehave(self, planned: Planned) -> None:
        loop, lasts_s = asyncio.get_running_loop(), planned.lasts_ms / _MILLISECONDS
        match planned.what:
            case Moment.HALF_OPEN:
                for connection, session in self._connections.items():
                    connection.half_open = connection.half_open or session is not None
            case Moment.DISCONNECT_ALL:
                for connection in list(self._connections):
                    connection.abort()
            case Moment.TOKEN_EXPIRY:
                self.keyring.expire_tokens()
            case Moment.KEY_WITHDRAWS:
                self.keyring.let_first_withdraw()
            case Moment.REJECT_STORM:
                self.state.desk.storm_until_ns = self.state.floor.now_ns + planned.lasts_ms * 1_000_000
            case Moment.MAINTENANCE | Moment.CANCEL_ONLY | Moment.POST_ONLY:
                self.set_system(System(planned.what.value))
                if lasts_s:
                    self._timers.append(loop.call_later(lasts_s, self.set_system, System.ONLINE))
