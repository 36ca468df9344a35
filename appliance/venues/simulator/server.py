"""The built-in exchange behind a Unix socket, in real time.

One connection is one channel, named by its hello: the feed gets market data, orders get answers (every order
connection sees every answer: there is one account), the ledger gets the books once. The last-resort channel needs the
key the venue was started with, may only lessen what is open, and alone sees its own account reports, so that no trader
takes one for an answer to its own question.

A client may die at any moment; one that reads too slowly is dropped when what waits for it passes the limit, so it can
never make the venue grow.
"""

import asyncio
import os
import signal
import socket
import stat
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND, Clock
from appliance.core.commands import AskAccount, SendCancel, SendCancelAll, SendOrder, VenueCommand
from appliance.core.errors import AlreadyRunning, ConfigError
from appliance.core.events import AccountReported, AnyEvent, TradePrinted
from appliance.core.secret import Secret
from appliance.core.values import OrderKind
from appliance.venues.link import Link, LinkLimits
from appliance.venues.simulator.exchange import Exchange, is_market_data
from appliance.wire.link import encode
from appliance.wire.venue_link import (
    PROTOCOL_VERSION,
    Channel,
    ClientMessage,
    Hello,
    LedgerReported,
    Ping,
    Submit,
    venue_decoder,
)

CLIENTS_MAX = 32
# What a client that connects is told of the past, so that it need not watch for a minute before it understands.
RECENT_TRADES_MAX = 4096
SOCKET_PATH_BYTES_MAX = 107
_TICK_NS_MIN = NANOSECONDS_PER_MILLISECOND


class _Client:
    """Hold one connection and the channel it asked for."""

    def __init__(self, server: "VenueServer", limits: LinkLimits) -> None:
        self.channel: Channel | None = None
        self._server = server
        self.link: Link[ClientMessage] = Link(
            venue_decoder(),
            limits,
            on_open=lambda: server.opened(self),
            on_message=self._receive,
            on_closed=lambda _: server.closed(self),
        )

    def _receive(self, message: ClientMessage) -> None:
        match message:
            case Hello() if self.channel is None and message.version == PROTOCOL_VERSION:
                if message.channel is Channel.LAST_RESORT and not self._server.admits(message.key):
                    self.link.abort("that key opens nothing")
                    return
                self.channel = message.channel
                self._server.greeted(self)
            case Ping() if self.channel is not None:
                pass
            case Submit() if self.channel is Channel.ORDERS:
                self._server.submit(message)
            case Submit() if self.channel is Channel.LAST_RESORT:
                self._server.submit_last_resort(self, message)
            case _:
                self.link.abort("this channel does not take that message")

    def send(self, frame: bytes) -> bool:
        """Send a frame, or drop the client that does not read."""
        sent = self.link.send_frame(frame)
        if not sent:
            self.link.abort("reads too slowly")
        return sent


