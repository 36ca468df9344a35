"""A card that does not take the outbox costs MQTT and nothing else, until it takes it."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.core.clock import SystemClock
from appliance.reporting.model import Model
from appliance.reporting.mqtt import keeper as kept
from appliance.reporting.mqtt.desk import OUTBOX_NAME
from appliance.reporting.mqtt.keeper import MqttKeeper
from appliance.reporting.mqtt.metrics import MqttCollector
from appliance.reporting.panel import view
from tests.integration.reporting.loops import eventually
from tests.integration.reporting.mosquitto import Listener, Mosquitto, needs_mosquitto
from tests.integration.reporting.mqtt_parts import config_for, notes, run, sequences, trading
from tests.integration.reporting.scripted_trader import telemetry

pytestmark = needs_mosquitto


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a path short enough for a socket."""
    return tmp_path_factory.mktemp("o")


def in_the_place_of_the_outbox(path: Path) -> Callable[[], None]:
    """Put a folder where the database should be, and return what takes it away."""
    path.mkdir(parents=True)
    return path.rmdir


def in_the_place_of_its_folder(path: Path) -> Callable[[], None]:
    """Put a file where the folder should be, and return what takes it away."""
    path.parent.parent.mkdir(parents=True)
    path.parent.touch()
    return path.parent.unlink


def opened(keeper: MqttKeeper) -> float:
    """Return what the metrics say of the outbox."""
    (family,) = [one for one in MqttCollector(keeper).collect() if one.name == "bot4_mqtt_outbox_open"]
    return float(family.samples[0].value)


@pytest.mark.parametrize("block", [in_the_place_of_the_outbox, in_the_place_of_its_folder])
def test_an_outbox_that_cannot_be_opened_is_tried_again(
    folder: Path, block: Callable[[Path], Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The health list and the metrics say that nothing is published; once the card takes the outbox every row goes
    out and nothing is said any more. Wrong if it took a restart, or if nobody could see it.
    """
    monkeypatch.setattr(kept, "AGAIN_S_MIN", 0.2)

    async def body() -> None:
        with Mosquitto(folder) as broker, Listener(broker.port) as heard:
            config, model = config_for(folder, f'broker = "{broker.url}"'), Model(100)
            unblock = block(config.paths.state / OUTBOX_NAME)
            keeper = MqttKeeper(config, model, SystemClock(), lambda: 0.0)
            assert not await keeper.open()
            model.take_telemetry(telemetry(1), 1)
            async with trading(folder, notes(5)):
                work = asyncio.create_task(keeper.run())
                await eventually(lambda: keeper.failures >= 3)
                assert opened(keeper) == 0
                checks = view.state(model, 2)["health"]
                assert isinstance(checks, list)
                assert [one["check"] for one in checks if not one["good"]] == ["cpu temperature", "mqtt"]
                unblock()
                await eventually(lambda: sequences(heard) == [1, 2, 3, 4, 5])
                assert opened(keeper) == 1
                assert view.state(model, 2)["health"] == checks[:-1]
                work.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await work
            await keeper.close()

    run(body)
