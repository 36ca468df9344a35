"""Independent proof: python-kraken-sdk as released trades on the paper venue over WebSocket v2 and REST."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from kraken.exceptions import KrakenInsufficientFundsError
from kraken.spot import Market, SpotAsyncClient, SpotOrderBookClient, SpotWSClient

from tests.integration.venues.paper_venue import PaperVenue, paper_process, paper_venue

WAIT_S = 40.0
PAIR = "BTC/USD"
UPDATES = 60
Message = dict[str, Any]


class Told:
    """Collect what the client was told and wait for what it should be told."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.messages: list[Message] = []
        self._changed = asyncio.Event()

    async def take(self, message: Message) -> None:
        """Be the client's callback."""
        self.messages.append(message)
        self._changed.set()

    async def first(self, fits: Callable[[Message], bool]) -> Message:
        """Return the first message that fits, waiting for it."""
        while True:
            found = next((message for message in self.messages if fits(message)), None)
            if found is not None:
                return found
            self._changed.clear()
            await self._changed.wait()

    async def answer(self, number: int) -> Message:
        """Return the answer to a request."""
        return await self.first(lambda message: message.get("req_id") == number)

    async def snapshot(self, channel: str) -> Message:
        """Return the snapshot of a channel."""
        return await self.first(lambda message: (message.get("channel"), message.get("type")) == (channel, "snapshot"))

    async def execution(self, order_id: str, exec_type: str) -> Message:
        """Return the report of one step of an order."""

        def fits(message: Message) -> bool:
            return message.get("channel") == "executions" and any(
                (each["order_id"], each["exec_type"]) == (order_id, exec_type) for each in message["data"]
            )

        found = await self.first(fits)
        return next(each for each in found["data"] if (each["order_id"], each["exec_type"]) == (order_id, exec_type))


def test_the_sdk_trades_over_the_websocket() -> None:
    """Shows subscriptions, orders, amendments, cancels, batches, timer and balances through the client's own sockets;
    fails when a request of it is refused or a report does not arrive.
    """

    async def work(venue: PaperVenue) -> None:
        told = Told()
        base = venue.server.ws_url.removesuffix("/v2")
        client = SpotWSClient(
            key=venue.key.key,
            secret=venue.secret,
            callback=told.take,
            rest_url=venue.server.url,
            ws_url=base,
            auth_ws_url=base,
        )
        await client.start()
        try:
            await client.subscribe(params={"channel": "executions", "snap_orders": True})
            for name in ("balances", "instrument", "book", "trade", "ticker", "ohlc"):
                whole = name in {"balances", "instrument"}
                await client.subscribe(params={"channel": name} | ({} if whole else {"symbol": [PAIR]}))
                await told.snapshot(name)
            await trade(client, told)
        finally:
            await client.close()

    async def together() -> None:
        async with paper_venue() as venue:
            await asyncio.wait_for(work(venue), WAIT_S)

    asyncio.run(together())


async def trade(client: SpotWSClient, told: Told) -> None:
    """Go through the life of orders."""
    order = {"order_type": "limit", "side": "buy", "order_qty": 0.01, "symbol": PAIR, "limit_price": 50_000.5}
    placed = await ask(client, told, 1, "add_order", {**order, "cl_ord_id": "sdk-1"})
    resting = placed["result"]["order_id"]
    assert (await told.execution(resting, "pending_new"))["cl_ord_id"] == "sdk-1"
    await told.execution(resting, "new")
    again = await ask(client, told, 2, "add_order", {**order, "cl_ord_id": "sdk-1"})
    assert not again["success"]
    amended = await ask(client, told, 3, "amend_order", {"cl_ord_id": "sdk-1", "order_qty": 0.02})
    assert amended["result"]["order_id"] == resting
    assert (await told.execution(resting, "amended"))["order_qty"] == 0.02
    market = {"order_type": "market", "side": "buy", "order_qty": 0.01, "symbol": PAIR}
    bought = (await ask(client, told, 4, "add_order", market))["result"]["order_id"]
    filled = await told.execution(bought, "filled")
    assert filled["cum_qty"] == 0.01
    balance = await told.first(lambda message: message.get("channel") == "balances" and message["type"] == "update")
    assert {entry["asset"] for entry in balance["data"]} == {"BTC", "USD"}
    timer = await ask(client, told, 5, "cancel_all_orders_after", {"timeout": 60})
    assert timer["result"]["triggerTime"] > timer["result"]["currentTime"]
    assert (await ask(client, told, 6, "cancel_order", {"cl_ord_id": ["sdk-1"]}))["success"]
    assert (await told.execution(resting, "canceled"))["reason"] == "User requested"
    del order["symbol"]
    batch = await ask(client, told, 7, "batch_add", {"symbol": PAIR, "orders": [order, {**order, "order_qty": 0.02}]})
    assert all("order_id" in each for each in batch["result"])
    assert (await ask(client, told, 8, "cancel_all", {}))["result"]["count"] == 2


