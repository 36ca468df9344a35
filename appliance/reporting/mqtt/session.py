"""One connection to the broker, from CONNECT to its end: paho behind a door of asyncio.

paho's own thread speaks to the socket; its callbacks only hand a fact over to the loop. Every connection is a new
client with a clean start: what is unconfirmed lives in the outbox, and the broker keeps nothing of ours but what is
retained. paho's own reconnecting is switched off, because it would keep a queue in memory and send it in an order of
its own.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from appliance.core.errors import ApplianceError
from appliance.reporting.mqtt.broker import Broker, bound_address, use

QOS: Final = 1
WINDOW_MAX: Final = 32
UNSUPPORTED_VERSION: Final = 132
_CONNECT_S_MAX = 10.0
_END_S_MAX = 2.0
V5: Final = MQTTProtocolVersion.MQTTv5
V311: Final = MQTTProtocolVersion.MQTTv311


class SessionLost(ApplianceError):
    """Report that a connection to the broker ended, or never came to be."""

    def __init__(self, reason: str, *, answered: bool = True, unsupported: bool = False) -> None:
        super().__init__(reason)
        self.answered = answered
        self.unsupported = unsupported


class Session:
    """Hold one connection."""

    def __init__(
        self, broker: Broker, client_id: str, keepalive_s: int, protocol: MQTTProtocolVersion, will: tuple[str, bytes]
    ) -> None:
        """Prepare a connection that leaves this will behind, retained, if it breaks."""
        self._broker = broker
        self._keepalive_s = keepalive_s
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[int] = self._loop.create_future()
        self._lost: asyncio.Future[str] = self._loop.create_future()
        self._on_confirmed: Callable[[int, str | None], None] | None = None
        self.protocol = protocol
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=protocol, reconnect_on_failure=False,
            clean_session=True if protocol == V311 else None,
        )  # fmt: skip
        use(self._client, broker)
        self._client.will_set(will[0], will[1], qos=QOS, retain=True)
        self._client.max_inflight_messages_set(WINDOW_MAX)
        self._client.connect_timeout = _CONNECT_S_MAX
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_publish = self._published

    async def open(self, on_confirmed: Callable[[int, str | None], None]) -> int:
        """Connect and return how many unconfirmed messages the broker allows at once."""
        self._on_confirmed = on_confirmed
        try:
            await asyncio.to_thread(self._connect)
        except (OSError, ValueError) as problem:
            raise SessionLost(f"{self._broker.shown} cannot be reached: {problem}") from problem
        self._client.loop_start()
        answers: tuple[asyncio.Future[Any], ...] = (self._ready, self._lost)
        await asyncio.wait(answers, timeout=_CONNECT_S_MAX, return_when=asyncio.FIRST_COMPLETED)
        if self._ready.done():
            return self._ready.result()
        reason = self._lost.result() if self._lost.done() else "it accepted the connection and said nothing"
        raise SessionLost(f"{self._broker.shown}: {reason}", answered=False)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Send one message and return the number by which its confirmation comes."""
        info: MQTTMessageInfo = self._client.publish(topic, payload, qos=QOS, retain=retain)
        if info.rc not in {MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN}:
            raise SessionLost(f"sending failed: {info.rc.name}")
        return info.mid

    def lost(self) -> asyncio.Future[str]:
        """Return what tells, some day, why the connection ended."""
        return self._lost

    async def close(self, *, orderly: bool) -> None:
        """End the connection; without order the broker publishes the will."""
        if orderly:
            self._client.disconnect()
            await asyncio.wait({self._lost}, timeout=_END_S_MAX)
        await asyncio.to_thread(self._cut)

    def _connect(self) -> None:
        own = bound_address(self._broker)
        self._client.connect(self._broker.host, self._broker.port, self._keepalive_s, bind_address=own)

    def _cut(self) -> None:
        # loop_stop() waits for every unconfirmed message; closing the socket under it ends the thread at once.
        channel: Any = self._client.socket()
        if channel is not None:
            with contextlib.suppress(OSError):
                channel.shutdown(socket.SHUT_RDWR)
        self._client.loop_stop()
        # Without its callbacks the client is in no cycle, so it closes its own sockets as soon as we let go of it.
        self._client.on_connect = self._client.on_disconnect = self._client.on_publish = None

    def _connected(
        self, _client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        allowed = getattr(properties, "ReceiveMaximum", WINDOW_MAX)
        self._tell(self._take_connected, reason, min(int(allowed), WINDOW_MAX))

    def _disconnected(
        self, _client: Client, _data: object, _flags: DisconnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        self._tell(self._take_lost, str(reason))

    def _published(self, _client: Client, _data: object, mid: int, reason: ReasonCode, _properties: object) -> None:
        self._tell(self._take_confirmed, mid, str(reason) if reason.is_failure else None)

    def _tell(self, what: Callable[..., None], *facts: Any) -> None:  # noqa: ANN401 - handed through
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody is left to be told
            self._loop.call_soon_threadsafe(what, *facts)

    def _take_connected(self, reason: ReasonCode, window: int) -> None:
        if self._ready.done():
            return
        if reason.is_failure:
            unsupported = reason.value == UNSUPPORTED_VERSION
            self._ready.set_exception(SessionLost(f"{self._broker.shown} refused: {reason}", unsupported=unsupported))
            return
        self._ready.set_result(window)

    def _take_lost(self, reason: str) -> None:
        if not self._lost.done():
            self._lost.set_result(reason)

    def _take_confirmed(self, mid: int, problem: str | None) -> None:
        if self._on_confirmed is not None:
            self._on_confirmed(mid, problem)
