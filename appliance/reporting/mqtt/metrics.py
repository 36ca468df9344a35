"""What the MQTT side counts, as Prometheus metrics."""

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from appliance.reporting.metrics import counter, gauge
from appliance.reporting.mqtt.desk import MqttDesk
from appliance.reporting.mqtt.keeper import MqttKeeper
from appliance.reporting.mqtt.stop_ear import StopEar
from appliance.safety.remote_stop import Refusal


class MqttCollector(Collector):
    """Read the counts when somebody asks."""

    def __init__(self, keeper: MqttKeeper) -> None:
        """Read what this keeps."""
        self._keeper = keeper

    def describe(self) -> Iterable[Metric]:
        """Name nothing beforehand."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield every count."""
        desk = self._keeper.desk
        yield gauge(
            "mqtt_outbox_open", "1 while the outbox is open, without which nothing is published", desk is not None
        )
        yield counter("mqtt_outbox_failures", "Times the outbox could not be opened", self._keeper.failures)
        if desk is not None:
            yield from _desk_metrics(desk)


def _desk_metrics(desk: MqttDesk) -> Iterator[Metric]:
    outbox, feeder, publisher = desk.outbox, desk.feeder, desk.publisher
    counters = publisher.counters
    yield gauge("mqtt_connected", "1 while the broker is connected", publisher.connected)
    yield gauge("mqtt_outbox_messages", "Messages that the broker has not confirmed", outbox.count)
    yield gauge("mqtt_journal_sequence", "The last journal row taken into the outbox", feeder.sequence)
    yield gauge("mqtt_journal_shortened", "How often published rows were missing from the journal", feeder.shortened)
    yield counter("mqtt_connections", "Connections made to the broker", counters.connections)
    yield counter("mqtt_failures", "Connections to the broker that failed or were lost", counters.failures)
    yield counter("mqtt_sent", "Journal messages sent, doubles included", counters.sent)
    yield counter("mqtt_confirmed", "Messages the broker confirmed", counters.confirmed)
    yield counter("mqtt_refused", "Messages the broker refused", counters.refused)
    yield counter("mqtt_summarized", "Equity messages merged into others", outbox.thinned_count)
    yield counter("mqtt_states_left_out", "States not sent because one was under way", counters.states_thinned)
    yield counter("mqtt_full_waits", "Times the full outbox took nothing", feeder.full_waits)
    if desk.ear is not None:
        yield from _remote_stops(desk.ear)


def _remote_stops(ear: StopEar) -> Iterator[Metric]:
    yield gauge("mqtt_stop_listening", "1 while the owner's signed stop would be heard", ear.listening)
    yield counter("mqtt_stops_taken", "Signed stops handed to the guardian", ear.taken)
    family = CounterMetricFamily("bot4_mqtt_stops_refused", "Remote stops refused", labels=["reason"])
    for reason in Refusal:
        family.add_metric([reason.name.lower()], ear.refused[reason])
    yield family
