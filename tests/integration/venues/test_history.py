"""What the paper venue remembers reaches the step as bars, over its own REST interface."""

import asyncio
import contextlib
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from appliance.core.clock import NANOSECONDS_PER_SECOND, Clock, SystemClock, VirtualClock
from appliance.core.commands import AskHistory
from appliance.core.events import AnyEvent, HistoryTold
from appliance.engine.model_bars import HISTORY_BARS, unsound
from appliance.venues.kraken.account import understood
from appliance.venues.kraken.endpoint import Endpoint, endpoint
from appliance.venues.kraken.history import KrakenHistory
from appliance.venues.kraken.keys import VenueKey
from appliance.venues.kraken.nonce import NonceCounter
from appliance.venues.kraken.rest import RestClient
from appliance.venues.simulator.kraken.keys import TRADE, drawn_key
from appliance.venues.simulator.kraken.paper import Pace, paper_floor, remember
from appliance.venues.simulator.kraken.server import KrakenServer
from appliance.wire.kraken import rest
from appliance.wire.kraken.names import Names
from appliance.wire.kraken.refusals import Refused

MARKET = "BTC/USD"
PACE = Pace(trade_interval_ns=200_000_000, open_ns=700 * NANOSECONDS_PER_SECOND)
LENGTH_S = 60 * 3_600
SYSTEM = SystemClock()


class Asked:
    """A history asker of a venue, and what it posted and said."""

    def __init__(
        self, place: Endpoint, folder: Path, names: Names, deadline_s: float = 20.0, clock: Clock = SYSTEM
    ) -> None:
        key = drawn_key("paper", TRADE)
        client = RestClient(place, VenueKey(key.key, key.private_key), NonceCounter(folder / "nonce", clock))
        self.posted: asyncio.Queue[AnyEvent] = asyncio.Queue()
        self.said: list[str] = []
        self.asker = KrakenHistory(client, names, clock, self.posted.put_nowait, self.said.append, deadline_s)

    async def told(self, *bar_s: int) -> list[HistoryTold]:
        """Ask for bars of these lengths, one after another."""
        task = asyncio.create_task(self.asker.run())
        found = []
        for length in bar_s:
            self.asker.ask(AskHistory(MARKET, length, HISTORY_BARS))
            event = await self.posted.get()
            assert isinstance(event, HistoryTold)
            found.append(event)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return found


