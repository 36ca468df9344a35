"""The one thing taken from a broker: the owner's signed stop, and only where a key for it is configured.

A connection of its own, so that whoever floods this topic holds up nothing that is published. The broker is told how
little we take (MQTT 5; one that speaks only 3.1.1 cannot be told, and then there is no remote stop). What arrives is
judged here in order of cost and handed to the guardian, which judges it again: nothing that this process believes can
stop the box, and nothing it does can start it.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND, Clock
from appliance.reporting.mqtt.broker import Broker, bound_address, use
from appliance.reporting.mqtt.topics import Topics
from appliance.safety.remote_stop import Refusal, read, refusal

PACKET_BYTES_MAX: Final = 1_024
CHECKS_PER_S_MAX: Final = 50
_KEEPALIVE_S: Final = 30
_BACKOFF_S_MAX: Final = 60
_SAY_AGAIN_NS: Final = 60 * NANOSECONDS_PER_SECOND
_log = logging.getLogger(__name__)


class StopEar:
    """Listen for a stop and hand what is good to the guardian."""

    def __init__(
        self, broker: Broker, topics: Topics, public_key: bytes, leave: Callable[[bytes], None], clock: Clock
    ) -> None:
        """Listen at this broker; `leave` is the way to the guardian."""
        self._broker = broker
        self._topics = topics
        self._key = Ed25519PublicKey.from_public_bytes(public_key)
        self._leave = leave
        self._clock = clock
        self._last_ms = 0
        self._second_ns = 0
        self._checks = 0
        self._said_ns: dict[str, int] = {}
        self._paused = threading.Event()
        self.taken = 0
        self.refused: Counter[Refusal] = Counter()
        self.listening = False
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=f"bot4-{topics.device}-stop", protocol=MQTTProtocolVersion.MQTTv5
        )
        use(self._client, broker)
        self._client.reconnect_delay_set(1, _BACKOFF_S_MAX)
        self._client.on_connect = self._connected
        self._client.on_connect_fail = self._failed
        self._client.on_subscribe = self._subscribed
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._heard

    def start(self) -> None:
        """Begin to connect, and keep at it."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's own lack
        properties.MaximumPacketSize = PACKET_BYTES_MAX
        own = bound_address(self._broker)
        self._client.connect_async(
            self._broker.host, self._broker.port, _KEEPALIVE_S, own, clean_start=True, properties=properties
        )
        self._client.loop_start()

    def close(self) -> None:
        """Hang up."""
        self._paused.set()
        self._client.disconnect()
        self._client.loop_stop()
        # Without its callbacks the client is in no cycle, so it closes its own sockets as soon as we let go of it.
        self._client.on_connect = self._client.on_connect_fail = self._client.on_subscribe = None
        self._client.on_disconnect = self._client.on_message = None

    def judge(self, message: bytes, *, retained: bool) -> Refusal | None:
        """Hand a message on to the guardian, or say why not."""
        if retained:
            # It may have been said at any time, and would be said again to every reporter that starts.
            return Refusal.RETAINED
        stop = read(message)
        if isinstance(stop, Refusal):
            return stop
        wall_ms = self._clock.wall_ns() // NANOSECONDS_PER_MILLISECOND
        refused = refusal(stop, self._topics.device, wall_ms, self._last_ms)
        if refused is not None:
            return refused
        if not self._may_check():
            return Refusal.TOO_MANY
        try:
            self._key.verify(stop.signature, stop.signed)
        except InvalidSignature:
            return Refusal.WRONG_SIGNATURE
        self._last_ms = stop.wall_ms
        self._leave(message)
        return None

    def _heard(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        refused = self.judge(bytes(message.payload), retained=bool(message.retain))
        if refused is None:
            self.taken += 1
            self._say("a signed remote stop was handed to the guardian")
            return
        self.refused[refused] += 1
        self._say(f"a remote stop was refused: {refused.value}")
        # A flood waits in the broker's socket, not in our memory, and takes no more of the processor than this.
        self._paused.wait(1 / 1_000)

    def _may_check(self) -> bool:
        """Tell whether one more signature may be checked in this second."""
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._second_ns >= NANOSECONDS_PER_SECOND:
            self._second_ns, self._checks = now_ns, 0
        self._checks += 1
        return self._checks <= CHECKS_PER_S_MAX

    def _connected(
        self, client: Client, _data: object, _flags: object, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._say(f"the remote stop has no broker: {self._broker.shown} refused: {reason}")
            return
        # As published, or a message that is being retained would come without its mark.
        client.subscribe(self._topics.stop, options=SubscribeOptions(qos=1, retainAsPublished=True))

    def _subscribed(
        self, _client: Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        self.listening = not any(reason.is_failure for reason in reasons)
        state = "listens" if self.listening else f"is not allowed to listen ({reasons[0]}); check the access list"
        self._say(f"the remote stop {state}: {self._topics.stop}")

    def _failed(self, _client: Client, _data: object) -> None:
        self._say(f"the remote stop has no broker: {self._broker.shown} cannot be reached")

    def _disconnected(
        self, _client: Client, _data: object, _flags: object, reason: ReasonCode, _properties: object
    ) -> None:
        self.listening = False
        self._say(f"the remote stop lost its broker: {reason}")

    def _say(self, line: str) -> None:
        """Say a line at most once a minute."""
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._said_ns.get(line, -_SAY_AGAIN_NS) >= _SAY_AGAIN_NS:
            self._said_ns[line] = now_ns
            _log.warning("%s", line)
