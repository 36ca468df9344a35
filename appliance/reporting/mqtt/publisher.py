"""The publisher's life: connect, announce, send what waits, keep the present fresh, and come back after a loss.

Rows are sent in order, no more of them unconfirmed than the broker allows; a confirmed one leaves the outbox. A
confirmation that does not come in time, or that says no, ends the connection, and the next one begins with the oldest
unconfirmed row: so order holds within a connection, a row may come twice, and none is lost. The present is not queued:
while one state is unconfirmed no other is sent, and what was left out is counted.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass

from paho.mqtt.enums import MQTTProtocolVersion

from appliance.core.clock import NANOSECONDS_PER_SECOND, Clock
from appliance.core.errors import ConfigError, StoreFailure
from appliance.core.settings.machine import Mqtt
from appliance.reporting.mqtt.broker import Broker
from appliance.reporting.mqtt.flight import Flight, Parts
from appliance.reporting.mqtt.session import V5, V311, Session, SessionLost
from appliance.reporting.mqtt.topics import OFFLINE

BACKOFF_S_MIN = 0.5
BACKOFF_S_MAX = 60.0
STEADY_NS = 10 * NANOSECONDS_PER_SECOND
Connect = Callable[[Broker, str, int, MQTTProtocolVersion, tuple[str, bytes]], Session]
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class PublisherCounters:
    """Count what became of messages and connections."""

    connections: int = 0
    failures: int = 0
    sent: int = 0
    confirmed: int = 0
    refused: int = 0
    states_thinned: int = 0


class Publisher:
    """Carry the outbox and the present to the broker."""

    def __init__(
        self,
        settings: Mqtt,
        broker: Broker,
        parts: Parts,
        clock: Clock,
        generator: random.Random,
        connect: Connect = Session,
    ) -> None:
        """Publish these parts to that broker, over connections that `connect` prepares."""
        self._settings = settings
        self._broker = broker
        self._parts = parts
        self._clock = clock
        self._random = generator
        self._connect = connect
        self._protocol = V5
        self._waits_s = BACKOFF_S_MIN
        self._said = ""
        self.counters = PublisherCounters()
        self.connected = False

    async def run(self) -> None:
        """Publish for ever."""
        while True:
            try:
                await self._connection()
            except (SessionLost, ConfigError, StoreFailure) as problem:
                self.counters.failures += 1
                self._choose_protocol(problem)
                self._say(str(problem))
            await asyncio.sleep(self._waits_s * (0.5 + self._random.random() / 2))
            self._waits_s = min(self._waits_s * 2, BACKOFF_S_MAX)

    async def _connection(self) -> None:
        topics = self._parts.topics
        session = self._connect(
            self._broker,
            f"bot4-{topics.device}",
            self._settings.keepalive_s,
            self._protocol,
            (topics.availability, OFFLINE),
        )
        flight = Flight(session, self._parts, self._settings, self._clock, self.counters)
        ended_well, connected_ns = False, self._clock.monotonic_ns()
        try:
            flight.window = await session.open(flight.take_confirmed)
            self.connected = True
            self.counters.connections += 1
            self._say(f"publishing to {self._broker.shown}, MQTT {'5' if self._protocol == V5 else '3.1.1'}")
            connected_ns = self._clock.monotonic_ns()
            await flight.run()
        except asyncio.CancelledError:
            ended_well = self.connected
            raise
        finally:
            if self.connected and self._clock.monotonic_ns() - connected_ns > STEADY_NS:
                # A broker that lets us in and then throws us out must not be called twice a second for ever.
                self._waits_s = BACKOFF_S_MIN
            self.connected = False
            if ended_well:
                await flight.say_offline()
            await session.close(orderly=ended_well)

    def _choose_protocol(self, problem: Exception) -> None:
        """Speak 3.1.1 to a broker that refuses version 5, or that hangs up on it as old ones do."""
        if isinstance(problem, SessionLost) and (problem.unsupported or not problem.answered):
            self._protocol = V311 if self._protocol == V5 else V5

    def _say(self, line: str) -> None:
        if line != self._said:
            _log.warning("%s", line)
        self._said = line
