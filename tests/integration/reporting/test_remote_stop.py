"""A signed stop on its way through a real mosquitto: what reaches the guardian's page, what is refused and counted."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from appliance.reporting.mqtt.desk import MqttDesk
from appliance.reporting.mqtt.stop_ear import CHECKS_PER_S_MAX, StopEar
from appliance.safety.page import boot_identity
from appliance.safety.remote_stop import AGE_MS_MAX, FUTURE_MS_MAX, Refusal, message_of, words_of
from appliance.safety.stop_page import StopPageReader, stop_page_path
from tests.integration.reporting.loops import eventually
from tests.integration.reporting.mosquitto import Listener, Mosquitto, needs_mosquitto
from tests.integration.reporting.mqtt_parts import DEVICE, config_for, notes, publishing, run, sequences, trading
from tests.integration.reporting.scripted_trader import note

pytestmark = needs_mosquitto
OWNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(32))
TOPIC = f"bot4-edge/{DEVICE}/stop"
MANY = 3_000


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a path short enough for a socket."""
    return tmp_path_factory.mktemp("r")


def signed(offset_ms: int = 0, device: str = DEVICE, key: Ed25519PrivateKey = OWNER) -> bytes:
    """Return a message signed so far from now."""
    words = words_of(device, time.time_ns() // 1_000_000 + offset_ms)
    return message_of(words, key.sign(words))


@contextlib.contextmanager
def speaking(broker: Mosquitto) -> Iterator[Callable[..., None]]:
    """Return what publishes on the stop's topic."""
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311)
    client.connect("127.0.0.1", broker.port, bind_address="127.0.0.1")
    client.loop_start()

    def say(payload: bytes, *, retain: bool = False, qos: int = 1) -> None:
        client.publish(TOPIC, payload, qos=qos, retain=retain)

    try:
        yield say
    finally:
        client.disconnect()
        client.loop_stop()


@contextlib.asynccontextmanager
async def listening(folder: Path, broker: Mosquitto) -> AsyncIterator[tuple[MqttDesk, StopEar, StopPageReader]]:
    """Run a reporter that takes a remote stop, and read the page as the guardian does."""
    key = OWNER.public_key().public_bytes_raw().hex()
    config = config_for(folder, f'broker = "{broker.url}"\n[safety]\nremote_stop_key = "{key}"')
    async with publishing(config) as desk:
        assert desk.ear is not None
        ear = desk.ear
        await eventually(lambda: ear.listening)
        page = StopPageReader(stop_page_path(config.paths.runtime), boot_identity())
        yield desk, ear, page
        page.close()


def test_only_the_owner_s_fresh_word_reaches_the_guardian(folder: Path) -> None:
    """Each kind of wrong message is refused under its own name and leaves the page empty, the good one is laid there
    as it was, and its repetition is refused; wrong if one check were missing.
    """
    wrong: dict[Refusal, Callable[[], bytes]] = {
        Refusal.OTHER_DEVICE: lambda: signed(device="bot4-other"),
        Refusal.WRONG_SIGNATURE: lambda: signed(key=STRANGER),
        Refusal.TOO_OLD: lambda: signed(-AGE_MS_MAX - 1_000),
        Refusal.FROM_FUTURE: lambda: signed(FUTURE_MS_MAX + 10_000),
        Refusal.MALFORMED: lambda: b"stop",
        Refusal.TOO_LONG: lambda: b"x" * 257,
    }

    async def body() -> None:
        with Mosquitto(folder) as broker, speaking(broker) as say:
            async with trading(folder), listening(folder, broker) as (_, ear, page):
                for made in wrong.values():
                    say(made())
                say(signed(), retain=True)
                await eventually(lambda: ear.refused.total() == len(wrong) + 1)
                assert ear.refused == dict.fromkeys((*wrong, Refusal.RETAINED), 1)
                assert ear.taken == 0
                assert page.read(1) is None
                good = signed()
                say(good)
                await eventually(lambda: ear.taken == 1)
                assert page.read(2 * 10**9) == good
                say(good)
                await eventually(lambda: ear.refused[Refusal.REPEATED] == 1)
                assert page.read(4 * 10**9) is None

    run(body)


def test_a_retained_stop_meets_no_reporter_that_starts(folder: Path) -> None:
    """A good message that the broker keeps is refused by whoever subscribes later; wrong if it stopped every start."""

    async def body() -> None:
        with Mosquitto(folder) as broker, speaking(broker) as say, Listener(broker.port) as heard:
            say(signed(), retain=True)
            await eventually(lambda: heard.of("/stop"))
            async with trading(folder), listening(folder, broker) as (_, ear, page):
                await eventually(lambda: ear.refused[Refusal.RETAINED] == 1)
                assert ear.taken == 0
                assert page.read(1) is None

    run(body)


def test_a_message_too_large_for_us_is_kept_by_the_broker(folder: Path) -> None:
    """A message of a megabyte never comes in and the next good one does; wrong if the broker had not been told."""

    async def body() -> None:
        with Mosquitto(folder) as broker, speaking(broker) as say:
            async with trading(folder), listening(folder, broker) as (_, ear, _page):
                say(b"x" * (1 << 20))
                say(signed())
                await eventually(lambda: ear.taken == 1)
                assert ear.refused.total() == 0

    run(body)


def test_a_flood_holds_up_neither_the_rows_nor_the_stop(folder: Path) -> None:
    """While forgeries come by the thousand, rows go out, few signatures are checked, and the owner's stop comes
    through; wrong if the flood filled our memory, stopped the publisher or hid the one good message for ever.
    """

    async def body() -> None:
        with Mosquitto(folder) as broker, speaking(broker) as say, Listener(broker.port) as heard:
            async with trading(folder, notes(10)) as trader, listening(folder, broker) as (desk, ear, _page):
                began_s = time.monotonic()
                for number in range(MANY):
                    say(signed(number % 1_000, key=STRANGER), qos=0)
                for number in range(11, 41):
                    trader.publish(note(number))
                await eventually(lambda: sequences(heard)[-1:] == [40])
                assert desk.publisher.connected
                await eventually(lambda: ear.refused.total() > MANY // 10)
                checked = ear.refused[Refusal.WRONG_SIGNATURE]
                assert 0 < checked <= CHECKS_PER_S_MAX * (time.monotonic() - began_s + 2)
                assert ear.refused[Refusal.TOO_MANY] > 0
                while ear.taken == 0:
                    say(signed())
                    await asyncio.sleep(0.5)

    run(body)


def test_without_a_key_nothing_is_listened_to(folder: Path) -> None:
    """Off by default: no subscription is made; wrong if a box nobody configured could be spoken to."""

    async def body() -> None:
        with Mosquitto(folder) as broker:
            config = config_for(folder, f'broker = "{broker.url}"')
            async with trading(folder, notes(3)), publishing(config) as desk:
                await eventually(lambda: desk.publisher.counters.confirmed > 3)
                assert desk.ear is None
            assert "SUBSCRIBE" not in broker.log
            assert not stop_page_path(config.paths.runtime).exists()

    run(body)
