"""Dashboards, alert rules and the exposition, judged by Prometheus' own tool and against each other."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from appliance import reporting
from appliance.core.clock import VirtualClock
from appliance.reporting.box import BoxView
from appliance.reporting.model import Model
from appliance.reporting.panel.counters import PanelCounters
from appliance.reporting.panel.metrics import PanelCollector
from appliance.reporting.panel.routes import routes
from appliance.wire.report import Latency
from tests.integration.reporting.scripted_trader import hello, telemetry

FOLDER = Path(reporting.__file__).parent
DASHBOARDS = sorted((FOLDER / "grafana").glob("*.json"))
ALERTS = FOLDER / "prometheus" / "alerts.yml"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="no promtool on this machine (Debian: prometheus)")
NAME = re.compile(r"\bbot4_\w+")
# Written by the MQTT side, which lives in a loop: test_mqtt looks at these.
OF_MQTT = {
    "bot4_mqtt_connected", "bot4_mqtt_outbox_messages", "bot4_mqtt_journal_shortened",
}  # fmt: skip


def exposition() -> str:
    """Return a page of metrics on which everything is known."""
    model, clock = Model(10), VirtualClock()
    model.greet(hello(0))
    latencies = (Latency("event wait", 1, (0, 3, 5)), Latency("journal commit", 1000, (0, 2)))
    model.take_telemetry(msgspec.structs.replace(telemetry(), latencies=latencies), clock.monotonic_ns())
    box = BoxView(
        lamp="NORMAL", estop=False, latch="clear", case_open=False, permitted=True, glitches=0, relay="pulsing",
        temperature_millicelsius=41_000,
    )  # fmt: skip
    model.take_box(box, ())
    return routes(model, clock, (PanelCollector(PanelCounters()),))["/metrics"]().body.decode()


def expressions() -> list[str]:
    """Return every query of every dashboard."""
    return [
        target["expr"]
        for path in DASHBOARDS
        for panel in json.loads(path.read_text())["panels"]
        for target in panel["targets"]
    ]


def promtool(*words: str, given: str = "") -> str:
    """Run Prometheus' tool, which must find nothing wrong."""
    result = subprocess.run(
        [str(PROMTOOL), *words], input=given, capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def test_there_are_three_dashboards_whose_panels_do_not_overlap() -> None:
    """Safety, risk and orders are there, each panel with a title and a place of its own; wrong if one hid another."""
    assert [path.stem for path in DASHBOARDS] == ["orders", "risk", "safety"]
    for path in DASHBOARDS:
        taken: set[tuple[int, int]] = set()
        for panel in json.loads(path.read_text())["panels"]:
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert panel["title"]
            assert place["x"] + place["w"] <= 24
            assert not cells & taken
            taken |= cells


def test_every_metric_asked_for_is_exposed() -> None:
    """No dashboard and no alert names a metric that nobody writes; wrong if a panel would stay empty for ever."""
    exposed = set(NAME.findall(exposition())) | OF_MQTT
    asked = {name for text in [*expressions(), ALERTS.read_text()] for name in NAME.findall(text)}
    assert asked - exposed == set()
    assert len(asked) > 25


@needs_promtool
def test_the_rules_are_sound_and_fire_when_they_should() -> None:
    """Prometheus accepts the rules and each one fires for its own fault only; wrong if one never could."""
    assert "SUCCESS" in promtool("check", "rules", str(ALERTS))
    assert "SUCCESS" in promtool("test", "rules", str(ALERTS.with_name("alerts_test.yml")))
    tested = ALERTS.with_name("alerts_test.yml").read_text()
    for name in re.findall(r"- alert: (\w+)", ALERTS.read_text()):
        assert f"alertname: {name}" in tested


@needs_promtool
def test_every_query_of_the_dashboards_is_understood(tmp_path: Path) -> None:
    """Prometheus' own parser takes every query; wrong if a panel showed an error instead of a line."""
    queries = [query.replace("$instance", ".*") for query in expressions()]
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    path = tmp_path / "rules.yml"
    path.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))
    assert "SUCCESS" in promtool("check", "rules", str(path))


@needs_promtool
def test_the_exposition_follows_the_conventions() -> None:
    """Prometheus' linter finds nothing in names, units and types; wrong if one is not as its conventions ask."""
    assert promtool("check", "metrics", given=exposition()) == ""
