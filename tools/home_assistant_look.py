"""Run Home Assistant's own core with its MQTT integration and print what it made of the announcements, as JSON lines.

Started by home_assistant.py with Home Assistant's interpreter; imports nothing of ours. Prints every entity once all of
them have a state, and again after each line on standard input, once any of them has changed.
"""

import asyncio
import json
import sys
from typing import Any

from homeassistant.bootstrap import async_setup_hass
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry, entity_registry
from homeassistant.runner import RuntimeConfig

TURN_S = 0.2
WAIT_S_MAX = 90.0


def entities(hass: HomeAssistant) -> dict[str, dict[str, Any]]:
    """Return every entity by its unique_id."""
    found = {}
    for entry in entity_registry.async_get(hass).entities.values():
        state = hass.states.get(entry.entity_id)
        shown = dict(state.attributes) if state is not None else {}
        found[entry.unique_id] = {
            "entity_id": entry.entity_id,
            "state": None if state is None else state.state,
            "device_class": shown.get("device_class"),
            "unit": shown.get("unit_of_measurement"),
            "name": shown.get("friendly_name"),
        }
    return found


async def settled(hass: HomeAssistant, count: int, wanted: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return the entities once there are so many, all with a state and some with the wanted ones, or what there is."""
    for _ in range(int(WAIT_S_MAX / TURN_S)):
        found = entities(hass)
        states = {identity: one["state"] for identity, one in found.items()}
        known = all(state not in {None, "unavailable"} for state in states.values())
        if len(found) >= count and known and all(states.get(key) == value for key, value in wanted.items()):
            return found
        await asyncio.sleep(TURN_S)
    return entities(hass)


async def look(folder: str, count: int) -> None:
    """Look once for every line of wanted states."""
    hass = await async_setup_hass(RuntimeConfig(config_dir=folder, skip_pip=True, safe_mode=False))
    if hass is None:
        raise SystemExit("Home Assistant did not start")
    await hass.async_start()
    while line := await asyncio.to_thread(sys.stdin.readline):
        found = await settled(hass, count, json.loads(line))
        devices = [device.name for device in device_registry.async_get(hass).devices.values()]
        sys.stdout.write(json.dumps({"entities": found, "devices": devices}) + "\n")
        sys.stdout.flush()
    await hass.async_stop(force=True)


asyncio.run(look(sys.argv[1], int(sys.argv[2])))
