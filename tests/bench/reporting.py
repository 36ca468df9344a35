"""What reporting costs: one record on the hot path, draining the outbox, and a broker with a thousand appliances."""

import asyncio
import contextlib
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from prometheus_client import CollectorRegistry, Counter

from appliance.core.settings.machine import Mqtt
from appliance.engine.measures import Doublings
from appliance.reporting.monitor.fleet import Fleet
from appliance.reporting.monitor.listening import Ear
from appliance.reporting.mqtt.broker import broker_of
from appliance.reporting.mqtt.outbox import Draft, Position, open_outbox
from appliance.reporting.mqtt.payloads import State, encode
from tests.bench.figures import Figure, figure

RECORDS = 200_000
ROUNDS = 7
APPLIANCES = 1_000
STATES_EACH = 20
ROWS = 20_000
BATCH = 64
WAIT_S_MAX = 120.0
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


def measure() -> list[Figure]:
    """Measure recording, the outbox and the fleet."""
    return [*_records(), *asyncio.run(_outbox()), *_fleet()]


def _records() -> list[Figure]:
    """Record in our counts and in a Prometheus counter, alternating with an empty loop, and take the medians.

    Processor time and not time on the wall: a record is so short that a neighbour on the machine would be all of it.
    """
    works: dict[str, Callable[[int], object]] = {
        "nothing": int,
        "ours": Doublings().record,
        "theirs": Counter("bench", "peer", registry=CollectorRegistry()).inc,
    }
    waits_ns = [random.Random(number).randrange(1, 10**7) for number in range(256)]
    took: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            took[name].append(_each_ns(work, waits_ns))
    nothing_ns, ours_ns, theirs_ns = (sorted(took[name])[ROUNDS // 2] for name in works)
    return [
        figure("metric record, call and loop included", ours_ns, "ns", 100),
        figure("metric record, prometheus Counter.inc, likewise", theirs_ns, "ns"),
        figure("an empty call, likewise", nothing_ns, "ns"),
    ]


def _each_ns(work: Callable[[int], object], waits_ns: list[int]) -> float:
    begun_ns = time.process_time_ns()
    for number in range(RECORDS):
        work(waits_ns[number & 255])
    return (time.process_time_ns() - begun_ns) / RECORDS


async def _outbox() -> list[Figure]:
    """Store and confirm rows in batches, as the link and the broker do."""
    payload = b"x" * 400
    with tempfile.TemporaryDirectory() as folder:
        outbox = await open_outbox(Path(folder) / "outbox.db", ROWS * 2)
        begun_s = time.perf_counter()
        for first in range(1, ROWS + 1, BATCH):
            drafts = [
                Draft(number, thinned=False, topic="t", payload=payload) for number in range(first, first + BATCH)
            ]
            await outbox.store(drafts, Position("a", 0, first + BATCH - 1))
        stored_s = time.perf_counter() - begun_s
        begun_s, last = time.perf_counter(), 0
        while rows := await outbox.after(last, BATCH):
            last = rows[-1].id
            await outbox.confirm([row.id for row in rows])
        confirmed_s = time.perf_counter() - begun_s
        await outbox.close()
    return [
        figure("outbox, rows stored", ROWS / stored_s, "rows/s"),
        figure("outbox, rows read and confirmed", ROWS / confirmed_s, "rows/s"),
    ]


def _fleet() -> list[Figure]:
    """Publish the states of a thousand appliances through one broker, each over a connection of its own."""
    with _broker() as port:
        ear = _listening(port)
        clients = [_client(port, number) for number in range(APPLIANCES)]
        fleet = Fleet("bot4-edge")
        begun_s, heard = time.perf_counter(), 0
        for turn in range(STATES_EACH):
            for number, client in enumerate(clients):
                state = encode(State(device=f"d{number}", wall_ms=turn, stale=False, mode="NORMAL", lamp="NORMAL"))
                client.publish(f"bot4-edge/d{number}/state", state, qos=0)
            heard += _take(ear, fleet)
        deadline_s = time.perf_counter() + WAIT_S_MAX
        while heard < APPLIANCES * STATES_EACH and time.perf_counter() < deadline_s:
            heard += _take(ear, fleet)
            time.sleep(0.01)
        took_s = time.perf_counter() - begun_s
        for client in clients:
            client.disconnect()
        ear.stop()
    if heard < APPLIANCES * STATES_EACH:
        raise RuntimeError(f"{heard} of {APPLIANCES * STATES_EACH} states were heard")
    return [
        figure("appliances publishing through one mosquitto", len(fleet.appliances), "appliances"),
        figure("states of them, published and taken by the monitor", heard / took_s, "messages/s"),
    ]


def _take(ear: Ear, fleet: Fleet) -> int:
    count = 0
    for topic, payload, retained in ear.heard():
        fleet.take(topic, payload, retained=retained, now_ns=time.monotonic_ns())
        count += 1
    return count


def _client(port: int, number: int) -> Client:
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"d{number}", protocol=MQTTProtocolVersion.MQTTv311)
    client.connect("127.0.0.1", port, keepalive=300, bind_address="127.0.0.1")
    return client


def _listening(port: int) -> Ear:
    broker = broker_of(Mqtt(broker=f"mqtt://127.0.0.1:{port}"))
    assert broker is not None
    ear = Ear(broker, "bot4-edge")
    ear.start()
    deadline_s = time.perf_counter() + WAIT_S_MAX
    while not ear.subscribed and time.perf_counter() < deadline_s:
        time.sleep(0.01)
    time.sleep(0.2)  # the subscription follows the connection
    return ear


@contextlib.contextmanager
def _broker() -> Iterator[int]:
    if MOSQUITTO is None:
        raise RuntimeError("no mosquitto on this machine: apt-get install mosquitto")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "mosquitto.conf"
        config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nuser root\n")
        process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            yield port
        finally:
            process.terminate()
            process.wait()
