"""A week without a broker, in the time it takes to read it."""

import gc
import itertools
import tracemalloc

import msgspec
import pytest

from appliance.core.records import Row
from appliance.reporting.mqtt.desk import MqttDesk
from appliance.trading.records import AnyRecord, Equity, Mode
from tests.integration.reporting.loops import eventually
from tests.integration.reporting.mosquitto import Listener, Mosquitto, free_port, needs_mosquitto
from tests.integration.reporting.mqtt_parts import config_for, first_heard, publishing, run, sequences, trading
from tests.integration.reporting.scripted_trader import START_WALL_NS, note, row

pytestmark = needs_mosquitto
MINUTES = 7 * 24 * 60
STEP = 4
POINTS = MINUTES // STEP
ROWS_MAX = 1500
BATCH_MAX = 400
EQUITY = 10**14
GROWTH_BYTES_MAX = 3 << 18


def week() -> list[Row]:
    """Return a week's rows: the equity of every fourth minute, an order every twenty, a mode every three hours."""
    rows: list[Row] = []

    def add(record: AnyRecord, minute: int) -> None:
        rows.append(row(len(rows) + 1, record, START_WALL_NS + minute * 60 * 10**9))

    for minute in range(0, MINUTES, STEP):
        add(Equity(EQUITY + minute * 10**8, EQUITY, EQUITY + MINUTES * 10**8, EQUITY, minute // 1440), minute)
        if minute % 20 == 0:
            add(note(minute), minute)
        if minute % 180 == 0:
            add(Mode("NORMAL", "PAUSED", "a test", "test", 0, 0), minute)
    return rows


async def followed(desk: MqttDesk, sequence: int) -> None:
    """Wait until the journal was followed up to a row."""
    await eventually(lambda: desk.feeder.sequence == sequence)


def heard_last(listener: Listener) -> bytes:
    """Return the last summary heard."""
    return next((payload for topic, payload, _ in reversed(listener.messages) if "/summary/" in topic), b"")


def test_a_week_without_a_broker_loses_no_event_and_no_minute(tmp_path_factory: pytest.TempPathFactory) -> None:
    """After a week every order and mode arrives in order and every point of equity is in exactly one summary, while
    outbox and memory kept their bounds; wrong if an event were dropped, a point were counted twice or not at all, or
    memory grew with the outage.
    """
    folder = tmp_path_factory.mktemp("w")
    rows, port = week(), free_port()
    events = [one.sequence for one in rows if one.kind != "equity"]
    config = config_for(folder, f'broker = "mqtt://127.0.0.1:{port}"\noutbox_rows_max = {ROWS_MAX}\n')

    async def body() -> None:
        async with trading(folder, rows[:1]) as trader, publishing(config) as desk:
            await eventually(lambda: desk.outbox.count == 1)
            grown = []
            for part in range(4):
                for one in rows[len(trader.rows) : 1 + (part + 1) * len(rows) // 4]:
                    trader.rows.append(one)
                    trader.server.publish_row(one)
                await followed(desk, len(trader.rows))
                gc.collect()
                grown.append(tracemalloc.get_traced_memory()[0])
                assert desk.outbox.thinned_waiting <= ROWS_MAX // 10 + BATCH_MAX
            assert desk.outbox.count <= ROWS_MAX
            assert desk.outbox.thinned_count >= POINTS - ROWS_MAX // 10 - BATCH_MAX
            assert grown[3] - grown[1] < GROWTH_BYTES_MAX
            with Mosquitto(folder, port=port), Listener(port) as listener:
                await eventually(lambda: desk.outbox.count == 0)
                await eventually(lambda: len(sequences(listener)) >= len(events))
                assert first_heard(sequences(listener)) == events
                # What the broker has confirmed it may still be handing on.
                await eventually(lambda: b'"sequence":%d,' % len(rows) in heard_last(listener))
                summaries = [msgspec.json.decode(payload) for payload in listener.of("/summary/equity")]
                assert sum(one["count"] for one in summaries) == POINTS
                spans = [(one["sequence_first"], one["sequence"]) for one in summaries]
                assert all(before[1] < after[0] for before, after in itertools.pairwise(spans))
                assert max(one["equity_max"] for one in summaries) == (EQUITY + (MINUTES - STEP) * 10**8) / 10**10
                assert min(one["equity_min"] for one in summaries) == EQUITY / 10**10

    tracemalloc.start()
    try:
        run(body)
    finally:
        tracemalloc.stop()
