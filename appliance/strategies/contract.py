"""What a strategy is: a pure opinion on one instrument, asked once per closed bar."""

import enum
from typing import NamedTuple, Protocol

from appliance.signals.features import Features


class Stance(enum.StrEnum):
    """Name what a strategy wants to be."""

    ENTER = "enter"
    LEAVE = "leave"
    WAIT = "wait"


class Opinion(NamedTuple):
    """Say what a strategy wants and why, in words a person reads."""

    stance: Stance
    reason: str


WAIT = Opinion(Stance.WAIT, "")


class Strategy(Protocol):
    """Form an opinion from features; hold no money and know no orders."""

    @property
    def name(self) -> str:
        """Return the name under which positions and limits are kept."""
        ...

    def opinion(self, features: Features) -> Opinion:
        """Say what the features suggest; features that are not warm (NaN) suggest waiting."""
        ...
