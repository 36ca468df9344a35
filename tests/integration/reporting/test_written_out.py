"""The last word of a stop: all that was published has left before it goes on, and a stuck reporter is waited for."""

import asyncio
from pathlib import Path

import pytest

from appliance.engine.report_server import ReportLimits
from appliance.wire.report import Telemetry
from tests.integration.reporting.loops import on_socket
from tests.integration.reporting.scripted_trader import ScriptedTrader, note, telemetry
from tests.integration.reporting.test_report_server import Subscriber


def test_nobody_is_waited_for_when_nobody_listens() -> None:
    """Shows that it returns at once without a reporter; fails when a stop waits for one that is not there."""

    async def body(path: Path) -> None:
        trader = ScriptedTrader(path, ())
        await trader.server.start()
        trader.server.publish_telemetry(telemetry())
        assert await trader.server.written_out() == 0
        await trader.server.close()

    on_socket(body)


def test_rows_and_the_latest_telemetry_have_left_when_it_returns() -> None:
    """Shows that all rows and a second telemetry within the usual interval are with the reporter at once; fails when
    the final state waits for its turn, or rows still lie in the ring.
    """

    async def body(path: Path) -> None:
        trader = ScriptedTrader(path, (), ReportLimits(telemetry_interval_s=60.0))
        await trader.server.start()
        reporter = await Subscriber.connect(path, 1)
        trader.server.publish_telemetry(telemetry())
        assert isinstance(await reporter.frame(), Telemetry)
        for number in range(1, 301):
            trader.publish(note(number))
        trader.server.publish_telemetry(telemetry())
        async with asyncio.timeout(5):
            assert await trader.server.written_out() == 1
        assert trader.server.counters.rows_sent == 300
        frames = [await reporter.frame() for _ in range(301)]
        assert sum(isinstance(frame, Telemetry) for frame in frames) == 1
        await reporter.close()
        await trader.server.close()

    on_socket(body)


def test_a_reporter_that_takes_nothing_is_not_called_written_out() -> None:
    """Shows that it does not return while a reporter's socket is full, so that the caller's deadline decides; fails
    when what lies in a buffer counts as written.
    """

    async def body(path: Path) -> None:
        trader = ScriptedTrader(path, (), ReportLimits(socket_bytes_max=4096, send_s_max=30.0))
        await trader.server.start()
        stuck = await Subscriber.connect(path, 1)
        await asyncio.sleep(0.05)
        stuck.reader._transport.pause_reading()  # type: ignore[attr-defined]
        for number in range(1, 8001):
            trader.publish(note(number))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await trader.server.written_out()
        await stuck.close()
        await trader.server.close()

    on_socket(body)
