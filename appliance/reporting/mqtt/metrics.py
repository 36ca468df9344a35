"""What the MQTT side counts, as Prometheus metrics."""

from collections.abc import Iterable, Iterator

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from appliance.reporting.metrics import counter, gauge
from appliance.reporting.mqtt.desk import MqttDesk


class MqttCollector(Collector):
    """Read the counts when somebody asks."""

    def __init__(self, desk: MqttDesk) -> None:
        """Read this desk."""
        self._desk = desk

    def describe(self) -> Iterable[Metric]:
        """Name nothing beforehand."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield every count."""
        outbox, feeder, publisher = self._desk.outbox, self._desk.feeder, self._desk.publisher
        counters = publisher.counters
        yield gauge("mqtt_connected", "1 while the broker is connected", publisher.connected)
        yield gauge("mqtt_outbox_messages", "Messages that the broker has not confirmed", outbox.count)
        yield gauge("mqtt_journal_sequence", "The last journal row taken into the outbox", feeder.sequence)
        yield gauge(
            "mqtt_journal_shortened", "How often published rows were missing from the journal", feeder.shortened
        )
        yield counter("mqtt_connections", "Connections made to the broker", counters.connections)
        yield counter("mqtt_failures", "Connections to the broker that failed or were lost", counters.failures)
        yield counter("mqtt_sent", "Journal messages sent, doubles included", counters.sent)
        yield counter("mqtt_confirmed", "Messages the broker confirmed", counters.confirmed)
        yield counter("mqtt_refused", "Messages the broker refused", counters.refused)
        yield counter("mqtt_summarized", "Equity messages merged into others", outbox.thinned_count)
        yield counter("mqtt_states_left_out", "States not sent because one was under way", counters.states_thinned)
        yield counter("mqtt_full_waits", "Times the full outbox took nothing", feeder.full_waits)
