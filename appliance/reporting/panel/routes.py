"""The fixed table of what the panel answers: an exact path or 404. No path ever becomes a file name."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import msgspec
from prometheus_client.registry import Collector

from appliance.core.clock import Clock
from appliance.reporting.metrics import METRICS_TYPE, Metrics
from appliance.reporting.model import Model
from appliance.reporting.panel.lamp_style import style_sheet
from appliance.reporting.panel.response import Response
from appliance.reporting.panel.view import update

EVENTS_PATH = "/events"
Handler = Callable[[], Response]
_FOLDER = Path(__file__).resolve().parent
_FILES = (
    ("/", "page.html", "text/html; charset=utf-8"),
    ("/panel.css", "panel.css", "text/css; charset=utf-8"),
    ("/panel.js", "panel.js", "text/javascript; charset=utf-8"),
    ("/chart.js", "chart.js", "text/javascript; charset=utf-8"),
    ("/icon.svg", "icon.svg", "image/svg+xml"),
)
_JSON_TYPE = "application/json"


def routes(model: Model, clock: Clock, more: Sequence[Collector] = ()) -> Mapping[str, Handler]:
    """Return every path the panel answers, and how; the files are read once, here."""
    metrics = Metrics(model, clock, more)
    table: dict[str, Handler] = {
        path: _fixed(content_type, (_FOLDER / name).read_bytes()) for path, name, content_type in _FILES
    }
    table["/lamp.css"] = _fixed("text/css; charset=utf-8", style_sheet().encode())
    table["/state.json"] = lambda: _state(model, clock)
    table["/metrics"] = lambda: Response(200, METRICS_TYPE, metrics.page())
    table["/healthz"] = lambda: _health(model, clock)
    return MappingProxyType(table)


def _fixed(content_type: str, body: bytes) -> Handler:
    response = Response(200, content_type, body)
    return lambda: response


def _state(model: Model, clock: Clock) -> Response:
    document, _ = update(model, clock.monotonic_ns(), None)
    return Response(200, _JSON_TYPE, msgspec.json.encode(document))


def _health(model: Model, clock: Clock) -> Response:
    now_ns = clock.monotonic_ns()
    stale = model.stale(now_ns)
    document = {"good": not stale, "telemetry_age_ms": model.age_ms(now_ns), "last_sequence": model.last_sequence}
    return Response(503 if stale else 200, _JSON_TYPE, msgspec.json.encode(document))
