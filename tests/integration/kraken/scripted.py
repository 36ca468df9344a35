"""A venue's side in a few lines, which does what a test tells it: WebSocket on one port, REST on another."""

import asyncio
import base64
import contextlib
import json
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from websockets.asyncio.server import Server, ServerConnection, serve

from appliance.core.clock import SystemClock
from appliance.core.commands import SendOrder
from appliance.core.events import AnyEvent
from appliance.core.secret import Secret
from appliance.core.values import OrderKind, Side
from appliance.venues.kraken.account import AccountAsker
from appliance.venues.kraken.connection import Means
from appliance.venues.kraken.endpoint import Endpoint, endpoint
from appliance.venues.kraken.feed import KrakenFeed
from appliance.venues.kraken.keys import VenueKey
from appliance.venues.kraken.link import LinkLimits
from appliance.venues.kraken.nonce import NonceCounter
from appliance.venues.kraken.orders import KrakenOrders
from appliance.venues.kraken.rest import RestClient
from appliance.wire.kraken.names import Names
from appliance.wire.kraken.numbers import written_time
from appliance.wire.kraken.rest import PairInfo

CLOCK = SystemClock()
MEANS = Means(CLOCK, random.Random(1), lambda _: None)
WAIT_S = 5.0
QUICK = LinkLimits(ping_interval_ns=50_000_000, silence_ns_max=300_000_000, retry_cap_ms=50)
PAIR = PairInfo(
    altname="XBTUSD",
    wsname="XBT/USD",
    base="XXBT",
    quote="ZUSD",
    pair_decimals=1,
    lot_decimals=8,
    ordermin=Decimal("0.0001"),
    tick_size=Decimal("0.1"),
    fees=((Decimal(0), Decimal("0.26")),),
)
NAMES = Names({"XXBTZUSD": PAIR}, ["BTC/USD"])
KEY = VenueKey("name", Secret(base64.b64encode(b"private").decode()))
TOKEN = {"token": "opens", "expires": 900}


