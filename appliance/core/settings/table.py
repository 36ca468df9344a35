"""All settings as one table, read off the sections' annotations: nothing is written down twice."""

from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import NamedTuple, get_type_hints

from appliance.core.require import require
from appliance.core.settings.kinds import Kind
from appliance.core.settings.machine import Backups, Health, Journal, Log, Mqtt, Paths, Pins, Reporter, Safety
from appliance.core.settings.trading import Breakers, Device, Market, Models, Orders, Recorder, Risk, Trading, Venue


@dataclass(frozen=True, slots=True)
class Config:
    """Hold every setting of one file, and the SHA-256 of exactly the bytes it came from."""

    device: Device
    trading: Trading
    venue: Venue
    market: Market
    orders: Orders
    risk: Risk
    models: Models
    breakers: Breakers
    safety: Safety
    pins: Pins
    health: Health
    journal: Journal
    backups: Backups
    recorder: Recorder
    reporter: Reporter
    mqtt: Mqtt
    paths: Paths
    log: Log
    fingerprint: str


class Setting(NamedTuple):
    """Describe one setting."""

    section: str
    key: str
    kind: Kind
    default: object
    explanation: str

    @property
    def name(self) -> str:
        """Return `section.key`."""
        return f"{self.section}.{self.key}"

    @property
    def expected(self) -> str:
        """Say what is accepted, in which unit."""
        return self.kind.expected(_unit_of(self.section, self.key))


# The first match counts, so longer endings come first.
_UNITS = (
    ("_megabytes_per_day", "megabytes a day"),
    ("_per_minute", "orders a minute"),
    ("_per_second", "trades a second"),
    ("_per_s", "requests a second"),
    ("_percent", "percent"),
    ("_quote", "quote currency"),
    ("_celsius", "degrees Celsius"),
    ("_bytes", "bytes"),
    ("_pages", "pages"),
    ("_rows", "rows"),
    ("_ms", "milliseconds"),
    ("_us", "microseconds"),
    ("_s", "seconds"),
)


def _unit_of(section: str, key: str) -> str:
    bare = "_" + key.removesuffix("_max").removesuffix("_min")
    for ending, unit in _UNITS:
        if bare.endswith(ending):
            return unit
    return "BCM numbering" if section == "pins" else ""


SECTIONS: dict[str, type] = {
    name: kind for name, kind in get_type_hints(Config).items() if isinstance(kind, type) and is_dataclass(kind)
}


def _settings_of(section: str) -> Iterator[Setting]:
    annotations = get_type_hints(SECTIONS[section], include_extras=True)
    for part in fields(SECTIONS[section]):
        kind, explanation = annotations[part.name].__metadata__
        require(part.default is not MISSING, f"{section}.{part.name} has no default")
        yield Setting(section, part.name, kind, part.default, explanation)


SETTINGS: dict[str, Setting] = {one.name: one for section in SECTIONS for one in _settings_of(section)}
