"""The broker and the connection to it: what arrives is told to the oracle, and every confirmation may be lost.

As on the links to the venue, a broken connection takes what was on its way to the reporter, while of what was on its
way to the broker some first part still arrives: then the broker has a message whose confirmation nobody will ever see.
"""

import asyncio
import random
from collections.abc import Callable

from paho.mqtt.enums import MQTTProtocolVersion

from appliance.reporting.mqtt.broker import Broker as Address
from appliance.reporting.mqtt.session import V5, WINDOW_MAX, Session, SessionLost
from appliance.world.delivery import Delivery
from appliance.world.links import milliseconds
from appliance.world.schedule import Beside

LATENCY_MS = (5, 60)
_REFUSAL = "Not authorized"


class Broker:
    """Take messages of one connection at a time and confirm them."""

    def __init__(self, schedule: Beside, dice: random.Random, delivery: Delivery) -> None:
        """Begin reachable; `delivery` is told of every message that arrives."""
        self.schedule = schedule
        self.dice = dice
        self.delivery = delivery
        self.speaks_v5 = dice.getrandbits(2) > 0
        self.window = dice.choice((2, 8, WINDOW_MAX))
        self.latency_ns = milliseconds(dice, LATENCY_MS)
        self.slow_ns = 0
        self.blocked = False
        self.refusing = False
        self.session: BrokerSession | None = None

    def cut(self, reason: str) -> bool:
        """Break the connection; tell whether there was one."""
        session, self.session = self.session, None
        if session is None:
            return False
        session.break_off(reason)
        return True

    def go_silent(self) -> bool:
        """Turn half-open: nothing arrives and nothing is confirmed; tell whether there was a connection."""
        if self.session is None:
            return False
        self.session.silent = True
        return True

    def end_silence(self) -> None:
        """Break a half-open connection, as a router does that comes back without its memory."""
        if self.session is not None and self.session.silent:
            self.cut("reset")


class BrokerSession(Session):
    """Be one connection as the publisher sees it; paho and its thread are not part of this world."""

    def __init__(self, broker: Broker, protocol: MQTTProtocolVersion) -> None:
        """Prepare a connection on the running loop."""
        self._world = broker
        self._running = asyncio.get_running_loop()
        self._ended: asyncio.Future[str] = self._running.create_future()
        self._confirmed: Callable[[int, str | None], None] | None = None
        self._number = 0
        self._up_ns = self._down_ns = 0
        self._rising: list[tuple[str, bytes]] = []
        self._open = False
        self.protocol = protocol
        self.silent = False

    async def open(self, on_confirmed: Callable[[int, str | None], None]) -> int:
        """Connect and return how many unconfirmed messages the broker allows at once."""
        self._confirmed = on_confirmed
        await asyncio.sleep((self._world.latency_ns + self._world.slow_ns) / 1e9)
        if self._world.blocked:
            raise SessionLost("the broker cannot be reached")
        if self.protocol == V5 and not self._world.speaks_v5:
            raise SessionLost("the broker refused: Unsupported protocol version", unsupported=True)
        self._world.cut("taken over by another connection")
        self._world.session = self
        self._world.delivery.connected()
        self._open = True
        return self._world.window

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:  # noqa: ARG002 - as the real one has it
        """Send one message and return the number by which its confirmation comes."""
        self._number += 1
        if self._open and not self.silent:
            message = (topic, payload)
            self._rising.append(message)
            self._up_ns = max(self._up_ns + 1, self._world.schedule.now_ns + self._delay_ns())
            number = self._number
            self._world.schedule.at(self._up_ns, lambda: self._arrive(number, message))
        return self._number

    def lost(self) -> "asyncio.Future[str]":
        """Return what tells, some day, why the connection ended."""
        return self._ended

    async def close(self, *, orderly: bool) -> None:  # noqa: ARG002 - as the real one has it
        """End the connection."""
        if self._world.session is self:
            self._world.cut("closed")

    def break_off(self, reason: str) -> None:
        """Let the connection break; some first part of what was on its way still arrives."""
        arriving = self._world.dice.randint(0, len(self._rising)) if not self.silent else 0
        self._open = False
        written, self._rising = self._rising[:arriving], []
        for topic, payload in written:
            self._world.delivery.arrived(topic, payload)
        self._running.call_soon(self._tell_lost, reason)

    def _arrive(self, number: int, message: tuple[str, bytes]) -> None:
        if not self._open or self.silent:
            return
        self._rising.remove(message)
        problem = _REFUSAL if self._world.refusing and "/event/" in message[0] else None
        if problem is None:
            self._world.delivery.arrived(*message)
        self._down_ns = max(self._down_ns + 1, self._world.schedule.now_ns + self._delay_ns())
        self._world.schedule.at(self._down_ns, lambda: self._confirm(number, problem))

    def _confirm(self, number: int, problem: str | None) -> None:
        if self._open and not self.silent and self._confirmed is not None:
            self._running.call_soon(self._confirmed, number, problem)

    def _tell_lost(self, reason: str) -> None:
        if not self._ended.done():
            self._ended.set_result(reason)

    def _delay_ns(self) -> int:
        world = self._world
        return world.slow_ns + world.latency_ns + world.latency_ns * world.dice.getrandbits(10) // 1024


def opener(broker: Broker) -> Callable[[Address, str, int, MQTTProtocolVersion, tuple[str, bytes]], Session]:
    """Return what opens a connection where the publisher would open a socket."""
    return lambda _address, _name, _keepalive_s, protocol, _will: BrokerSession(broker, protocol)
