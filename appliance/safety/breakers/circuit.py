"""The life of a circuit breaker, as a table.

Theory of operation. CLOSED lets entries pass. A measure that is out of its bounds trips the breaker to OPEN, and no
entry passes. Once every measure has been well inside its bounds for a whole cool-down, it is HALF_OPEN: a few trial
entries may pass, and what becomes of them decides. All well: CLOSED. One bad, or a new trip: OPEN again, for longer.

    CLOSED ──trip──► OPEN ──cooled──► HALF_OPEN ──proven──► CLOSED
                      ▲ └──released──► CLOSED │
                      └────── trip, failed ───┘

Some causes are not waited out but held: a limit of the account, or the owner's own word. They end by release, and need
no trial. A pair that the table maps to the state itself changes nothing; every pair is listed.
"""

from enum import IntEnum, StrEnum, unique
from types import MappingProxyType
from typing import Final


@unique
class State(IntEnum):
    """Name how far a breaker is open; the worse of two is the greater."""

    CLOSED = 1
    HALF_OPEN = 2
    OPEN = 3


@unique
class Stimulus(StrEnum):
    """Name what can happen to a breaker."""

    TRIP = "trip"
    COOLED = "cooled"
    RELEASED = "released"
    PROVEN = "proven"
    FAILED = "failed"


@unique
class Cause(StrEnum):
    """Name why a breaker opens."""

    ERROR_RATE = "error rate"
    LATENCY = "latency"
    TOXIC_FLOW = "toxic flow"
    SPREAD = "spread"
    VOLUME = "volume"
    API_ERRORS = "connection errors"
    RISK_LIMIT = "risk limit"
    MANUAL = "held by the configuration"


HELD_CAUSES: Final = frozenset({Cause.RISK_LIMIT, Cause.MANUAL})

TABLE: Final = MappingProxyType(
    {
        (State.CLOSED, Stimulus.TRIP): State.OPEN,
        (State.CLOSED, Stimulus.COOLED): State.CLOSED,
        (State.CLOSED, Stimulus.RELEASED): State.CLOSED,
        (State.CLOSED, Stimulus.PROVEN): State.CLOSED,
        (State.CLOSED, Stimulus.FAILED): State.CLOSED,
        (State.OPEN, Stimulus.TRIP): State.OPEN,
        (State.OPEN, Stimulus.COOLED): State.HALF_OPEN,
        (State.OPEN, Stimulus.RELEASED): State.CLOSED,
        (State.OPEN, Stimulus.PROVEN): State.OPEN,
        (State.OPEN, Stimulus.FAILED): State.OPEN,
        (State.HALF_OPEN, Stimulus.TRIP): State.OPEN,
        (State.HALF_OPEN, Stimulus.COOLED): State.HALF_OPEN,
        (State.HALF_OPEN, Stimulus.RELEASED): State.HALF_OPEN,
        (State.HALF_OPEN, Stimulus.PROVEN): State.CLOSED,
        (State.HALF_OPEN, Stimulus.FAILED): State.OPEN,
    }
)
