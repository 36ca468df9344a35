"""Rows from a real report server through the outbox to a real mosquitto, whatever happens to the connections."""

import asyncio
import time
from pathlib import Path

import msgspec
import pytest

from appliance.core.config import Config
from appliance.reporting.mqtt.desk import MqttDesk
from tests.integration.reporting.loops import eventually
from tests.integration.reporting.mosquitto import Listener, Mosquitto, free_port, needs_mosquitto
from tests.integration.reporting.mqtt_parts import config_for, first_heard, notes, publishing, run, sequences, trading
from tests.integration.reporting.proxy import Mode, Proxy
from tests.integration.reporting.scripted_trader import note, telemetry

pytestmark = needs_mosquitto


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a path short enough for a socket."""
    return tmp_path_factory.mktemp("q")


def at(folder: Path, port: int, more: str = "") -> Config:
    """Return a configuration for a broker at a port."""
    return config_for(folder, f'broker = "mqtt://127.0.0.1:{port}"\n{more}')


async def heard_up_to(listener: Listener, sequence: int) -> None:
    """Wait until a listener has heard a row."""
    await eventually(lambda: sequences(listener)[-1:] == [sequence])


async def waiting(desk: MqttDesk, count: int) -> None:
    """Wait until so many rows are in the outbox."""
    await eventually(lambda: desk.outbox.count == count)


async def confirmed(desk: MqttDesk, count: int) -> None:
    """Wait until the broker has confirmed more than so many messages."""
    await eventually(lambda: desk.publisher.counters.confirmed > count)


def test_rows_arrive_in_order_and_late_listeners_find_the_present(folder: Path) -> None:
    """Sixty rows come once and in order, state, birth and availability stay for who comes later, an end in good order
    says offline, and nothing was ever subscribed to; wrong if rows were lost or mixed, or what should stay was gone.
    """

    async def body() -> None:
        with Mosquitto(folder) as broker, Listener(broker.port) as early:
            async with trading(folder, notes(40)) as trader, publishing(at(folder, broker.port)) as desk:
                for number in range(41, 61):
                    trader.publish(note(number))
                trader.server.publish_telemetry(telemetry(time.time_ns()))
                await eventually(lambda: len(sequences(early)) >= 60 and desk.outbox.count == 0)
                assert sequences(early) == list(range(1, 61))
                await eventually(lambda: any(b'"equity":10000' in one for one in early.of("/state")))
                with Listener(broker.port) as late:
                    await eventually(lambda: late.of("/state") and late.of("/birth") and late.of("/availability"))
                    assert late.of("/availability") == [b"online"]
                    assert all(retained for _, _, retained in late.messages)
                    assert msgspec.json.decode(late.of("/birth")[0])["journal"] == "abc12"
                    assert msgspec.json.decode(late.of("/state")[0])["mode"] == "NORMAL"
                    assert len(late.of("/config")) >= 14
                assert early.of("/event/")[0].startswith(b'{"device":"bot4-demo","v":1,')
            await eventually(lambda: early.of("/availability")[-1] == b"offline")
            assert "Received SUBSCRIBE from bot4-" not in broker.log

    run(body)


def test_a_broker_that_was_killed_misses_nothing(folder: Path) -> None:
    """Rows made while the broker is dead arrive after its return; wrong if one were lost or came out of order."""

    async def body() -> None:
        broker = Mosquitto(folder)
        async with trading(folder, notes(30)) as trader, publishing(at(folder, broker.port)) as desk:
            heard: list[int] = []
            for more in (25, 50, 0):
                with broker, Listener(broker.port) as listener:
                    await heard_up_to(listener, len(trader.rows))
                    await eventually(lambda: desk.outbox.count == 0)
                    heard += sequences(listener)
                known = len(trader.rows)
                for _ in range(more):
                    trader.publish(note(len(trader.rows)))
                await waiting(desk, len(trader.rows) - known)
            assert first_heard(heard) == list(range(1, max(heard) + 1))
            assert desk.publisher.counters.connections == 3

    run(body)


def test_cuts_in_the_middle_of_sending_lose_nothing(folder: Path) -> None:
    """Connections reset ten times while 2,500 rows are on their way: all arrive, first copies in order, and the
    broken connections leave their will behind; wrong if an unconfirmed row were forgotten or overtaken.
    """

    async def body() -> None:
        with Mosquitto(folder) as broker, Listener(broker.port) as listener, Proxy(broker.port) as proxy:
            async with trading(folder, notes(500)) as trader, publishing(at(folder, proxy.port)) as desk:
                for number in range(10):
                    for _ in range(200):
                        trader.publish(note(len(trader.rows)))
                    await confirmed(desk, 60 * (number + 1))
                    proxy.cut()
                await eventually(lambda: desk.outbox.count == 0 and set(sequences(listener)) == set(range(1, 2501)))
                assert first_heard(sequences(listener)) == list(range(1, 2501))
                assert desk.publisher.counters.connections >= 5
                assert b"offline" in listener.of("/availability")

    run(body)


def test_a_half_open_connection_is_given_up(folder: Path) -> None:
    """A connection that carries nothing and does not break is replaced within its keep-alive, and what waited arrives;
    wrong if the publisher trusted a dead line.
    """

    async def body() -> None:
        with Mosquitto(folder) as broker, Listener(broker.port) as listener, Proxy(broker.port) as proxy:
            config = at(folder, proxy.port, "keepalive_s = 5")
            async with trading(folder, notes(5)) as trader, publishing(config) as desk:
                await eventually(lambda: len(sequences(listener)) >= 5)
                proxy.hold()
                for number in range(6, 26):
                    trader.publish(note(number))
                await eventually(lambda: desk.publisher.counters.connections == 2)
                await eventually(lambda: set(sequences(listener)) == set(range(1, 26)) and desk.outbox.count == 0)

    run(body)


def test_a_row_without_confirmation_comes_again_and_is_known_by_its_name(folder: Path) -> None:
    """Rows whose confirmations were lost come twice with the same (device, journal, sequence); wrong if they were taken
    for delivered, or came under a new name.
    """

    async def body() -> None:
        with Mosquitto(folder) as broker, Listener(broker.port) as listener, Proxy(broker.port) as proxy:
            async with trading(folder) as trader, publishing(at(folder, proxy.port)) as desk:
                await confirmed(desk, 16)  # the announcements are through, so all of the window is free
                proxy.mode = Mode.NO_CONFIRMATIONS
                for number in range(1, 9):
                    trader.publish(note(number))
                await eventually(lambda: len(sequences(listener)) == 8)
                assert desk.outbox.count == 8
                proxy.mode = Mode.PASS
                proxy.cut()
                await eventually(lambda: desk.outbox.count == 0 and len(sequences(listener)) >= 16)
                names = [
                    (event["device"], event["journal"], event["sequence"])
                    for event in map(msgspec.json.decode, listener.of("/event/"))
                ]
                assert len(names) == 16
                assert len(set(names)) == 8

    run(body)


def test_a_broker_of_the_old_version_is_spoken_to(folder: Path) -> None:
    """A broker that hangs up on MQTT 5 gets 3.1.1; wrong if the publisher insisted."""

    async def body() -> None:
        with (
            Mosquitto(folder) as broker,
            Listener(broker.port) as listener,
            Proxy(broker.port, refuse_v5=True) as proxy,
        ):
            async with trading(folder, notes(5)), publishing(at(folder, proxy.port)):
                await eventually(lambda: sequences(listener) == [1, 2, 3, 4, 5])
                assert proxy.refused == 1
                assert "as bot4-bot4-demo (p2," in broker.log

    run(body)


def test_a_full_outbox_leaves_the_rest_with_the_trader(folder: Path) -> None:
    """Without a broker the outbox stops at its bound, the trader publishes on at once, and later everything arrives in
    order; wrong if the outbox grew, rows were dropped, or publishing had to wait.
    """

    async def body() -> None:
        port = free_port()
        config = at(folder, port, "outbox_rows_max = 100")
        async with trading(folder, notes(500)) as trader, publishing(config) as desk:
            await eventually(lambda: desk.feeder.full_waits > 0)
            bound = desk.outbox.count
            started_s = time.monotonic()
            for _ in range(500):
                trader.publish(note(len(trader.rows)))
            assert time.monotonic() - started_s < 5
            await asyncio.sleep(0.3)
            assert desk.outbox.count == bound < 1000
            with Mosquitto(folder, port=port) as broker, Listener(broker.port) as listener:
                await heard_up_to(listener, 1000)
                assert first_heard(sequences(listener)) == list(range(1, 1001))

    run(body)


def test_a_reporter_that_died_goes_on_where_it_was(folder: Path) -> None:
    """What one reporter stored, the next one sends, and takes up the journal behind it; wrong if rows were missing,
    stored twice or refused.
    """

    async def body() -> None:
        port = free_port()
        async with trading(folder, notes(50)) as trader:
            async with publishing(at(folder, port)) as desk:
                await eventually(lambda: desk.outbox.count == 50)
            for number in range(51, 81):
                trader.publish(note(number))
            with Mosquitto(folder, port=port) as broker, Listener(broker.port) as listener:
                async with publishing(at(folder, port)) as desk:
                    await eventually(lambda: len(sequences(listener)) >= 80 and desk.outbox.count == 0)
                    assert sequences(listener) == list(range(1, 81))

    run(body)
