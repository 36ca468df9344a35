"""Independent proof: ccxt as released trades on the paper venue, over REST and WebSocket; only its addresses change."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import ccxt
import ccxt.pro
import pytest

from tests.integration.venues.paper_venue import PaperVenue, paper_venue

WAIT_S = 60.0
PAIR = "BTC/USD"
# ccxt publishes no types.
Client = Any
# Prices of this pair are far above any size of it, so a number's digits tell which of the two it is.
PRICE_MIN = 1_000


class Digits(float):
    """Be ccxt's type of number (a setting of its) that keeps the digits its checksum is computed over.

    Its WebSocket client parses numbers as floats, which drops trailing zeros.
    """

    __slots__ = ()

    def split(self, separator: str) -> list[str]:
        """Return the whole and the fractional digits as the venue writes them."""
        return f"{self:.{1 if self >= PRICE_MIN else 8}f}".split(separator)


@asynccontextmanager
async def client(venue: PaperVenue, *, private: bool = True) -> AsyncIterator[Client]:
    """Point ccxt at a venue, its own checksum verification on."""
    keys = {"apiKey": venue.key.key, "secret": venue.secret} if private else {}
    exchange = ccxt.pro.kraken({"enableRateLimit": False, "options": {"watchOrderBook": {"checksum": True}}, **keys})
    exchange.urls["api"] |= {"public": venue.server.url, "private": venue.server.url}
    exchange.urls["api"]["ws"] |= dict.fromkeys(("publicV2", "privateV2"), venue.server.ws_url)
    exchange.number = Digits
    try:
        yield exchange
    finally:
        await exchange.close()


def trading(work: Callable[[Client, PaperVenue], Awaitable[None]]) -> None:
    """Run some work of a client against a venue."""

    async def together() -> None:
        async with paper_venue(latency_ms=3) as venue, client(venue) as exchange:
            await asyncio.wait_for(work(exchange, venue), WAIT_S)

    asyncio.run(together())


def test_ccxt_reads_the_market() -> None:
    """Shows markets, time, status, book, ticker, trades and bars over REST; fails when ccxt cannot parse one."""

    async def work(exchange: Client, _: PaperVenue) -> None:
        markets = await exchange.load_markets()
        assert set(markets) == {"BTC/USD", "ETH/USD"}
        assert markets[PAIR]["limits"]["amount"]["min"] == 0.0001
        assert (markets[PAIR]["precision"]["price"], markets[PAIR]["precision"]["amount"]) == (0.1, 1e-8)
        assert abs(await exchange.fetch_time() - exchange.milliseconds()) < 5_000
        assert (await exchange.fetch_status())["status"] == "ok"
        book = await exchange.fetch_order_book(PAIR, 25)
        assert len(book["asks"]) == len(book["bids"]) == 25
        assert book["bids"][0][0] < book["asks"][0][0]
        ticker = await exchange.fetch_ticker(PAIR)
        assert ticker["low"] <= ticker["last"] <= ticker["high"]
        assert await exchange.fetch_trades(PAIR)
        assert await exchange.fetch_ohlcv(PAIR, "1m")

    trading(work)


def test_ccxt_watches_the_market_and_its_checksums_hold() -> None:
    """Shows sixty book updates that ccxt itself verifies, and trades, ticker and bars;
    fails when one checksum differs, or a book is not what the updates say.
    """

    async def work(exchange: Client, _: PaperVenue) -> None:
        for _update in range(60):
            book = await exchange.watch_order_book(PAIR, 10)
            assert book["bids"][0][0] < book["asks"][0][0]
            assert len(book["bids"]) == len(book["asks"]) == 10
        trades = await exchange.watch_trades(PAIR)
        assert trades[-1]["amount"] > 0
        assert (await exchange.watch_ticker(PAIR))["bid"] > 0
        assert await exchange.watch_ohlcv(PAIR, "1m")

    trading(work)


def test_ccxt_sees_a_corrupted_checksum() -> None:
    """Shows that the verification above bites; fails when ccxt would have believed any book."""

    async def watch() -> None:
        async with paper_venue(faults="corrupt=1000") as venue, client(venue, private=False) as exchange:
            await asyncio.wait_for(exchange.watch_order_book(PAIR, 10), WAIT_S)

    with pytest.raises(ccxt.ChecksumError):
        asyncio.run(watch())


def test_ccxt_places_amends_and_cancels_over_rest() -> None:
    """Shows the life of resting orders as ccxt reads it; fails when one of its calls is refused or misread."""

    async def work(exchange: Client, _: PaperVenue) -> None:
        placed = await exchange.create_order(PAIR, "limit", "buy", 0.01, 50_000, {"clientOrderId": "rest-1"})
        found = await exchange.fetch_order(placed["id"])
        assert (found["status"], found["amount"], found["price"]) == ("open", 0.01, 50_000)
        await exchange.edit_order(placed["id"], PAIR, "limit", "buy", 0.02, 50_500)
        [order] = await exchange.fetch_open_orders(PAIR)
        assert (order["id"], order["amount"], order["price"]) == (placed["id"], 0.02, 50_500)
        held = await exchange.fetch_balance()
        assert held["USD"]["used"] == pytest.approx(0.02 * 50_500 * 1.0026)
        await exchange.cancel_order(placed["id"])
        assert await exchange.fetch_open_orders(PAIR) == []
        assert (await exchange.fetch_order(placed["id"]))["status"] == "canceled"
        with pytest.raises(ccxt.OrderNotFound):
            await exchange.cancel_order(placed["id"])

    trading(work)


def test_ccxt_buys_sells_and_reads_its_trades() -> None:
    """Shows market orders, executions, balances and fees; fails when ccxt's own sums differ from the venue's."""

    async def work(exchange: Client, _: PaperVenue) -> None:
        before = (await exchange.fetch_balance())["USD"]["total"]
        await exchange.create_order(PAIR, "market", "buy", 0.05)
        await exchange.create_order(PAIR, "market", "sell", 0.02)
        trades = await exchange.fetch_my_trades(PAIR)
        bought = sum(trade["amount"] for trade in trades if trade["side"] == "buy")
        sold = sum(trade["amount"] for trade in trades if trade["side"] == "sell")
        assert (round(bought, 8), round(sold, 8)) == (0.05, 0.02)
        signed = {"buy": -1, "sell": 1}
        change = sum(signed[trade["side"]] * trade["cost"] - trade["fee"]["cost"] for trade in trades)
        balance = await exchange.fetch_balance()
        assert balance["USD"]["total"] == pytest.approx(before + change, abs=1e-6)
        assert balance["BTC"]["total"] == pytest.approx(0.03)
        assert all(order["status"] == "closed" for order in await exchange.fetch_closed_orders(PAIR))

    trading(work)


def test_ccxt_trades_over_the_websocket() -> None:
    """Shows that ccxt places, amends and cancels over WebSocket and is told of orders, trades and balances there;
    fails when a request is refused or an update does not reach it.
    """

    async def work(exchange: Client, _: PaperVenue) -> None:
        assert (await exchange.watch_balance())["USD"]["total"] == 10_000
        orders = asyncio.ensure_future(exchange.watch_orders())
        placed = await exchange.create_order_ws(PAIR, "limit", "buy", 0.01, 50_000)
        assert placed["id"] in {order["id"] for order in await orders}
        await exchange.edit_order_ws(placed["id"], PAIR, "limit", "buy", 0.02, 50_100)
        [resting] = await exchange.fetch_open_orders(PAIR)
        assert (resting["amount"], resting["price"]) == (0.02, 50_100)
        await exchange.cancel_order_ws(placed["id"])
        trades = asyncio.ensure_future(exchange.watch_my_trades(PAIR))
        balance = asyncio.ensure_future(exchange.watch_balance())
        # Both wait for the next message of a channel that is followed already; they have to stand before it comes.
        await asyncio.sleep(0.1)
        bought = await exchange.create_order_ws(PAIR, "market", "buy", 0.01)
        assert {trade["order"] for trade in await trades} == {bought["id"]}
        assert (await balance)["BTC"]["total"] == pytest.approx(0.01)

    trading(work)


def test_ccxt_arms_the_timer_and_cancels_everything() -> None:
    """Shows stop orders, the dead-man timer and cancel-all; fails when something stays open that should not."""

    async def work(exchange: Client, venue: PaperVenue) -> None:
        await exchange.create_order(PAIR, "market", "buy", 0.02)
        await exchange.create_order(PAIR, "market", "sell", 0.01, None, {"stopLossPrice": 40_000})
        await exchange.create_order(PAIR, "limit", "sell", 0.01, 90_000)
        answer = await exchange.cancel_all_orders_after(60_000)
        assert answer["result"]["triggerTime"] > answer["result"]["currentTime"]
        assert venue.server.state.floor.dead_man_due_ns is not None
        assert len(await exchange.fetch_open_orders()) == 2
        await exchange.cancel_all_orders()
        assert await exchange.fetch_open_orders() == []
        await exchange.create_order(PAIR, "limit", "sell", 0.01, 90_000)
        await exchange.cancel_all_orders_after(1_000)
        await asyncio.sleep(1.5)
        assert await exchange.fetch_open_orders() == []

    trading(work)


@pytest.mark.parametrize(
    ("order", "error"),
    [
        ((PAIR, "limit", "buy", 1.0, 64_000), ccxt.InsufficientFunds),
        ((PAIR, "market", "sell", 0.01), ccxt.InsufficientFunds),
        ((PAIR, "limit", "buy", 0.00001, 64_000), ccxt.InvalidOrder),
    ],
)
def test_ccxt_understands_refusals(order: tuple[Any, ...], error: type[Exception]) -> None:
    """Shows that refusals are spelled so that ccxt knows them; fails when it takes one for something else."""

    async def work(exchange: Client, _: PaperVenue) -> None:
        with pytest.raises(error):
            await exchange.create_order(*order)

    trading(work)


def test_a_wrong_secret_is_refused() -> None:
    """Shows that a signature made with another key opens nothing; fails when the venue does not verify it."""

    async def work(exchange: Client, _: PaperVenue) -> None:
        exchange.secret = "A" * 86 + "=="
        with pytest.raises(ccxt.ExchangeError, match="Invalid signature"):
            await exchange.fetch_balance()

    trading(work)
