"""The monitor's ear: one subscription, a bounded queue, and paho's own patience in coming back."""

import queue
from collections.abc import Iterator

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from appliance.reporting.mqtt.broker import Broker, bound_address, use

QUEUE_MESSAGES_MAX = 50_000
_BACKOFF_S_MAX = 30


class Ear:
    """Hear everything below a base topic."""

    def __init__(self, broker: Broker, base: str) -> None:
        """Prepare to listen at a broker."""
        self._broker = broker
        self._base = base
        self._heard: queue.Queue[tuple[str, bytes, bool]] = queue.Queue(QUEUE_MESSAGES_MAX)
        self.dropped = 0
        self.problem = "not connected yet"
        self.subscribed = False
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311)
        use(self._client, broker)
        self._client.reconnect_delay_set(1, _BACKOFF_S_MAX)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._take

    def start(self) -> None:
        """Begin to connect."""
        self._client.connect_async(self._broker.host, self._broker.port, bind_address=bound_address(self._broker))
        self._client.loop_start()

    def stop(self) -> None:
        """Hang up."""
        self._client.disconnect()
        self._client.loop_stop()
        # Without its callbacks the client is in no cycle, so it closes its own sockets as soon as we let go of it.
        self._client.on_connect = self._client.on_disconnect = self._client.on_message = None

    def say(self, topic: str, payload: bytes) -> None:
        """Send one message, at least once, that nobody keeps."""
        self._client.publish(topic, payload, qos=1)

    def heard(self) -> Iterator[tuple[str, bytes, bool]]:
        """Yield what has arrived, without waiting."""
        while True:
            try:
                yield self._heard.get_nowait()
            except queue.Empty:
                return

    def _connected(self, client: Client, _data: object, _flags: object, reason: ReasonCode, _more: object) -> None:
        if reason.is_failure:
            self.problem = str(reason)
            return
        self.problem = ""
        self.subscribed = True
        client.subscribe(f"{self._base}/#", qos=1)

    def _disconnected(self, _client: Client, _data: object, _flags: object, reason: ReasonCode, _more: object) -> None:
        self.problem = self.problem or f"disconnected: {reason}"

    def _take(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            self._heard.put_nowait((message.topic, bytes(message.payload), bool(message.retain)))
        except queue.Full:
            self.dropped += 1
