"""What happened to the panel's connections, as Prometheus metrics."""

from collections.abc import Iterable, Iterator
from dataclasses import fields

from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from appliance.reporting.panel.counters import PanelCounters


class PanelCollector(Collector):
    """Read the counts when somebody asks."""

    def __init__(self, counters: PanelCounters) -> None:
        """Read these counts."""
        self._counters = counters

    def describe(self) -> Iterable[Metric]:
        """Name nothing beforehand."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield one counter with an outcome for a label."""
        family = CounterMetricFamily(
            "bot4_panel_requests", "What became of connections to the panel", labels=["outcome"]
        )
        for one in fields(self._counters):
            family.add_metric([one.name], getattr(self._counters, one.name))
        yield family
