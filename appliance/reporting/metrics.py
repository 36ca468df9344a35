"""The model as Prometheus metrics, made when somebody asks; nothing is counted twice and nothing is kept here."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from appliance.core.clock import NANOSECONDS_PER_SECOND, Clock
from appliance.core.values import PARTS_PER_MILLION, QUANTA_PER_QUOTE_UNIT
from appliance.reporting.model import Model
from appliance.safety.modes import Mode
from appliance.wire.report import Telemetry

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_QUANTILES = ("0.5", "0.99", "0.999")


class Metrics:
    """Write the model in Prometheus' text format."""

    __slots__ = ("_registry",)

    def __init__(self, model: Model, clock: Clock) -> None:
        """Read this model, by this clock."""
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_ModelCollector(model, clock))
        ProcessCollector(namespace="bot4_reporter", registry=self._registry)

    def page(self) -> bytes:
        """Return the metrics of this moment."""
        return generate_latest(self._registry)


class _ModelCollector(Collector):
    def __init__(self, model: Model, clock: Clock) -> None:
        self._model = model
        self._clock = clock

    def describe(self) -> Iterable[Metric]:
        """Name nothing beforehand: the names do not depend on the model, and asking would cost a collection."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield every metric with the model's present values."""
        model = self._model
        yield from _link_metrics(model, self._clock.monotonic_ns())
        if model.telemetry is not None:
            yield from _mode_metrics(model.telemetry)
            yield from _account_metrics(model.telemetry)
            yield from _machine_metrics(model.telemetry)
            yield from _count_metrics(model.telemetry)


def _gauge(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"bot4_{name}", help_text, value=value)


def _counter(name: str, help_text: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(f"bot4_{name}", help_text, value=value)


def _labelled(name: str, help_text: str, label: str, values: Iterable[tuple[str, float]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"bot4_{name}", help_text, labels=[label])
    for key, value in values:
        family.add_metric([key], value)
    return family


def _link_metrics(model: Model, now_ns: int) -> Iterator[Metric]:
    age_ms = model.age_ms(now_ns)
    yield _gauge("telemetry_stale", "1 when the trader's telemetry is too old to be the present", model.stale(now_ns))
    if age_ms is not None:
        yield _gauge("telemetry_age_seconds", "Age of the trader's telemetry", age_ms / 1000)
    yield _counter("link_connections", "Connections made to the trader", model.connections)
    yield _counter("link_rows", "Journal rows received from the trader", model.rows_received)
    yield _counter("link_duplicate_rows", "Journal rows received again and ignored", model.duplicates)
    if model.hello is not None:
        info = InfoMetricFamily("bot4_appliance", "Which appliance and which journal this is")
        synthetic = "true" if model.hello.synthetic else "false"
        labels = {"device": model.hello.device, "journal_tag": model.hello.journal_tag, "synthetic_market": synthetic}
        info.add_metric([], labels)
        yield info
        started_s = model.hello.started_wall_ns / NANOSECONDS_PER_SECOND
        yield _gauge("trader_start_time_seconds", "When the trader started, since 1970 in UTC", started_s)


def _mode_metrics(telemetry: Telemetry) -> Iterator[Metric]:
    modes = ((mode.name, float(mode.name == telemetry.mode)) for mode in Mode)
    yield _labelled("mode", "1 for the mode the trader is in", "mode", modes)
    since_s = telemetry.mode_since_wall_ns / NANOSECONDS_PER_SECOND
    yield _gauge("mode_since_seconds", "When the trader entered its mode, since 1970 in UTC", since_s)


def _account_metrics(telemetry: Telemetry) -> Iterator[Metric]:
    unit = QUANTA_PER_QUOTE_UNIT
    yield _gauge("equity_quote", "Equity in the quote currency", telemetry.equity_quanta / unit)
    yield _gauge("cash_quote", "Cash in the quote currency", telemetry.cash_quanta / unit)
    yield _gauge("day_profit_quote", "Profit or loss since the day began, UTC", telemetry.day_pnl_quanta / unit)
    yield _gauge("drawdown_ratio", "Fall from the highest equity", telemetry.drawdown_ppm / PARTS_PER_MILLION)
    positions = ((position.instrument, position.value_quanta / unit) for position in telemetry.positions)
    yield _labelled("position_value_quote", "Value of each position", "instrument", positions)
    used = ((exposure.limit, exposure.used_ppm / PARTS_PER_MILLION) for exposure in telemetry.exposure)
    yield _labelled("limit_used_ratio", "How much of each limit is used", "limit", used)


def _machine_metrics(telemetry: Telemetry) -> Iterator[Metric]:
    if telemetry.feed_age_ms is not None:
        yield _gauge("feed_age_seconds", "Age of the newest market data", telemetry.feed_age_ms / 1000)
    if telemetry.journal_latency_us is not None:
        latency_s = telemetry.journal_latency_us / 1_000_000
        yield _gauge("journal_latency_seconds", "Time until a journal row is durable", latency_s)
    measured_ns = (telemetry.tick_to_order_ns_p50, telemetry.tick_to_order_ns_p99, telemetry.tick_to_order_ns_p99_9)
    quantiles = (
        (quantile, span_ns / NANOSECONDS_PER_SECOND)
        for quantile, span_ns in zip(_QUANTILES, measured_ns, strict=True)
        if span_ns is not None
    )
    yield _labelled("tick_to_order_seconds", "Time from market event to order bytes", "quantile", quantiles)
    health = ((verdict.check, float(verdict.good)) for verdict in telemetry.health)
    yield _labelled("health_good", "1 for a health check that is good", "check", health)


def _count_metrics(telemetry: Telemetry) -> Iterator[Metric]:
    yield _counter("trader_events", "Events the trader has processed since it started", telemetry.events_count)
    yield _counter("orders", "Orders sent since the trader started", telemetry.orders_count)
    yield _counter("fills", "Executions since the trader started", telemetry.fills_count)
    yield _counter("rejected_orders", "Orders denied or refused since the trader started", telemetry.rejected_count)
    yield _gauge("journal_head_sequence", "Sequence of the journal's last row", telemetry.head_sequence)
    dropped = CounterMetricFamily("bot4_dropped", "What queues dropped by their policy", labels=["queue"])
    for entry in telemetry.dropped:
        dropped.add_metric([entry.queue], entry.count)
    yield dropped
