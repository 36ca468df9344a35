"""The reporter's side of the link against the real server, broken and restarted at will."""

import asyncio
import functools
import random
from pathlib import Path

import pytest

from appliance.core.clock import SystemClock
from appliance.core.records import Row
from appliance.engine.report_server import ReportLimits
from appliance.reporting.model import Model
from appliance.reporting.trader_link import TraderLink
from appliance.wire.link import encode
from tests.integration.reporting.loops import end, eventually, on_socket
from tests.integration.reporting.scripted_trader import ScriptedTrader, hello, note, telemetry


class Watched(Model):
    """Remember the sequence of every row that was taken as new."""

    def __init__(self) -> None:
        """Keep what a reporter keeps."""
        super().__init__(2000)
        self.taken: list[int] = []

    def take_row(self, row: Row) -> bool:
        """Take a row and remember it when it is new."""
        new = super().take_row(row)
        if new:
            self.taken.append(row.sequence)
        return new


def is_of(model: Model, tag: str) -> bool:
    """Return whether the model has been greeted by that journal."""
    return model.hello is not None and model.hello.journal_tag == tag


async def until(model: Model, sequence: int) -> None:
    """Wait until the model has that row."""
    await eventually(lambda: (model.last_sequence or 0) >= sequence)


@pytest.mark.parametrize("seed", range(3))
def test_restarts_of_the_trader_lose_and_double_no_row(seed: int) -> None:
    """Whenever the trader's side vanishes and returns, every row arrives once and in order; wrong if the reporter
    resumed from the wrong place or forgot what it had.
    """

    async def body(socket: Path) -> None:
        generator = random.Random(seed)
        model = Watched()
        link = asyncio.create_task(TraderLink(socket, model, SystemClock(), generator).run())
        rows: list[Row] = []
        for _ in range(6):
            trader = ScriptedTrader(socket, rows, ReportLimits(ring_rows_max=16))
            await trader.server.start()
            for _ in range(generator.randrange(1, 200)):
                trader.publish(note(0))
                if generator.random() < 0.1:
                    await asyncio.sleep(0.002)
            rows = trader.rows
            if generator.random() < 0.5:
                await until(model, len(rows))
            await trader.server.close()
        trader = ScriptedTrader(socket, rows)
        await trader.server.start()
        await until(model, len(rows))
        assert model.taken == list(range(1, len(rows) + 1))
        await end(link)
        await trader.server.close()

    on_socket(body)


def test_another_journal_replaces_the_old_one() -> None:
    """After a change of journal only the new one's rows are held; wrong if sequence numbers alone decided."""

    async def body(socket: Path) -> None:
        model = Watched()
        link = asyncio.create_task(TraderLink(socket, model, SystemClock(), random.Random(1)).run())
        for tag, count in (("old00", 30), ("new00", 40)):
            trader = ScriptedTrader(socket, tag=tag)
            await trader.server.start()
            for number in range(count):
                trader.publish(note(number))
            await eventually(functools.partial(is_of, model, tag))
            await until(model, count)
            await trader.server.close()
        assert model.taken == [*range(1, 31), *range(1, 41)]
        assert len(model.last_entries(2000)) == 40
        await end(link)

    on_socket(body)


@pytest.mark.parametrize(
    "said",
    [b"\xff" * 64, encode(telemetry()), encode(hello()) * 2, b"\x00\x00\x00\x09[1,2,3,4]"],
    ids=["garbage", "no hello", "two hellos", "no message of ours"],
)
def test_a_trader_that_speaks_wrongly_is_dropped_and_tried_again(said: bytes) -> None:
    """Garbage, frames out of order and a second hello end the connection, not the reporter; wrong if it crashed or
    took what came after.
    """

    async def body(socket: Path) -> None:
        calls = 0

        async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal calls
            calls += 1
            writer.write(said)
            await reader.read()
            writer.transport.abort()

        server = await asyncio.start_unix_server(speak, socket)
        model = Watched()
        link = asyncio.create_task(TraderLink(socket, model, SystemClock(), random.Random(1)).run())
        await eventually(lambda: calls >= 3)
        assert not link.done()
        assert model.telemetry is None
        assert model.taken == []
        await end(link)
        server.close()

    on_socket(body)
