"""Keep MQTT where the card does not: an outbox that cannot be opened is tried again, and takes nothing else along."""

import asyncio
import logging
from collections.abc import Callable

from appliance.core.clock import Clock
from appliance.core.config import Config
from appliance.core.errors import StoreFailure
from appliance.reporting.model import Model
from appliance.reporting.mqtt.desk import MqttDesk, open_mqtt

AGAIN_S_MIN = 5.0
AGAIN_S_MAX = 300.0
_log = logging.getLogger(__name__)


class MqttKeeper:
    """Hold the MQTT side, once it could be opened."""

    def __init__(self, config: Config, model: Model, clock: Clock, jitter: Callable[[], float]) -> None:
        """Begin without it; `jitter` draws from 0 to 1."""
        self._config = config
        self._model = model
        self._clock = clock
        self._jitter = jitter
        self.desk: MqttDesk | None = None
        self.failures = 0

    @property
    def configured(self) -> bool:
        """Tell whether there is a broker to publish to."""
        return self._config.mqtt.broker is not None

    async def open(self) -> bool:
        """Try to open it and tell whether it is open; settings that cannot be used are an error."""
        try:
            self.desk = await open_mqtt(self._config, self._model, self._clock)
        except StoreFailure as problem:
            self.failures += 1
            self._model.mqtt_trouble = str(problem)
            _log.error("nothing is published, and it will be tried again: %s", problem)
            return False
        self._model.mqtt_trouble = ""
        return True

    async def run(self) -> None:
        """Open it, trying again less and less often, and keep it going."""
        wait_s = AGAIN_S_MIN
        while self.desk is None:
            await asyncio.sleep(wait_s * (0.5 + self._jitter() / 2))
            wait_s = min(wait_s * 2, AGAIN_S_MAX)
            await self.open()
        await asyncio.gather(*self.desk.works())

    async def close(self) -> None:
        """Close what is open."""
        if self.desk is not None:
            await self.desk.close()
