"""The market data connection against a venue that does what the test tells it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from websockets.exceptions import ConnectionClosed

from appliance.core.commands import SubscribeMarket
from appliance.core.events import FeedChanged, MarketFrame
from appliance.venues.kraken.endpoint import endpoint
from appliance.venues.kraken.feed import KrakenFeed
from appliance.venues.kraken.link import LinkLimits
from tests.integration.kraken.scripted import QUICK, Desk, Scripted, feed

pytestmark = pytest.mark.timeout(30)
Scene = Callable[[Scripted, Desk, KrakenFeed], Awaitable[None]]
BOOK = b'{"channel":"book","type":"update","data":[]}'


@contextlib.asynccontextmanager
async def running(shell: KrakenFeed) -> AsyncIterator[None]:
    """Run a shell beside the test."""
    task = asyncio.create_task(shell.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def play(scene: Scene, limits: LinkLimits = QUICK) -> None:
    """Play a scene with a connection that is up."""

    async def run() -> None:
        async with Scripted() as venue:
            desk = Desk()
            shell = feed(venue.websocket, desk, limits)
            async with running(shell):
                await desk.until(lambda: shell.connected)
                await scene(venue, desk, shell)

    asyncio.run(run())


def frames(desk: Desk) -> list[str]:
    """Return the frames the step was given."""
    return [event.text for event in desk.of(MarketFrame)]


def test_frames_arrive_as_they_came_and_answers_do_not() -> None:
    """Shows every byte of a channel's frame reaching the step; fails when one is changed or an answer slips in."""

    async def scene(venue: Scripted, desk: Desk, shell: KrakenFeed) -> None:
        shell.subscribe(SubscribeMarket(("BTC/USD",), trades=True))
        await venue.say(BOOK)
        await venue.say('{"channel":"é"}'.encode())
        await desk.until(lambda: len(frames(desk)) >= 3)
        status, book, odd = frames(desk)
        assert status.startswith('{"channel": "status"')
        assert (book.encode("latin-1"), odd.encode("latin-1")) == (BOOK, '{"channel":"é"}'.encode())

    play(scene)


def test_a_book_begun_anew_is_first_given_up() -> None:
    """Shows the requests of a first and a second subscription; fails when a snapshot would never come."""

    async def scene(venue: Scripted, desk: Desk, shell: KrakenFeed) -> None:
        shell.subscribe(SubscribeMarket(("BTC/USD", "ETH/USD"), trades=True))
        shell.subscribe(SubscribeMarket(("BTC/USD",), trades=False))
        await desk.until(lambda: len(venue.methods()) >= 5)
        told = [(each["method"], each["params"]["channel"], each["params"].get("symbol")) for each in venue.asked]
        assert [one for one in told if one[0] != "ping"] == [
            ("subscribe", "book", ["BTC/USD", "ETH/USD"]),
            ("subscribe", "trade", ["BTC/USD", "ETH/USD"]),
            ("subscribe", "instrument", None),
            ("unsubscribe", "book", ["BTC/USD"]),
            ("subscribe", "book", ["BTC/USD"]),
        ]
        # What was changed while nobody listened is only in the whole list.
        (terms,) = (each["params"] for each in venue.asked if each["params"].get("channel") == "instrument")
        assert terms["snapshot"] is True

    async def without_pings(venue: Scripted, desk: Desk, shell: KrakenFeed) -> None:
        await desk.until(lambda: any(each["method"] == "ping" for each in venue.asked))
        venue.asked.clear()
        await scene(venue, desk, shell)

    play(without_pings, LinkLimits(retry_cap_ms=50))


def test_a_refused_subscription_is_no_feed() -> None:
    """Shows that a subscription that fails gives the connection up; fails when it counted as a quiet market."""

    async def scene(venue: Scripted, desk: Desk, shell: KrakenFeed) -> None:
        venue.errors["subscribe"] = "Currency pair not supported"
        shell.subscribe(SubscribeMarket(("BTC/USD",), trades=False))
        await desk.until(lambda: len(desk.of(FeedChanged)) >= 3)
        assert "Currency pair not supported" in desk.of(FeedChanged)[1].reason

    play(scene)


@pytest.mark.parametrize("how", ["silent", "cut", "closed", "binary", "oversized", "flood"])
def test_a_connection_that_went_bad_is_replaced(how: str) -> None:
    """Shows each way a connection goes bad leading to a fresh one; fails when one of them is sat out."""

    async def scene(venue: Scripted, desk: Desk, _shell: KrakenFeed) -> None:
        connection = venue.connections[-1]
        match how:
            case "silent":
                venue.silent_methods.add("ping")
            case "cut":
                connection.transport.abort()
            case "closed":
                await connection.close()
            case "binary":
                await connection.send(b"\x00")
            case "oversized":
                with contextlib.suppress(ConnectionClosed):
                    await connection.send("x" * (5 << 20))
            case _:
                for _ in range(200):
                    await connection.send("{}")
        await desk.until(lambda: len(desk.of(FeedChanged)) >= 3)
        assert [change.connected for change in desk.of(FeedChanged)][:3] == [True, False, True]

    play(
        scene,
        LinkLimits(
            **{name: getattr(QUICK, name) for name in QUICK.__struct_fields__} | {"frames_per_second_max": 1_000}
        ),
    )


def test_a_venue_that_is_not_there_is_tried_with_growing_waits() -> None:
    """Shows that attempts do not come in a tight circle; fails when a dead venue is hammered."""

    async def run() -> None:
        desk = Desk()
        shell = feed(endpoint("ws://127.0.0.1:1/v2", plain_loopback=True), desk, LinkLimits())
        async with running(shell):
            await asyncio.sleep(0.8)
            assert 2 <= shell.attempts <= 6
            assert desk.events == []

    asyncio.run(run())
