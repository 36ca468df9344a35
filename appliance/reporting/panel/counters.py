"""What the panel counts about its connections."""

from dataclasses import dataclass


@dataclass(slots=True)
class PanelCounters:
    """Count what happened to connections."""

    answered: int = 0
    refused: int = 0
    hung_up: int = 0
    pushed_out: int = 0
    turned_away: int = 0
    timed_out: int = 0
    streams: int = 0
    pressed: int = 0
