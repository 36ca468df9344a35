"""Everything MQTT joined in one place, or nothing at all where no broker is configured."""

import asyncio
import random
from collections.abc import Coroutine

from appliance.core.clock import Clock
from appliance.core.config import Config
from appliance.hardware.thermal import temperature_millicelsius
from appliance.reporting.audit_tail import AuditTail
from appliance.reporting.box import Box
from appliance.reporting.model import Model
from appliance.reporting.mqtt.broker import Broker, broker_of, tls_context
from appliance.reporting.mqtt.feeder import Feeder
from appliance.reporting.mqtt.flight import Parts
from appliance.reporting.mqtt.outbox import Outbox, open_outbox
from appliance.reporting.mqtt.publisher import Publisher
from appliance.reporting.mqtt.stop_ear import StopEar
from appliance.reporting.mqtt.topics import Topics
from appliance.reporting.trader_link import SOCKET_NAME, TraderLink
from appliance.safety.page import boot_identity
from appliance.safety.stop_page import StopPageWriter, stop_page_path

OUTBOX_NAME = "reporter/outbox.db"


class MqttDesk:
    """Hold the link that fills the outbox and the publisher that empties it."""

    def __init__(
        self, outbox: Outbox, feeder: Feeder, link: TraderLink, publisher: Publisher, ear: StopEar | None = None
    ) -> None:
        """Join these parts."""
        self.outbox = outbox
        self.feeder = feeder
        self.publisher = publisher
        self.ear = ear
        self._link = link

    def works(self) -> tuple[Coroutine[None, None, None], ...]:
        """Return what has to run."""
        return self._link.run(), self.publisher.run()

    async def close(self) -> None:
        """Stop listening and close the outbox."""
        if self.ear is not None:
            await asyncio.to_thread(self.ear.close)
        await self.outbox.close()


async def open_mqtt(config: Config, model: Model, clock: Clock) -> MqttDesk | None:
    """Open the outbox and prepare the publisher, if a broker is configured."""
    broker = broker_of(config.mqtt)
    if broker is None:
        return None
    tls_context(broker)  # certificates that cannot be used are said at the start, not at the first connection
    topics = Topics(config.mqtt.base_topic, config.device.name)
    outbox = await open_outbox(config.paths.state / OUTBOX_NAME, config.mqtt.outbox_rows_max)
    feeder = Feeder(outbox, await outbox.load(), topics)
    generator = random.Random()  # noqa: S311 - only jitter
    link = TraderLink(config.paths.runtime / SOCKET_NAME, feeder, clock, generator)
    box = Box(config.paths.runtime, clock, temperature_millicelsius)
    parts = Parts(topics, outbox, feeder, model, box, AuditTail(config.paths.runtime).head)
    ear = _stop_ear(config, broker, topics, clock)
    if ear is not None:
        ear.start()
    return MqttDesk(outbox, feeder, link, Publisher(config.mqtt, broker, parts, clock, generator), ear)


def _stop_ear(config: Config, broker: Broker, topics: Topics, clock: Clock) -> StopEar | None:
    """Return what listens for the owner's stop; without a key nothing is listened to."""
    if config.safety.remote_stop_key is None:
        return None
    page = StopPageWriter(stop_page_path(config.paths.runtime), boot_identity())
    return StopEar(broker, topics, bytes.fromhex(config.safety.remote_stop_key), page.leave, clock)
