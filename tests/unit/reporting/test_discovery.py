"""The announcements fit what Home Assistant accepts.

The tables below are facts that Home Assistant publishes about its MQTT integration: the options of an announcement for
each component (home-assistant.io/integrations/sensor.mqtt and binary_sensor.mqtt), the device classes with their units,
and the rules that its sensor entity checks.
"""

import re
from typing import Any

import msgspec
import pytest

from appliance.reporting.mqtt.discovery import announcements
from appliance.reporting.mqtt.payloads import State
from appliance.reporting.mqtt.topics import Topics

COMMON = {
    "availability", "availability_mode", "availability_template", "availability_topic", "device", "device_class",
    "default_entity_id", "enabled_by_default", "encoding", "entity_category", "entity_picture", "expire_after",
    "force_update", "icon", "json_attributes_template", "json_attributes_topic", "name", "origin",
    "payload_available", "payload_not_available", "platform", "qos", "state_topic", "unique_id", "value_template",
}  # fmt: skip
ALLOWED = {
    "sensor": COMMON
    | {"last_reset_value_template", "options", "state_class", "suggested_display_precision", "unit_of_measurement"},
    "binary_sensor": COMMON | {"off_delay", "payload_off", "payload_on"},
}
DEVICE = {
    "configuration_url", "connections", "hw_version", "identifiers", "manufacturer", "model", "model_id", "name",
    "serial_number", "suggested_area", "sw_version", "via_device",
}  # fmt: skip
# Device class: allowed units (None: an ISO 4217 code) and state classes.
SENSOR_CLASSES: dict[str, tuple[set[str] | None, set[str]]] = {
    "monetary": (None, {"total"}),
    "duration": ({"d", "h", "min", "s", "ms", "µs"}, {"measurement", "total", "total_increasing"}),
    "temperature": ({"°C", "°F", "K"}, {"measurement"}),
    "enum": (set(), set()),
}
BINARY_CLASSES = {"connectivity", "problem", "running", "safety", "tamper"}
CATEGORIES = {"config", "diagnostic"}
TOPICS = Topics("bot4-edge", "bot4-demo")
ALL = {topic: msgspec.json.decode(payload) for topic, payload in announcements(TOPICS, "homeassistant", "1", "USD", 5)}
EACH = pytest.mark.parametrize(("topic", "document"), ALL.items(), ids=[topic.split("/")[3] for topic in ALL])


@EACH
def test_an_announcement_has_only_known_options(topic: str, document: dict[str, Any]) -> None:
    """Topic and options are of the form Home Assistant reads; wrong if it would refuse the whole announcement."""
    match = re.fullmatch(r"homeassistant/(sensor|binary_sensor)/([A-Za-z0-9_-]+)/([A-Za-z0-9_-]+)/config", topic)
    assert match is not None
    assert set(document) <= ALLOWED[match[1]]
    assert set(document["device"]) <= DEVICE
    assert document["device"]["identifiers"]
    assert set(document["origin"]) <= {"name", "sw_version", "support_url"}
    assert document["state_topic"] == TOPICS.state
    assert document["availability"][0]["topic"] == TOPICS.availability
    assert document.get("entity_category", "diagnostic") in CATEGORIES


@EACH
def test_classes_and_units_belong_together(topic: str, document: dict[str, Any]) -> None:
    """A class has one of its units and state classes; wrong if Home Assistant would log it as invalid or ignore it."""
    kind = document.get("device_class")
    if topic.split("/")[1] == "binary_sensor":
        assert kind in BINARY_CLASSES
        return
    unit, state_class = document.get("unit_of_measurement"), document.get("state_class")
    if kind == "enum":
        assert document["options"]
        assert (unit, state_class) == (None, None)
    elif kind is not None:
        units, state_classes = SENSOR_CLASSES[kind]
        assert state_class in state_classes
        assert re.fullmatch("[A-Z]{3}", str(unit)) if units is None else unit in units
    else:
        assert state_class in {"measurement", "total", "total_increasing"}
    assert "options" not in document or kind == "enum"


@EACH
def test_a_template_reads_fields_that_exist(topic: str, document: dict[str, Any]) -> None:
    """Every template names fields of the state; wrong if a sensor would stay unknown for ever."""
    fields = {field.name for field in msgspec.structs.fields(State)}
    named = set(re.findall(r"value_json\.(\w+)", document["value_template"]))
    assert named
    assert named <= fields


def test_identities_are_unique() -> None:
    """No two announcements share a unique_id; wrong if Home Assistant would keep only one of them."""
    identities = [document["unique_id"] for document in ALL.values()]
    assert len(identities) == len(set(identities)) >= 14
