"""The two ends of a link in one process, where the other end can be made to misbehave."""

import asyncio
import random
import socket
from pathlib import Path

import pytest

from appliance.core.clock import SystemClock, VirtualClock
from appliance.core.errors import InvariantBroken
from appliance.core.events import AnyEvent
from appliance.venues.client import VenueFeed
from appliance.venues.simulator.exchange import Exchange
from appliance.venues.simulator.instruments import BUILT_IN
from appliance.venues.simulator.server import CLIENTS_MAX, VenueServer, listen

WAIT_S = 10.0


def test_a_broken_invariant_ends_the_venue(tmp_path: Path) -> None:
    """Shows that the server stops with the reason and removes its socket when its clock goes back;
    fails when the event loop swallows the error and a wrong exchange trades on.
    """
    clock = VirtualClock(monotonic_ns=5)
    exchange = Exchange(BUILT_IN, 1, 0, start_ns=10)
    path = tmp_path / "venue.sock"
    with pytest.raises(InvariantBroken, match="cannot go back"):
        asyncio.run(asyncio.wait_for(VenueServer(exchange, clock).serve(path, lambda: None), WAIT_S))
    assert not path.exists()


def test_an_invariant_that_breaks_later_ends_it_too(tmp_path: Path) -> None:
    """Shows the same when it breaks in a timer, after the start; fails when only the first tick is guarded."""
    clock = VirtualClock(monotonic_ns=10)
    exchange = Exchange(BUILT_IN, 1, 0, start_ns=10)

    def break_it() -> None:
        exchange.advance(20)

    with pytest.raises(InvariantBroken, match="cannot go back"):
        asyncio.run(asyncio.wait_for(VenueServer(exchange, clock).serve(tmp_path / "v", break_it), WAIT_S))


def test_connections_are_bounded(tmp_path: Path) -> None:
    """Shows that one connection more than the limit is closed and the others are not; fails when all are let in."""
    path = tmp_path / "venue.sock"
    clock = SystemClock()
    exchange = Exchange(BUILT_IN, 1, 0, start_ns=clock.monotonic_ns())

    async def count_closed() -> int:
        listening = asyncio.Event()
        task = asyncio.create_task(VenueServer(exchange, clock).serve(path, listening.set))
        await listening.wait()
        streams = [await asyncio.open_unix_connection(str(path)) for _ in range(CLIENTS_MAX + 1)]
        done, _ = await asyncio.wait(
            [asyncio.create_task(reader.read()) for reader, _ in streams], return_when=asyncio.FIRST_COMPLETED
        )
        for _, writer in streams:
            writer.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return len(done)

    assert asyncio.run(count_closed()) == 1


def test_a_venue_that_hangs_up_at_once_is_not_hammered(tmp_path: Path) -> None:
    """Shows that attempts grow apart although every one of them connects; fails when connecting alone counts as
    success and the first wait is used for ever.
    """
    path = tmp_path / "venue.sock"

    async def attempts() -> int:
        server = await asyncio.start_unix_server(lambda _, writer: writer.close(), sock=listen(path))
        posted: list[AnyEvent] = []
        feed = VenueFeed(path, posted.append, random.Random(1))
        task = asyncio.create_task(feed.run())
        await asyncio.sleep(2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        server.close()
        assert posted == []
        return feed.attempts

    assert 3 <= asyncio.run(attempts()) <= 6


def test_a_dead_venues_socket_is_replaced(tmp_path: Path) -> None:
    """Shows that a path nobody listens on any more can be used again; fails when a crash needs a person to clean up."""
    path = tmp_path / "venue.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
    listen(path).close()
