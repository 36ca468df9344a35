"""The processor's temperature, from the kernel's thermal zone of the processor and no other one."""

from pathlib import Path

from appliance.hardware.sysfs import FILES_MAX, parsed, text_of
from appliance.safety.health.verdict import Absent, Unreadable

_ZONES = ("cpu-thermal", "cpu_thermal", "x86_pkg_temp")


def temperature_millicelsius(root: Path = Path("/sys")) -> int | Absent | Unreadable:
    """Return thousandths of a degree."""
    for zone in sorted((root / "class/thermal").glob("thermal_zone*"))[:FILES_MAX]:
        if text_of(zone / "type") in _ZONES:
            return parsed(zone / "temp", int)
    return Absent("no thermal zone of a processor")
