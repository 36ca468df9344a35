"""The model as the page reads it: text ready to show, whole numbers to draw, nothing left to compute in a browser."""

import msgspec

from appliance.reporting.amounts import (
    QUANTA_PER_CENT,
    duration_ns,
    money,
    percent,
    price,
    signed_money,
    size,
)
from appliance.reporting.model import Model, Point
from appliance.reporting.panel.lamp_style import lamp_code, lamp_text
from appliance.reporting.story import Entry
from appliance.wire.report import Latency, Telemetry

ENTRIES_SHOWN_MAX = 200
AUDIT_SHOWN_MAX = 12
_MODE_TEXTS = {
    "BOOT": "Starting: the journal is being replayed.",
    "RECONCILING": "Comparing its books with the venue before anything is traded.",
    "NORMAL": "Trading within its limits.",
    "REDUCED": "Trading smaller: something asks for care.",
    "PAUSED": "Opens nothing new; may still reduce and cancel.",
    "EMERGENCY": "Stopping: every entry is being cancelled and checked.",
    "HALTED": "Stopped. Only the reset button on the box can make it ready again.",
    "FAULT": "Stopped by a fault that needs a person.",
}
_RELAY_TEXTS = {
    "unfitted": "no watchdog relay is wired",
    "pulsing": "held by the pulse",
    "dropped": "dropped: no pulse",
}
_FULL_PPM = 1_000_000


class Cursor(msgspec.Struct, frozen=True, gc=False):
    """Remember how far one reader has been told."""

    sequence: int
    point_ms: int
    interval_ms: int
    generation: int


def state(model: Model, now_ns: int) -> dict[str, object]:
    """Return the state of the moment."""
    document: dict[str, object] = {"stale": model.stale(now_ns), "age_ms": model.age_ms(now_ns)}
    if model.hello is not None:
        document |= {
            "device": model.hello.device,
            "journal_tag": model.hello.journal_tag,
            "synthetic": model.hello.synthetic,
            "started_wall_ms": model.hello.started_wall_ns // 1_000_000,
        }
    document |= _box(model)
    if model.telemetry is not None:
        document |= _mode(model.telemetry) | _account(model, model.telemetry) | _machine(model.telemetry)
        document["health"] = _health(model, model.telemetry)
    return document | _lamp(model, now_ns)


def update(model: Model, now_ns: int, cursor: Cursor | None) -> tuple[dict[str, object], Cursor]:
    """Return what a reader with this cursor does not know yet, and its new cursor; all of it without one."""
    points = model.history.points
    known = cursor if cursor is not None and cursor.generation == model.generation else None
    document: dict[str, object] = {"state": state(model, now_ns)}
    document |= _entries(model, known) | _points(points, model.history.interval_ms, known)
    last_ms = points[-1].wall_ms if points else 0
    return document, Cursor(model.last_sequence or 0, last_ms, model.history.interval_ms, model.generation)


def _entries(model: Model, cursor: Cursor | None) -> dict[str, object]:
    newer = None if cursor is None else model.entries_after(cursor.sequence, ENTRIES_SHOWN_MAX)
    if newer is None:
        return {"entries_all": _plain(model.last_entries(ENTRIES_SHOWN_MAX))}
    return {"entries_new": _plain(newer)} if newer else {}


def _plain(entries: list[Entry]) -> list[dict[str, object]]:
    documents: list[dict[str, object]] = msgspec.to_builtins(entries)
    return documents


def _points(points: tuple[Point, ...], interval_ms: int, cursor: Cursor | None) -> dict[str, object]:
    if cursor is None or cursor.interval_ms != interval_ms or (points and points[-1].wall_ms < cursor.point_ms):
        return {"points_all": [_pair(point) for point in points]}
    newer = [_pair(point) for point in points[-ENTRIES_SHOWN_MAX:] if point.wall_ms > cursor.point_ms]
    return {"points_new": newer} if newer else {}


def _pair(point: Point) -> tuple[int, int, int]:
    return point.wall_ms, point.equity_quanta // QUANTA_PER_CENT, point.drawdown_ppm


def _box(model: Model) -> dict[str, object]:
    box, known = model.box, {}
    if box.latch is not None:
        known["estop"] = "pressed or latched" if box.estop else "released"
        known["permission"] = "given" if box.permitted else "withdrawn"
        known["case"] = "open" if box.case_open else "shut"
        known["relay"] = _RELAY_TEXTS.get(box.relay or "", "not known")
    if box.temperature_millicelsius is not None:
        known["temperature"] = f"{box.temperature_millicelsius / 1000:.1f} °C"
    document: dict[str, object] = {"bench": model.bench} if model.bench else {}
    if known:
        document["box"] = known
    if model.audit:
        document["audit"] = [msgspec.to_builtins(one) for one in model.audit[-AUDIT_SHOWN_MAX:]]
    return document


