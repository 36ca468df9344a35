"""The model as Prometheus metrics, made when somebody asks; nothing is counted twice and nothing is kept here."""

from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from appliance.core.clock import NANOSECONDS_PER_SECOND, Clock
from appliance.core.values import PARTS_PER_MILLION, QUANTA_PER_QUOTE_UNIT
from appliance.reporting.box import BoxView
from appliance.reporting.model import Model
from appliance.safety.lamps import Lamp
from appliance.safety.modes import Mode
from appliance.wire.report import Telemetry

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_QUANTILES = ("0.5", "0.99", "0.999")


class Metrics:
    """Write the model in Prometheus' text format."""

    __slots__ = ("_registry",)

    def __init__(self, model: Model, clock: Clock, more: Sequence[Collector] = ()) -> None:
        """Read this model, by this clock, and what else is counted."""
        self._registry = CollectorRegistry(auto_describe=False)
        for collector in (_ModelCollector(model, clock), *more):
            self._registry.register(collector)
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
            yield _latencies(model.telemetry)
        yield from _box_metrics(model.box)


def gauge(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    """Return one gauge of ours."""
    return GaugeMetricFamily(f"bot4_{name}", help_text, value=value)


def counter(name: str, help_text: str, value: float) -> CounterMetricFamily:
    """Return one counter of ours."""
    return CounterMetricFamily(f"bot4_{name}", help_text, value=value)


def _labelled(name: str, help_text: str, label: str, values: Iterable[tuple[str, float]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"bot4_{name}", help_text, labels=[label])
    for key, value in values:
        family.add_metric([key], value)
    return family


def _link_metrics(model: Model, now_ns: int) -> Iterator[Metric]:
    age_ms = model.age_ms(now_ns)
    yield gauge("telemetry_stale", "1 when the trader's telemetry is too old to be the present", model.stale(now_ns))
    if age_ms is not None:
        yield gauge("telemetry_age_seconds", "Age of the trader's telemetry", age_ms / 1000)
    yield counter("link_connections", "Connections made to the trader", model.connections)
    yield counter("link_rows", "Journal rows received from the trader", model.rows_received)
    yield counter("link_duplicate_rows", "Journal rows received again and ignored", model.duplicates)
    if model.hello is not None:
        info = InfoMetricFamily("bot4_appliance", "Which appliance and which journal this is")
        synthetic = "true" if model.hello.synthetic else "false"
        labels = {"device": model.hello.device, "journal_tag": model.hello.journal_tag, "synthetic_market": synthetic}
        info.add_metric([], labels)
        yield info
        started_s = model.hello.started_wall_ns / NANOSECONDS_PER_SECOND
        yield gauge("trader_start_time_seconds", "When the trader started, since 1970 in UTC", started_s)


def _mode_metrics(telemetry: Telemetry) -> Iterator[Metric]:
    modes = ((mode.name, float(mode.name == telemetry.mode)) for mode in Mode)
    yield _labelled("mode", "1 for the mode the trader is in", "mode", modes)
    since_s = telemetry.mode_since_wall_ns / NANOSECONDS_PER_SECOND
    yield gauge("mode_since_seconds", "When the trader entered its mode, since 1970 in UTC", since_s)


def _account_metrics(telemetry: Telemetry) -> Iterator[Metric]:
    unit = QUANTA_PER_QUOTE_UNIT
    yield gauge("equity_quote", "Equity in the quote currency", telemetry.equity_quanta / unit)
    yield gauge("cash_quote", "Cash in the quote currency", telemetry.cash_quanta / unit)
    yield gauge("day_profit_quote", "Profit or loss since the day began, UTC", telemetry.day_pnl_quanta / unit)
    yield gauge("drawdown_ratio", "Fall from the highest equity", telemetry.drawdown_ppm / PARTS_PER_MILLION)
    positions = ((position.instrument, position.value_quanta / unit) for position in telemetry.positions)
    yield _labelled("position_value_quote", "Value of each position", "instrument", positions)
    used = ((exposure.limit, exposure.used_ppm / PARTS_PER_MILLION) for exposure in telemetry.exposure)
    yield _labelled("limit_used_ratio", "How much of each limit is used", "limit", used)


def _machine_metrics(telemetry: Telemetry) -> Iterator[Metric]:
    if telemetry.feed_age_ms is not None:
        yield gauge("feed_age_seconds", "Age of the newest market data", telemetry.feed_age_ms / 1000)
    if telemetry.journal_latency_us is not None:
        latency_s = telemetry.journal_latency_us / 1_000_000
        yield gauge("journal_latency_seconds", "Time until a journal row is durable", latency_s)
    measured_ns = (telemetry.tick_to_order_ns_p50, telemetry.tick_to_order_ns_p99, telemetry.tick_to_order_ns_p99_9)
    summary = Metric("bot4_tick_to_order_seconds", "Time from market event to order bytes", "summary")
    for quantile, span_ns in zip(_QUANTILES, measured_ns, strict=True):
        if span_ns is not None:
            summary.add_sample(summary.name, {"quantile": quantile}, span_ns / NANOSECONDS_PER_SECOND)
    yield summary
    health = ((verdict.check, float(verdict.good)) for verdict in telemetry.health)
    yield _labelled("health_good", "1 for a health check that is good", "check", health)


def _latencies(telemetry: Telemetry) -> Metric:
    """Return the trader's arrays of counts as histograms; the sum of all durations is kept nowhere, so none is told."""
    family = HistogramMetricFamily("bot4_stage_seconds", "How long stages take in the trader", labels=["stage"])
    for latency in telemetry.latencies:
        seen, buckets = 0, []
        for place, count in enumerate(latency.counts):
            seen += count
            if count or place == len(latency.counts) - 1:
                buckets.append((f"{latency.base_ns * 2**place / NANOSECONDS_PER_SECOND:g}", seen))
        buckets.append(("+Inf", seen))
        family.add_metric([latency.name.replace(" ", "_")], buckets, sum_value=None)
    return family


def _box_metrics(box: BoxView) -> Iterator[Metric]:
    if box.temperature_millicelsius is not None:
        yield gauge("cpu_temperature_celsius", "The processor's temperature", box.temperature_millicelsius / 1000)
    known = (("stop_latched", box.estop), ("case_open", box.case_open), ("trading_permitted", box.permitted))
    for name, value in known:
        if value is not None:
            yield gauge(name, f"1 when the guardian says so: {name.replace('_', ' ')}", value)
    if box.lamp is not None:
        yield _labelled(
            "lamp", "1 for what the lamp shows", "lamp", ((lamp.name, lamp.name == box.lamp) for lamp in Lamp)
        )
    if box.relay in {"pulsing", "dropped"}:
        yield gauge("relay_pulsing", "1 while the guardian's pulse holds the watchdog relay", box.relay == "pulsing")
    if box.glitches is not None:
        yield counter("stop_contact_glitches", "Breaks of the stop contact too short for a press", box.glitches)


def _count_metrics(telemetry: Telemetry) -> Iterator[Metric]:
    yield counter("trader_events", "Events the trader has processed since it started", telemetry.events_count)
    yield counter("orders", "Orders sent since the trader started", telemetry.orders_count)
    yield counter("fills", "Executions since the trader started", telemetry.fills_count)
    yield counter("rejected_orders", "Orders denied or refused since the trader started", telemetry.rejected_count)
    yield gauge("journal_head_sequence", "Sequence of the journal's last row", telemetry.head_sequence)
    dropped = CounterMetricFamily("bot4_dropped", "What queues dropped by their policy", labels=["queue"])
    for entry in telemetry.dropped:
        dropped.add_metric([entry.queue], entry.count)
    yield dropped
