"""The paper venue misbehaves when told to, and does not when a client does."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientError
from kraken.spot import SpotAsyncClient
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from appliance.venues.simulator.kraken.connection import FRAME_BYTES_MAX
from appliance.venues.simulator.kraken.http import HEAD_BYTES_MAX
from appliance.venues.simulator.kraken.server import CONNECTIONS_MAX, HOST
from tests.integration.venues.paper_venue import PaperVenue, paper_venue

WAIT_S = 15.0
BURST = 300
ORDER = {"order_type": "limit", "side": "buy", "order_qty": 0.001, "symbol": "BTC/USD", "limit_price": 50_000}
Work = Callable[[PaperVenue, "Caller"], Awaitable[None]]


class Caller:
    """Speak the protocol by hand."""

    def __init__(self, socket: ClientConnection, token: str) -> None:
        """Use a connection and a token."""
        self.socket = socket
        self.token = token
        self.seen: list[Any] = []

    async def send(self, method: str, number: int, **params: object) -> None:
        """Send a request."""
        params = {"token": self.token, **params}
        await self.socket.send(json.dumps({"method": method, "params": params, "req_id": number}))

    async def until(self, fits: Callable[[Any], bool], seconds: float = WAIT_S) -> Any:  # noqa: ANN401 - JSON
        """Return the next message that fits, keeping all that came before."""
        async with asyncio.timeout(seconds):
            while True:
                message = json.loads(await self.socket.recv())
                self.seen.append(message)
                if fits(message):
                    return message

    async def answer(self, number: int, seconds: float = WAIT_S) -> Any:  # noqa: ANN401 - JSON
        """Return the answer to a request."""
        return await self.until(lambda message: message.get("req_id") == number, seconds)


@asynccontextmanager
async def caller(venue: PaperVenue) -> AsyncIterator[Caller]:
    """Connect by hand."""
    async with connect(venue.server.ws_url, close_timeout=0.5) as socket:
        yield Caller(socket, venue.server.keyring.issue(venue.key, venue.server.state.floor.now_ns))


def going_wrong(faults: str, work: Work) -> None:
    """Run some work against a venue with a plan of faults."""

    async def together() -> None:
        async with paper_venue(faults=faults) as venue, caller(venue) as one:
            await asyncio.wait_for(work(venue, one), WAIT_S)

    asyncio.run(together())


def executions(message: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell whether a message reports an order."""
    return bool(message.get("channel") == "executions" and message["type"] == "update")


def test_a_lost_answer_leaves_an_order() -> None:
    """Shows that the order lives although its answer never comes; fails when the fault also loses the order."""

    async def work(venue: PaperVenue, one: Caller) -> None:
        await one.send("subscribe", 1, channel="executions")
        await one.answer(1)
        await one.send("add_order", 2, **ORDER)
        await one.until(executions)
        with pytest.raises(TimeoutError):
            await one.answer(2, 0.5)
        assert len(venue.server.state.floor.open) == 1
        assert venue.server.faults.happened == {"lost_ack": 1}

    going_wrong("lost_ack=1000", work)


def test_a_ghost_is_an_order_that_was_disowned() -> None:
    """Shows that the venue can answer with an error and trade all the same; fails when it only refuses."""

    async def work(venue: PaperVenue, one: Caller) -> None:
        await one.send("subscribe", 1, channel="executions")
        await one.answer(1)
        await one.send("add_order", 2, **ORDER | {"order_type": "market", "limit_price": None})
        del one.seen[:]
        order = {name: value for name, value in ORDER.items() if name != "limit_price"} | {"order_type": "market"}
        await one.send("add_order", 3, **order)
        assert (await one.answer(3))["error"] == "EGeneral:Internal error"
        await one.until(lambda message: executions(message) and message["data"][0]["exec_type"] == "filled")
        assert venue.server.state.floor.account.lots["BTC/USD"] == 100_000

    going_wrong("ghost=1000", work)


def test_a_fill_can_come_before_its_answer() -> None:
    """Shows that executions can precede the answer to their request; fails when the order of events never varies."""

    async def work(_: PaperVenue, one: Caller) -> None:
        await one.send("subscribe", 1, channel="executions")
        await one.answer(1)
        await one.send("add_order", 2, **ORDER)
        await one.answer(2)
        assert [executions(message) for message in one.seen[-3:]] == [True, True, False]

    going_wrong("fill_first=1000", work)


def test_a_connection_can_break_after_an_order() -> None:
    """Shows that the request is carried out and the connection is gone; fails when breaking also undoes."""

    async def work(venue: PaperVenue, one: Caller) -> None:
        await one.send("add_order", 2, **ORDER)
        with pytest.raises(ConnectionClosed):
            await one.answer(2)
        assert len(venue.server.state.floor.open) == 1

    going_wrong("disconnect=1000", work)


def test_a_call_can_break_after_it_was_carried_out() -> None:
    """Shows the same over REST: no answer, and the order lives; fails when a lost answer means a lost order."""

    async def work(venue: PaperVenue, _: Caller) -> None:
        client = SpotAsyncClient(key=venue.key.key, secret=venue.secret, url=venue.server.url)
        order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "50000"}
        try:
            with pytest.raises(ClientError):
                raise AssertionError(await client.request("POST", "/0/private/AddOrder", params=order))
        finally:
            await client.close()
        assert len(venue.server.state.floor.open) == 1

    going_wrong("disconnect=1000", work)


