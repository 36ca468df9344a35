"""The messages about this moment, made from the model and the box; retained, so only their latest counts."""

from decimal import Decimal

from appliance.reporting.box import BoxView
from appliance.reporting.model import Model
from appliance.reporting.mqtt.payloads import Birth, Chain, Recent, RecentEntry, State, percent, quote
from appliance.safety.lamps import PATTERNS, Lamp
from appliance.wire.report import Telemetry

RECENT_ENTRIES = 20
RECENT_POINTS = 60
_OPEN_RISK = "heat"


def birth_of(device: str, model: Model, journal: str | None, version: str) -> Birth:
    """Return which appliance this is."""
    hello = model.hello
    if hello is None:
        return Birth(device=device, version=version)
    return Birth(
        device=device,
        version=version,
        journal=journal or hello.journal_tag,
        synthetic=hello.synthetic,
        trader_started_wall_ms=hello.started_wall_ns // 1_000_000,
        instruments=tuple(grid.instrument for grid in hello.grids),
    )


def state_of(
    device: str, model: Model, box: BoxView, *, now_ns: int, wall_ms: int, waiting: int, thinned: int
) -> State:
    """Return the present; while the trader is silent its last words stay, marked as stale."""
    heat = box.temperature_millicelsius
    telemetry = model.telemetry
    lamp = box.lamp if box.lamp is not None else telemetry.lamp if telemetry is not None else None
    common = State(
        device=device,
        wall_ms=wall_ms,
        stale=model.stale(now_ns),
        lamp=lamp,
        lamp_text=PATTERNS[Lamp[lamp]].label if lamp is not None and lamp in Lamp.__members__ else None,
        estop=box.estop,
        case_open=box.case_open,
        relay=box.relay,
        temperature_c=None if heat is None else Decimal(heat) / 1000,
        waiting=waiting,
        thinned=thinned,
    )
    return common if telemetry is None else _with_telemetry(common, telemetry)


def _with_telemetry(common: State, telemetry: Telemetry) -> State:
    risk = next((one.used_ppm for one in telemetry.exposure if one.limit == _OPEN_RISK), None)
    return State(
        device=common.device,
        wall_ms=common.wall_ms,
        stale=common.stale,
        lamp=common.lamp,
        lamp_text=common.lamp_text,
        estop=common.estop,
        case_open=common.case_open,
        relay=common.relay,
        temperature_c=common.temperature_c,
        waiting=common.waiting,
        thinned=common.thinned,
        mode=telemetry.mode,
        mode_since_wall_ms=telemetry.mode_since_wall_ns // 1_000_000,
        equity=quote(telemetry.equity_quanta),
        cash=quote(telemetry.cash_quanta),
        day_pnl=quote(telemetry.day_pnl_quanta),
        drawdown_percent=percent(telemetry.drawdown_ppm),
        open_risk_percent=None if risk is None else percent(risk),
        positions=len(telemetry.positions),
        feed_age_ms=telemetry.feed_age_ms,
        journal_latency_us=telemetry.journal_latency_us,
        bad_checks=tuple(verdict.check for verdict in telemetry.health if not verdict.good),
        orders=telemetry.orders_count,
        fills=telemetry.fills_count,
        rejected=telemetry.rejected_count,
        dropped=sum(one.count for one in telemetry.dropped),
        head=f"{telemetry.head_sequence}:{telemetry.head_hash}",
    )


def chain_of(device: str, model: Model, journal: str | None, audit_head: str | None, wall_ms: int) -> Chain:
    """Return the chains' heads."""
    telemetry = model.telemetry
    head = None if telemetry is None else f"{telemetry.head_sequence}:{telemetry.head_hash}"
    return Chain(device=device, wall_ms=wall_ms, journal=journal, head=head, audit_head=audit_head)


def recent_of(device: str, model: Model, journal: str | None) -> Recent:
    """Return the recent past."""
    points = model.history.points[-RECENT_POINTS:]
    entries = [entry for entry in model.last_entries(RECENT_ENTRIES) if entry.kind != "equity"][-RECENT_ENTRIES:]
    return Recent(
        device=device,
        journal=journal,
        entries=tuple(RecentEntry(one.sequence, one.wall_ms, one.kind, one.title, str(one.tone)) for one in entries),
        equity=tuple((point.wall_ms, quote(point.equity_quanta)) for point in points),
    )
