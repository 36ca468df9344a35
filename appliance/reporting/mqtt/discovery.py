"""What Home Assistant needs to find the appliance by itself: one retained announcement for each sensor.

The announcements follow Home Assistant's MQTT discovery: <prefix>/<component>/<node>/<object>/config. Every sensor
reads the one state topic; it is unavailable while the reporter is away, and unknown when the state is too old.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from appliance.reporting.mqtt.topics import OFFLINE, ONLINE, Topics
from appliance.safety.lamps import Lamp
from appliance.safety.lease import RelayState
from appliance.safety.modes import Mode

MANUFACTURER = "Bot4"
MODEL = "Edge"
_EXPIRE_S_MIN = 15
_EXPIRE_INTERVALS = 3
_DETAILS: Mapping[str, object] = MappingProxyType({"entity_category": "diagnostic"})


class _Sensor(NamedTuple):
    component: str
    key: str
    name: str
    template: str
    extra: Mapping[str, object]


def _plain(key: str) -> str:
    return f"{{{{ value_json.{key} }}}}"


def _on(condition: str) -> str:
    return f"{{{{ 'ON' if {condition} else 'OFF' }}}}"


def _sensors(currency: str) -> tuple[_Sensor, ...]:
    money: dict[str, object] = {
        "device_class": "monetary",
        "unit_of_measurement": currency,
        "state_class": "total",
        "suggested_display_precision": 2,
    }
    share: dict[str, object] = {
        "unit_of_measurement": "%",
        "state_class": "measurement",
        "suggested_display_precision": 2,
    }
    modes = {"device_class": "enum", "options": [mode.name for mode in Mode], "icon": "mdi:state-machine"}
    lamps = {"device_class": "enum", "options": [lamp.name for lamp in Lamp], "icon": "mdi:alarm-light"}
    relay_words = [relay.name.lower() for relay in RelayState]
    relays = {"device_class": "enum", "options": relay_words, "icon": "mdi:electric-switch"}
    age = {"device_class": "duration", "unit_of_measurement": "s", "state_class": "measurement"}
    heat = {"device_class": "temperature", "unit_of_measurement": "°C", "state_class": "measurement"}
    counted = {"state_class": "total_increasing"}
    return (
        _Sensor("sensor", "lamp", "Lamp", _plain("lamp"), lamps),
        _Sensor("sensor", "mode", "Mode", _plain("mode"), modes),
        _Sensor("sensor", "relay", "Watchdog relay", _plain("relay"), relays),
        _Sensor("sensor", "equity", "Equity", _plain("equity"), money),
        _Sensor("sensor", "day_profit", "Profit today", _plain("day_pnl"), money),
        _Sensor("sensor", "drawdown", "Drawdown", _plain("drawdown_percent"), share),
        _Sensor("sensor", "open_risk", "Heat limit used", _plain("open_risk_percent"), share),
        _Sensor("sensor", "fills", "Fills", _plain("fills"), counted),
        _Sensor(
            "sensor",
            "feed_age",
            "Market data age",
            "{{ (value_json.feed_age_ms / 1000) if value_json.feed_age_ms is not none else none }}",
            {**age, **_DETAILS},
        ),
        _Sensor("sensor", "temperature", "Processor temperature", _plain("temperature_c"), {**heat, **_DETAILS}),
        _Sensor("sensor", "waiting", "Messages waiting", _plain("waiting"), {"state_class": "measurement", **_DETAILS}),
    )


def _binary_sensors() -> tuple[_Sensor, ...]:
    return (
        _Sensor(
            "binary_sensor",
            "estop",
            "Stop button latched",
            "{{ None if value_json.estop is none else ('ON' if value_json.estop else 'OFF') }}",
            {"device_class": "safety"},
        ),
        _Sensor(
            "binary_sensor",
            "case",
            "Case opened",
            "{{ None if value_json.case_open is none else ('ON' if value_json.case_open else 'OFF') }}",
            {"device_class": "tamper"},
        ),
        _Sensor("binary_sensor", "silent", "Trader silent", _on("value_json.stale"), {"device_class": "problem"}),
        _Sensor(
            "binary_sensor",
            "health",
            "Health",
            _on("value_json.bad_checks | count > 0"),
            {"device_class": "problem", **_DETAILS},
        ),
    )


def announcements(
    topics: Topics, prefix: str, version: str, currency: str, state_interval_s: int
) -> Iterator[tuple[str, bytes]]:
    """Yield topic and payload of every announcement."""
    node = f"bot4_{topics.device.replace('-', '_').replace('.', '_')}"
    shared: dict[str, Any] = {
        "availability": [
            {
                "topic": topics.availability,
                "payload_available": ONLINE.decode(),
                "payload_not_available": OFFLINE.decode(),
            }
        ],
        "device": {
            "identifiers": [node],
            "name": topics.device,
            "manufacturer": MANUFACTURER,
            "model": MODEL,
            "sw_version": version,
        },
        "origin": {"name": "Bot4 Edge", "sw_version": version},
        "state_topic": topics.state,
        "qos": 1,
        "expire_after": max(state_interval_s * _EXPIRE_INTERVALS, _EXPIRE_S_MIN),
    }
    for sensor in (*_sensors(currency), *_binary_sensors()):
        document = {
            **shared,
            "name": sensor.name,
            "unique_id": f"{node}_{sensor.key}",
            "value_template": sensor.template,
            **sensor.extra,
        }
        yield f"{prefix}/{sensor.component}/{node}/{sensor.key}/config", msgspec.json.encode(document)
