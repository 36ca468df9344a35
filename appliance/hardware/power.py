"""What the Raspberry Pi's firmware says of its supply and of holding the processor back.

`get_throttled` is an attribute of the firmware's device: the same number that `vcgencmd get_throttled` prints, but
without a process or the firmware's mailbox, which the trader's sandbox does not reach. Kernels that have only the
rpi_volt sensor still tell of under-voltage.
"""

from pathlib import Path

from appliance.hardware.sysfs import FILES_MAX, first, parsed, text_of
from appliance.safety.health.verdict import Absent, Unreadable

_SENSOR = "rpi_volt"


def _hexadecimal(text: str) -> int:
    return int(text.removeprefix("throttled="), 16)


def _flag(text: str) -> int:
    return {"0": 0, "1": 1}[text]


def throttled_bits(root: Path = Path("/sys")) -> int | Absent | Unreadable:
    """Return the firmware's bits of throttling and under-voltage, now and since power-on."""
    found = first(list((root / "devices/platform").glob("soc*/*firmware/get_throttled")))
    return Absent("no firmware of a Raspberry Pi") if found is None else parsed(found, _hexadecimal)


def voltage_bits(root: Path = Path("/sys")) -> int | Absent | Unreadable:
    """Return the firmware's bits, or bit 0 alone from the under-voltage sensor."""
    bits = throttled_bits(root)
    if not isinstance(bits, Absent):
        return bits
    for monitor in sorted((root / "class/hwmon").glob("hwmon*"))[:FILES_MAX]:
        if text_of(monitor / "name") == _SENSOR:
            return parsed(monitor / "in0_lcrit_alarm", _flag)
    return Absent("neither firmware bits nor an under-voltage sensor")