def test_bars_of_every_length_are_told_and_trades_make_the_same_ones(tmp_path: Path) -> None:
    """Shows enough five-minute bars to be warm, and that bars made of trades are those the venue keeps itself, to the
    tick and the lot; fails when a page of trades is lost or doubled, or an open bar is told.
    """

    async def ask() -> tuple[list[HistoryTold], list[str], list[tuple[int, int]], Counter[int]]:
        # A market whose clock stands still: what is told first and last is then of the same moment.
        clock = VirtualClock(10**15, 1_767_225_600 * 10**9 + 200_000_000)
        server = KrakenServer(paper_floor(clock, pace=PACE), clock, [drawn_key("paper", TRADE)])
        remember(server.state, seed=1, length_s=LENGTH_S, pace=PACE)
        server.state.drain()
        await server.start()
        answered: dict[str, rest.PairInfo] | rest.Failed | Refused = rest.result(
            rest.PAIRS, await _client(server, tmp_path).public("AssetPairs")
        )
        found = understood(answered, "AssetPairs")
        asked = Asked(endpoint(server.url, plain_loopback=True), tmp_path, Names(found, [MARKET]), clock=clock)
        told = await asked.told(300, 60, 1)
        kept = [(bar.begin_ns // NANOSECONDS_PER_SECOND, bar.close_ticks) for bar in server.state.tapes[MARKET].bars[1]]
        lots: Counter[int] = Counter()
        for each in server.state.tapes[MARKET].recent:
            lots[each.venue_ns // NANOSECONDS_PER_SECOND] += each.size_lots
        await server.close()
        return told, asked.said, kept, lots

    (five, one, single), said, kept, lots = asyncio.run(ask())
    assert not any(event.problem or unsound(event, event.bar_s) for event in (five, one, single))
    assert len(five.bars) >= HISTORY_BARS
    starts = [bar[0] for bar in five.bars]
    assert starts == list(range(starts[0], five.until_s, 300))
    assert [(bar[0], bar[4]) for bar in one.bars] == kept[:-1]
    assert {bar[0]: bar[5] for bar in single.bars} == {bar[0]: lots[bar[0]] for bar in single.bars}
    minutes = {bar[0]: bar[1:] for bar in one.bars}
    whole = [start for start in minutes if single.bars[0][0] <= start and start + 60 <= single.until_s]
    assert len(whole) >= 7
    for start in whole:
        inside = [bar for bar in single.bars if start <= bar[0] < start + 60]
        joined = (inside[0][1], max(bar[2] for bar in inside), min(bar[3] for bar in inside), inside[-1][4])
        assert (*joined, sum(bar[5] for bar in inside)) == minutes[start]
    assert any("bars of 300 s from the venue" in line for line in said)


def test_a_venue_that_does_not_answer_is_told_as_that_and_said_once(tmp_path: Path) -> None:
    """Shows a refused connection and a silent one as an answer with its reason within the limit; fails when the models
    wait for ever or a failure goes unsaid.
    """

    async def ask() -> tuple[list[HistoryTold], list[str]]:
        async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                await reader.read()
            writer.close()

        server = await asyncio.start_server(silence, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        silent = Asked(endpoint(f"http://127.0.0.1:{port}", plain_loopback=True), tmp_path, _names(), deadline_s=0.2)
        told = await silent.told(300, 300)
        server.close()
        closed = Asked(endpoint("http://127.0.0.1:9", plain_loopback=True), tmp_path, _names())
        return [*told, *await closed.told(300)], silent.said + closed.said

    told, said = asyncio.run(ask())
    assert [event.bars for event in told] == [(), (), ()]
    assert [event.problem for event in told[:2]] == ["no history within 0.2 s"] * 2
    assert "cannot be reached" in told[2].problem
    assert len(said) == 2
    assert said[0].startswith(f"models: {MARKET}: cold, without history: ")


@pytest.mark.parametrize(
    "answer",
    [
        b'{"error":["EQuery:Unknown asset pair"]}',
        b'{"error":[],"result":{"XXBTZUSD":[[300,"1","2"]],"last":300}}',
        b'{"error":[],"result":{"XXBTZUSD":[[300,"1.05","2","1","1","1","1",1],[600,"1","1","1","1","1","1",1]],"last":300}}',
        b'{"error":[],"result":{"XXBTZUSD":[[300,"NaN","2","1","1","1","1",1],[600,"1","1","1","1","1","1",1]],"last":300}}',
        b"<html>",
    ],
)
def test_an_answer_that_is_none_is_a_reason_and_no_bar(answer: bytes, tmp_path: Path) -> None:
    """Shows errors, other shapes, prices off the grid or not numbers, and no JSON as reasons; fails when part of such
    an answer becomes bars.
    """

    async def ask() -> list[HistoryTold]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        place = endpoint(f"http://127.0.0.1:{port}", plain_loopback=True)
        told = await Asked(place, tmp_path, _names()).told(300)
        server.close()
        return told

    [told] = asyncio.run(ask())
    assert told.bars == ()
    assert told.problem


def _client(server: KrakenServer, folder: Path) -> RestClient:
    key, place = drawn_key("paper", TRADE), endpoint(server.url, plain_loopback=True)
    return RestClient(place, VenueKey(key.key, key.private_key), NonceCounter(folder / "nonce", SystemClock()))


def _names() -> Names:
    fees = ((Decimal(0), Decimal("0.26")),)
    pair = rest.PairInfo("XBTUSD", "XBT/USD", "XXBT", "ZUSD", 1, 8, Decimal("0.0001"), Decimal("0.1"), fees)
    return Names({"XXBTZUSD": pair}, [MARKET])