class Scripted:
    """Answer as a venue would, unless told otherwise, and remember what was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.posted: list[tuple[str, dict[str, str]]] = []
        self.rest: dict[str, Any] = {
            "GetWebSocketsToken": TOKEN,
            "GetApiKeyInfo": {"permissions": ["modify-trades"]},
            "OpenOrders": {"open": {}},
            "CancelAllOrdersAfter": {"currentTime": "2026-01-01T00:00:00Z", "triggerTime": "0"},
        }
        self.connections: list[ServerConnection] = []
        self.silent_methods: set[str] = set()
        self.errors: dict[str, str] = {}
        self.clock_ahead_ns = 0
        self.sequence = 0
        self.stack = contextlib.AsyncExitStack()
        self.websocket = self.web = endpoint("ws://127.0.0.1:1", plain_loopback=True)

    async def __aenter__(self) -> Self:
        websocket: Server = await self.stack.enter_async_context(serve(self._serve, "127.0.0.1", 0))
        self.websocket = _place("ws", websocket.sockets, "/v2")
        web = await self.stack.enter_async_context(await asyncio.start_server(self._answer, "127.0.0.1", 0))
        self.web = _place("http", web.sockets, "")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stack.aclose()

    def methods(self) -> list[str]:
        """Return what was asked, pings left out."""
        return [each["method"] for each in self.asked if each["method"] != "ping"]

    async def say(self, message: dict[str, Any] | bytes) -> None:
        """Say something to the newest connection."""
        text = message.decode() if isinstance(message, bytes) else json.dumps(message)
        await self.connections[-1].send(text)

    async def execute(self, *entries: dict[str, Any], kind: str = "update") -> None:
        """Report executions."""
        self.sequence += 1
        moment = written_time(CLOCK.wall_ns())
        data = [{"timestamp": moment, **entry} for entry in entries]
        await self.say({"channel": "executions", "type": kind, "data": data, "sequence": self.sequence})

    async def _serve(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        status = {"system": "online", "version": "2.0.0", "api_version": "v2", "connection_id": 1}
        await self.say({"channel": "status", "type": "update", "data": [status]})
        with contextlib.suppress(Exception):
            async for text in connection:
                await self._asked(json.loads(text))

    async def _asked(self, request: dict[str, Any]) -> None:
        self.asked.append(request)
        method, params = request["method"], request.get("params", {})
        if method in self.silent_methods:
            return
        moment = written_time(CLOCK.wall_ns() + self.clock_ahead_ns)
        answer = {"method": method, "req_id": request["req_id"], "time_in": moment, "time_out": moment}
        if method in self.errors:
            await self.say(answer | {"success": False, "error": self.errors[method]})
        elif method == "ping":
            await self.say(answer | {"method": "pong"})
        else:
            await self.say(answer | {"success": True, "result": _result(method, params)})
            if params.get("channel") == "executions":
                self.sequence = 0
                await self.execute(kind="snapshot")

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((int(line.split(": ")[1]) for line in head.split("\r\n") if line.startswith("Content-Length")), 0)
        body = dict(pair.split("=") for pair in (await reader.readexactly(length)).decode().split("&") if pair)
        name = head.split(" ")[1].rpartition("/")[2]
        self.posted.append((name, body))
        found = self.rest.get(name, ["EGeneral:Unknown method"])
        found = found(body) if callable(found) else found
        told = {"error": found} if isinstance(found, list) else {"error": [], "result": found}
        text = json.dumps(told).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
        await writer.drain()
        writer.close()


def _result(method: str, params: dict[str, Any]) -> dict[str, Any]:
    match method:
        case "subscribe" | "unsubscribe":
            return {"channel": params["channel"]}
        case "add_order":
            return {"order_id": f"V-{params['cl_ord_id']}", "cl_ord_id": params["cl_ord_id"]}
        case "cancel_order":
            return {"order_id": "V", "cl_ord_id": params["cl_ord_id"][0]}
        case "amend_order":
            return {"amend_id": "A", "cl_ord_id": params["cl_ord_id"]}
        case "cancel_all":
            return {"count": 1}
        case _:
            return {"currentTime": "2026-01-01T00:00:00Z", "triggerTime": "0"}


def _place(scheme: str, sockets: Any, path: str) -> Endpoint:  # noqa: ANN401 - asyncio's own list
    return endpoint(f"{scheme}://127.0.0.1:{next(iter(sockets)).getsockname()[1]}{path}", plain_loopback=True)


def order(client_id: str = "b4-1", kind: OrderKind = OrderKind.LIMIT, deadline_ms: int = 2_000) -> SendOrder:
    """Return an order to buy a ten-thousandth of a coin."""
    return SendOrder(
        client_id, "BTC/USD", Side.BUY, kind, 640_000, 10_000, reduce_only=False, deadline_ms=deadline_ms, trace=0
    )


class Desk:
    """Hold what the shells posted."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []
        self.said: list[str] = []
        self._news = asyncio.Event()

    def post(self, event: AnyEvent) -> None:
        """Take an event in."""
        self.events.append(event)
        self._news.set()

    def of(self, kind: type[AnyEvent]) -> list[Any]:
        """Return the events of a kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, wanted: Callable[[], object]) -> None:
        """Wait until something is true."""
        async with asyncio.timeout(WAIT_S):
            while not wanted():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), 0.02)
                self._news.clear()


def feed(venue: Endpoint, desk: Desk, limits: LinkLimits = QUICK) -> KrakenFeed:
    """Return a market data connection that retries quickly."""
    return KrakenFeed(venue, desk.post, MEANS, 10, limits)


class SetClock(SystemClock):
    """Tell the system's time, but for a wall clock that a test sets."""

    ahead_ns = 0

    def wall_ns(self) -> int:
        """Return the wall time as it was set."""
        return super().wall_ns() + self.ahead_ns


def orders(
    venue: Scripted, desk: Desk, folder: Path, limits: LinkLimits = QUICK, clock: SystemClock = CLOCK
) -> KrakenOrders:
    """Return an order connection that retries quickly."""
    client = RestClient(venue.web, KEY, NonceCounter(folder / "nonce", CLOCK), 1.0)
    asker = AccountAsker(client, NAMES, CLOCK, desk.said.append)
    return KrakenOrders(venue.websocket, asker, NAMES, desk.post, MEANS._replace(clock=clock), limits)