class VenueServer:
    """Drive the exchange by the clock and serve its clients."""

    def __init__(
        self,
        exchange: Exchange,
        clock: Clock,
        limits: LinkLimits | None = None,
        last_resort_key: Secret | None = None,
        on_arrival: Callable[[Channel, Submit, int], None] | None = None,
    ) -> None:
        """Serve that exchange; the clock must be the one its start was read from, and no key opens no last resort."""
        self._exchange = exchange
        self._clock = clock
        self._limits = limits or LinkLimits()
        self._clients: set[_Client] = set()
        self._recent: deque[TradePrinted] = deque(maxlen=RECENT_TRADES_MAX)
        self._timer: asyncio.TimerHandle | None = None
        self._last_resort_key = last_resort_key
        self._on_arrival = on_arrival
        self.clients_dropped = 0
        self.last_resort_refused = 0

    async def serve(self, path: Path, on_listening: Callable[[], None]) -> None:
        """Listen on a socket path until SIGTERM or SIGINT, then remove the path."""
        loop = asyncio.get_running_loop()
        stopped: asyncio.Future[None] = loop.create_future()
        loop.set_exception_handler(lambda _, context: _fail(stopped, context))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, _finish, stopped)
        server = await loop.create_unix_server(lambda: _Client(self, self._limits).link, sock=listen(path))
        try:
            self._tick()
            on_listening()
            await stopped
        finally:
            server.close()
            self._end_all()
            _remove(path)

    def opened(self, client: _Client) -> None:
        """Take a new connection in, unless there are too many."""
        self._clients.add(client)
        if len(self._clients) > CLIENTS_MAX:
            client.link.abort("too many clients")

    def closed(self, client: _Client) -> None:
        """Forget a connection that is gone."""
        self._clients.discard(client)

    def greeted(self, client: _Client) -> None:
        """Accept a channel; the feed begins with the recent trades and the quotes, the ledger gets its one answer."""
        client.link.send(Ping(0))
        match client.channel:
            case Channel.FEED:
                self._send([client], map(encode, [*self._recent, *self._exchange.quotes()]))
            case Channel.LEDGER:
                self._send([client], [encode(self._ledger())])
                client.link.close_when_written()
            case _:
                pass

    def submit(self, message: Submit) -> None:
        """Carry a command out at this moment."""
        self._publish(self._carry_out(Channel.ORDERS, message))

    def admits(self, key: str) -> bool:
        """Tell whether a key opens the last-resort channel; a wrong one is counted."""
        good = self._last_resort_key is not None and self._last_resort_key == Secret(key)
        self.last_resort_refused += not good
        return good

    def submit_last_resort(self, client: _Client, message: Submit) -> None:
        """Carry out a command that can only lessen exposure, or refuse and count it."""
        if not lessens(message.command):
            self.last_resort_refused += 1
            client.link.abort("this key does not permit that")
            return
        events = self._carry_out(Channel.LAST_RESORT, message)
        self._send([client], [encode(event) for event in events if isinstance(event, AccountReported)])
        self._publish([event for event in events if not isinstance(event, AccountReported)])

    def _carry_out(self, channel: Channel, message: Submit) -> list[AnyEvent]:
        now_ns = self._clock.monotonic_ns()
        if self._on_arrival is not None:
            self._on_arrival(channel, message, now_ns)
        return self._exchange.submit(now_ns, message.command, message.sent_ns)

    def _tick(self) -> None:
        now_ns = self._clock.monotonic_ns()
        self._publish(self._exchange.advance(now_ns))
        wait_ns = max(self._exchange.next_ns() - now_ns, _TICK_NS_MIN)
        self._timer = asyncio.get_running_loop().call_later(wait_ns / NANOSECONDS_PER_SECOND, self._tick)

    def _publish(self, events: list[AnyEvent]) -> None:
        self._recent.extend(event for event in events if isinstance(event, TradePrinted))
        for channel, wanted in ((Channel.FEED, True), (Channel.ORDERS, False)):
            clients = [client for client in self._clients if client.channel is channel]
            if clients:
                self._send(clients, [encode(event) for event in events if is_market_data(event) is wanted])

    def _send(self, clients: Iterable[_Client], frames: Iterable[bytes]) -> None:
        data = b"".join(frames)
        for client in clients:
            if data and not client.send(data):
                self.clients_dropped += 1

    def _ledger(self) -> LedgerReported:
        exchange = self._exchange
        account = exchange.account
        return LedgerReported(
            exchange.seed,
            account.cash_start_quanta,
            account.cash_quanta,
            account.fees_quanta,
            account.holdings(),
            tuple(order.open_order() for order in exchange.open_orders()),
            exchange.orders_accepted,
            exchange.orders_refused,
            account.trades_count,
            exchange.audit(),
            self.last_resort_refused,
        )

    def _end_all(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for client in list(self._clients):
            client.link.abort("the venue ends")


def lessens(command: VenueCommand) -> bool:
    """Tell whether the last-resort key permits a command."""
    if isinstance(command, SendOrder):
        return command.reduce_only and command.kind is OrderKind.MARKET
    return isinstance(command, SendCancel | SendCancelAll | AskAccount)


def listen(path: Path) -> socket.socket:
    """Return a socket at a path that only this user and group may connect to, in place of a dead process's."""
    length = len(os.fsencode(path))
    if length > SOCKET_PATH_BYTES_MAX:
        raise ConfigError(f"socket path {path} has {length} bytes; choose one of at most {SOCKET_PATH_BYTES_MAX}")
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(0o660)
    except OSError as problem:
        listener.close()
        raise ConfigError(f"cannot make the socket {path}: {problem.strerror}") from problem
    return listener


def _remove_stale(path: Path) -> None:
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise ConfigError(f"{path} is not a socket; choose another path or move it away")
    except FileNotFoundError:
        return
    except OSError as problem:
        raise ConfigError(f"cannot look at {path}: {problem.strerror}") from problem
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
        except OSError as problem:
            raise ConfigError(f"cannot use the socket {path}: {problem.strerror}") from problem
        else:
            raise AlreadyRunning(f"a venue already listens on {path}; stop it or choose another path")


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _finish(stopped: asyncio.Future[None]) -> None:
    if not stopped.done():
        stopped.set_result(None)


def _fail(stopped: asyncio.Future[None], context: dict[str, object]) -> None:
    # Without this, asyncio would log a broken invariant of the exchange and carry on.
    problem = context.get("exception")
    if not stopped.done():
        stopped.set_exception(
            problem if isinstance(problem, BaseException) else RuntimeError(str(context.get("message")))
        )
