"""Dashboards, alert rules and the exposition, judged by Prometheus' own tool and against each other."""

import asyncio
import json
import re
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from appliance import reporting
from appliance.core.clock import SystemClock, VirtualClock
from appliance.reporting.box import BoxView
from appliance.reporting.model import Model
from appliance.reporting.mqtt.keeper import MqttKeeper
from appliance.reporting.mqtt.metrics import MqttCollector
from appliance.reporting.panel.counters import PanelCounters
from appliance.reporting.panel.metrics import PanelCollector
from appliance.reporting.panel.routes import routes
from appliance.wire.report import Latency
from tests.integration.reporting.mqtt_parts import config_for
from tests.integration.reporting.scripted_trader import hello, telemetry

FOLDER = Path(reporting.__file__).parent
DASHBOARDS = sorted((FOLDER / "grafana").glob("*.json"))
ALERTS = FOLDER / "prometheus" / "alerts.yml"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="no promtool on this machine (Debian: prometheus)")
NAME = re.compile(r"\bbot4_\w+")
# A key as RFC 8032, 7.1, gives one.
KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


def exposition(folder: Path) -> str:
    """Return a page of metrics on which everything is known; the broker it is to publish to is away."""
    config = config_for(folder, f'broker = "mqtt://127.0.0.1:1"\n[safety]\nremote_stop_key = "{KEY}"')

    async def body() -> str:
        keeper = MqttKeeper(config, Model(10), SystemClock(), lambda: 0.0)
        assert await keeper.open()
        try:
            return page(MqttCollector(keeper))
        finally:
            await keeper.close()

    return asyncio.run(body())


def page(of_mqtt: MqttCollector) -> str:
    """Return the page with what the MQTT side counts."""
    model, clock = Model(10), VirtualClock()
    model.greet(hello(0))
    latencies = (Latency("event wait", 1, (0, 3, 5)), Latency("journal commit", 1000, (0, 2)))
    model.take_telemetry(msgspec.structs.replace(telemetry(), latencies=latencies), clock.monotonic_ns())
    box = BoxView(
        lamp="NORMAL", estop=False, latch="clear", case_open=False, permitted=True, glitches=0, relay="pulsing",
        temperature_millicelsius=41_000,
    )  # fmt: skip
    model.take_box(box, ())
    return routes(model, clock, (PanelCollector(PanelCounters()), of_mqtt))["/metrics"]().body.decode()


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


def test_every_metric_asked_for_is_exposed(tmp_path: Path) -> None:
    """No dashboard and no alert names a metric that nobody writes; wrong if a panel would stay empty for ever."""
    exposed = set(NAME.findall(exposition(tmp_path)))
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
def test_the_exposition_follows_the_conventions(tmp_path: Path) -> None:
    """Prometheus' linter finds nothing in names, units and types; wrong if one is not as its conventions ask."""
    assert promtool("check", "metrics", given=exposition(tmp_path)) == ""