def _lamp(model: Model, now_ns: int) -> dict[str, object]:
    """Return the lamp as its owner drives it, or as the trader last told; of an old word nothing is left to show."""
    told = model.telemetry.lamp if model.telemetry is not None and not model.stale(now_ns) else ""
    lamp = model.box.lamp or told
    return {"lamp": lamp_code(lamp), "lamp_text": lamp_text(lamp)}


def _mode(telemetry: Telemetry) -> dict[str, object]:
    return {
        "mode": telemetry.mode,
        "mode_text": _MODE_TEXTS.get(telemetry.mode, "A mode this page does not know."),
        "mode_since_wall_ms": telemetry.mode_since_wall_ns // 1_000_000,
        "wall_ms": telemetry.wall_ns // 1_000_000,
    }


def _account(model: Model, telemetry: Telemetry) -> dict[str, object]:
    grids = model.grids
    return {
        "equity": money(telemetry.equity_quanta),
        "cash": money(telemetry.cash_quanta),
        "day_pnl": signed_money(telemetry.day_pnl_quanta),
        "day_sign": (telemetry.day_pnl_quanta > 0) - (telemetry.day_pnl_quanta < 0),
        "drawdown": percent(telemetry.drawdown_ppm),
        "positions": [
            {
                "instrument": position.instrument,
                "side": "long" if position.size_lots > 0 else "short",
                "size": size(grids.get(position.instrument), position.size_lots),
                "price": price(grids.get(position.instrument), position.price_ticks),
                "value": money(position.value_quanta),
            }
            for position in telemetry.positions
            if position.size_lots
        ],
        "exposure": [
            {"limit": exposure.limit.replace("_", " "), "used_ppm": exposure.used_ppm, "text": _used(exposure.used_ppm)}
            for exposure in telemetry.exposure
        ],
    }


def _used(used_ppm: int) -> str:
    text = percent(used_ppm, 0 if used_ppm >= _FULL_PPM // 10 else 1)
    return f"{text} · at its limit" if used_ppm >= _FULL_PPM else text


def _machine(telemetry: Telemetry) -> dict[str, object]:
    feed_age_ms, latency_us = telemetry.feed_age_ms, telemetry.journal_latency_us
    return {
        "feed_age": duration_ns(None if feed_age_ms is None else feed_age_ms * 1_000_000),
        "journal_latency": duration_ns(None if latency_us is None else latency_us * 1_000),
        "tick_to_order_p50": duration_ns(telemetry.tick_to_order_ns_p50),
        "tick_to_order_p99": duration_ns(telemetry.tick_to_order_ns_p99),
        "tick_to_order_p99_9": duration_ns(telemetry.tick_to_order_ns_p99_9),
        "events": f"{telemetry.events_count:,}",
        "orders": f"{telemetry.orders_count:,}",
        "fills": f"{telemetry.fills_count:,}",
        "rejected": f"{telemetry.rejected_count:,}",
        "dropped": [{"queue": dropped.queue, "count": f"{dropped.count:,}"} for dropped in telemetry.dropped],
        "head_sequence": f"{telemetry.head_sequence:,}",
        "head_hash": telemetry.head_hash,
        "latencies": [_latency(one) for one in telemetry.latencies if sum(one.counts)],
    }


def _health(model: Model, telemetry: Telemetry) -> list[dict[str, object]]:
    """Return the trader's checks, and what the reporter itself cannot do."""
    checks: list[dict[str, object]] = [
        {"check": verdict.check.replace("_", " "), "good": verdict.good, "detail": verdict.detail}
        for verdict in telemetry.health
    ]
    if model.mqtt_trouble:
        checks.append({"check": "mqtt", "good": False, "detail": model.mqtt_trouble})
    return checks


def _latency(latency: Latency) -> dict[str, object]:
    """Return a histogram from its first to its last filled place, with the places that hold half and nearly all."""
    counts, total = latency.counts, sum(latency.counts)
    filled = [place for place, count in enumerate(counts) if count]
    return {
        "name": latency.name,
        "total": f"{total:,}",
        "median": f"< {duration_ns(_upper_ns(latency, total * 50 // 100))}",
        "most": f"< {duration_ns(_upper_ns(latency, total * 99 // 100))}",
        "bars": [
            {"below": duration_ns(latency.base_ns << place), "share_ppm": counts[place] * _FULL_PPM // total}
            for place in range(filled[0], filled[-1] + 1)
        ],
    }


def _upper_ns(latency: Latency, rank: int) -> int:
    seen = 0
    for place, count in enumerate(latency.counts):
        seen += count
        if seen > rank:
            return latency.base_ns << place
    return latency.base_ns << len(latency.counts)
