"""What the guardian itself tells about the box, seen past the trader: its page, read-only, and the processor's heat.

The lamp, the stop button and the case are the guardian's. Reading them from its page, not from the trader's telemetry,
keeps them true when the trader is dead, which is when somebody looks.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from appliance.core.clock import NANOSECONDS_PER_SECOND, Clock
from appliance.safety.lamps import Lamp
from appliance.safety.lease import LatchState, LeaseReader, RelayState, lease_path
from appliance.safety.page import boot_identity

GUARDIAN_SILENT_NS = NANOSECONDS_PER_SECOND


class BoxView(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Carry what is known of the box at one moment; None where nobody tells."""

    lamp: str | None = None
    estop: bool | None = None
    latch: str | None = None
    case_open: bool | None = None
    permitted: bool | None = None
    glitches: int | None = None
    relay: str | None = None
    temperature_millicelsius: int | None = None


class Box:
    """Look at the guardian's page."""

    __slots__ = ("_clock", "_lease", "_temperature")

    def __init__(self, runtime: Path, clock: Clock, temperature: Callable[[], object]) -> None:
        """Look at the page in this runtime folder, and at the processor through this."""
        self._lease = LeaseReader(lease_path(runtime), boot_identity())
        self._clock = clock
        self._temperature = temperature

    def look(self) -> BoxView:
        """Return what is known now; a guardian that is silent means a dark lamp and no permission."""
        now_ns = self._clock.monotonic_ns()
        measured = self._temperature()
        heat = measured if isinstance(measured, int) else None
        if now_ns - self._lease.beat_ns() > GUARDIAN_SILENT_NS:
            self._lease.refresh()
        known = self._lease.information()
        if known is None:
            return BoxView(temperature_millicelsius=heat)
        silent = now_ns - self._lease.beat_ns() > GUARDIAN_SILENT_NS
        lamp = Lamp.DARK.name if silent or known.lamp not in Lamp.__members__.values() else Lamp(known.lamp).name
        return BoxView(
            lamp=lamp,
            estop=known.latch_state in {LatchState.SUSPECT, LatchState.LATCHED, LatchState.READY},
            latch=known.latch_state.name.lower(),
            case_open=known.case_open,
            permitted=self._lease.permits(now_ns),
            glitches=known.glitch_count,
            relay=_relay(known.relay, silent=silent).name.lower(),
            temperature_millicelsius=heat,
        )


def _relay(told: RelayState, *, silent: bool) -> RelayState:
    """Return what a watchdog relay must be doing: without a guardian nothing pulses."""
    return RelayState.DROPPED if silent and told is RelayState.PULSING else told