async def ask(client: SpotWSClient, told: Told, number: int, method: str, params: Message) -> Message:
    """Send a request through the client, which adds its token, and return the answer."""
    await client.send_message({"method": method, "params": params, "req_id": number})
    return await told.answer(number)


def test_the_sdk_trades_over_rest() -> None:
    """Shows signed calls of the client, and that it knows the refusals; fails when one is misread."""

    async def work() -> None:
        async with paper_venue() as venue:
            client = SpotAsyncClient(key=venue.key.key, secret=venue.secret, url=venue.server.url)
            try:
                await rest(client)
            finally:
                await client.close()

    asyncio.run(asyncio.wait_for(work(), WAIT_S))


async def rest(client: SpotAsyncClient) -> None:
    """Go through the private calls."""
    assert await call(client, "Balance") == {"ZUSD": "10000.0000000000", "XXBT": "0.00000000", "XETH": "0.00000000"}
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.01", "price": "50000"}
    [placed] = (await call(client, "AddOrder", **order))["txid"]
    assert list((await call(client, "OpenOrders"))["open"]) == [placed]
    assert "amend_id" in await call(client, "AmendOrder", txid=placed, order_qty="0.02")
    edited = await call(client, "EditOrder", txid=placed, pair="XBTUSD", volume="0.03", price="50001")
    assert edited["originaltxid"] == placed
    assert (await call(client, "CancelOrder", txid=edited["txid"])) == {"count": 1}
    await call(client, "AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.01")
    assert (await call(client, "TradesHistory"))["count"] >= 1
    closed = (await call(client, "ClosedOrders"))["closed"]
    assert closed[placed]["status"] == "canceled"
    assert (await call(client, "CancelAllOrdersAfter", timeout="60"))["triggerTime"]
    assert (await call(client, "CancelAll")) == {"count": 0}
    with pytest.raises(KrakenInsufficientFundsError):
        await call(client, "AddOrder", **order | {"volume": "10"})


async def call(client: SpotAsyncClient, method: str, **params: str) -> Any:  # noqa: ANN401 - as the client has it
    """Make a private call."""
    return await client.request("POST", f"/0/private/{method}", params=params)


def test_the_sdk_keeps_a_valid_book(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shows that the client's own order book, with its own checksum, agrees over many updates with a venue that runs
    as users start it; fails when one checksum differs.
    """

    class Books(SpotOrderBookClient):
        """Count the updates, all of which must leave a valid book."""

        updates = 0
        valid = True

        async def on_book_update(self, pair: str, message: Message) -> None:
            """Look at the book after an update."""
            kept = self.get(pair=pair)
            assert kept is not None
            type(self).updates += 1
            type(self).valid = self.valid and kept["valid"] and "error" not in message

    async def work() -> None:
        client = Books(depth=25)
        await client.start()
        try:
            await client.add_book(pairs=[PAIR])
            while Books.updates < UPDATES:  # noqa: ASYNC110 - the client counts by itself
                await asyncio.sleep(0.05)
        finally:
            await client.close()

    with paper_process("--speed", "5") as announced:
        # The book client makes its REST client by itself; the class is where its address can be set.
        monkeypatch.setattr(Market, "URL", announced["rest"])
        monkeypatch.setattr(SpotOrderBookClient, "WS_URL", announced["websocket"].removesuffix("/v2"))
        asyncio.run(asyncio.wait_for(work(), WAIT_S))
    assert Books.updates >= UPDATES
    assert Books.valid