@pytest.mark.parametrize("fault", ["drop", "duplicate", "reorder", "delay"])
def test_messages_can_be_lost_repeated_and_late(fault: str) -> None:
    """Shows that each fault of single messages happens and shows in the sequence; fails when one does nothing."""

    async def work(venue: PaperVenue, one: Caller) -> None:
        await one.send("subscribe", 1, channel="balances")
        await one.send("subscribe", 2, channel="executions")
        for number in range(10, 40):
            await one.send("add_order", number, **ORDER)
        await asyncio.sleep(1)
        venue.server.faults._chances.clear()
        await one.send("ping_is_no_method", 99)
        await one.until(lambda message: message.get("error") == "Unsupported event")
        found = [message["sequence"] for message in one.seen if executions(message)]
        expected = list(range(min(found), min(found) + len(found)))
        assert found != expected
        assert venue.server.faults.happened[fault] > 0

    going_wrong(f"{fault}=300", work)


def test_a_half_open_connection_is_silent() -> None:
    """Shows that after the fault nothing arrives and nothing is answered while the connection stands;
    fails when it is closed, which a client would notice.
    """

    async def work(_: PaperVenue, one: Caller) -> None:
        await one.send("subscribe", 1, channel="trade", symbol=["BTC/USD"])
        await one.answer(1)
        await asyncio.sleep(0.7)
        while True:
            try:
                async with asyncio.timeout(0.4):
                    await one.socket.recv()
            except TimeoutError:
                break
        await one.send("ping", 2)
        with pytest.raises(TimeoutError):
            await one.answer(2, 0.4)

    going_wrong("half_open@0.5", work)


def test_the_venue_announces_its_modes_and_storms_pass() -> None:
    """Shows scripted maintenance with its status messages, a storm of refusals, and tokens made worthless;
    fails when one does not begin, does not end, or is not announced.
    """

    async def work(_: PaperVenue, one: Caller) -> None:
        def status(message: Any) -> Any:  # noqa: ANN401 - JSON
            return message.get("channel") == "status" and message["data"][0]["system"]

        await one.until(lambda message: status(message) == "maintenance")
        await one.send("add_order", 1, **ORDER)
        assert (await one.answer(1))["error"] == "EService:Unavailable"
        await one.until(lambda message: status(message) == "online")
        await asyncio.sleep(0.4)
        await one.send("add_order", 2, **ORDER)
        assert (await one.answer(2))["error"] == "EService:Busy"
        await asyncio.sleep(0.5)
        await one.send("add_order", 3, **ORDER)
        assert (await one.answer(3))["success"]
        await asyncio.sleep(0.5)
        await one.send("add_order", 4, **ORDER)
        assert (await one.answer(4))["error"] == "ESession:Invalid session"

    going_wrong("maintenance@0.3+0.3,reject_storm@0.8+0.4,token_expiry@1.6", work)


def test_connections_and_frames_are_bounded() -> None:
    """Shows that one connection too many is closed, a frame too big ends its connection, and the others live on;
    fails when either is accepted or the venue falls over.
    """

    async def work() -> None:
        async with paper_venue() as venue, caller(venue) as one:
            await one.socket.send("x" * (FRAME_BYTES_MAX + 1))
            with pytest.raises(ConnectionClosed):
                await one.answer(1)
            streams = [await asyncio.open_connection(HOST, venue.server.port) for _ in range(CONNECTIONS_MAX)]
            async with asyncio.timeout(WAIT_S):
                reader, writer = await asyncio.open_connection(HOST, venue.server.port)
                assert await ended(reader)
            for _, each in [*streams, (reader, writer)]:
                each.close()

    asyncio.run(work())


async def ended(reader: asyncio.StreamReader) -> bool:
    """Tell whether a stream ends without a byte."""
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET /v2 HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
        b"GET /other HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 2 + b"\r\n",
        b"GET / HTTP/1.1\r\nx: " + b"y" * HEAD_BYTES_MAX,
    ],
)
def test_what_is_no_request_is_answered_and_closed(request_bytes: bytes) -> None:
    """Shows that a bad request gets a 400 and the end; fails when it hangs or is served."""

    async def work() -> bytes:
        async with paper_venue() as venue, asyncio.timeout(WAIT_S):
            reader, writer = await asyncio.open_connection(HOST, venue.server.port)
            writer.write(request_bytes)
            answer = await reader.read()
            writer.close()
            return answer

    assert asyncio.run(work()).startswith(b"HTTP/1.1 4")


def test_who_does_not_read_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shows that a client that follows everything and reads nothing is dropped, and the venue's memory with it;
    fails when what waits for it grows for ever.
    """
    monkeypatch.setattr("appliance.venues.simulator.kraken.connection.WRITE_BYTES_MAX", 200_000)

    async def work() -> None:
        async with paper_venue() as venue, caller(venue) as one:
            await one.send("subscribe", 1, channel="book", symbol=["BTC/USD", "ETH/USD"], depth=1000)
            one.socket.transport.pause_reading()
            async with asyncio.timeout(60):
                # Sending fails at last when the venue has dropped the connection.
                while venue.server._connections:
                    for symbol in ("BTC/USD", "ETH/USD"):
                        await one.send("unsubscribe", 2, channel="book", symbol=[symbol], depth=1000)
                        await one.send("subscribe", 3, channel="book", symbol=[symbol], depth=1000)
                    await asyncio.sleep(0)

    asyncio.run(work())


def test_a_slow_network_keeps_the_order() -> None:
    """Shows that a burst under way for differing times is taken and answered in the order it was sent;
    fails when messages due at one moment overtake each other.
    """

    async def together() -> None:
        async with paper_venue(latency_ms=20) as venue, caller(venue) as one:
            for number in range(1, BURST + 1):
                await one.send("ping", number)
            await one.answer(BURST)
            answered = [message["req_id"] for message in one.seen if "req_id" in message]
            assert answered == list(range(1, BURST + 1))

    asyncio.run(asyncio.wait_for(together(), WAIT_S))
