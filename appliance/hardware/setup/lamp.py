"""The lamp when the settings on the card are wrong: blue and yellow in turn, which nothing else shows."""

import time
from typing import Final

from appliance.core.clock import Clock
from appliance.core.settings.table import Config
from appliance.hardware.pins import PinAssignment, open_pins
from appliance.safety.lamps import Colour, Pattern, Phase

PATTERN: Final = Pattern("blue and yellow in turn", (Phase(Colour.BLUE, 500), Phase(Colour.YELLOW, 500)))
_LOOK_S: Final = 0.05


def blink(config: Config, clock: Clock, for_ns: int | None = None) -> None:
    """Show it until the power goes, or for so long."""
    pins = config.pins
    yellow = pins.yellow if pins.yellow_fitted else None
    assignment = PinAssignment(pins.estop, pins.reset, None, None, pins.red, pins.green, pins.blue, yellow)
    lamps = open_pins(pins.factory, assignment, clock)
    began_ns = clock.monotonic_ns()
    try:
        while for_ns is None or clock.monotonic_ns() - began_ns < for_ns:
            lamps.show(PATTERN.at((clock.monotonic_ns() - began_ns) // 1_000_000, yellow_fitted=pins.yellow_fitted))
            time.sleep(_LOOK_S)
    finally:
        lamps.close()
