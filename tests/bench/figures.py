"""What every bench returns and how it is shown."""

from typing import TypedDict


class Figure(TypedDict):
    """Hold one measured figure, and what to reach where something was set."""

    stage: str
    value: float
    unit: str
    reach: float | None


def figure(stage: str, value: float, unit: str, reach: float | None = None) -> Figure:
    """Return one line of the table."""
    return {"stage": stage, "value": value, "unit": unit, "reach": reach}


def line(measured: Figure) -> str:
    """Return a figure as a person reads it."""
    reach = "" if measured["reach"] is None else f"  (to reach: {measured['reach']:,g})"
    return f"{measured['stage']:<52} {measured['value']:>16,.1f} {measured['unit']}{reach}"


def show(figures: list[Figure]) -> None:
    """Print the table."""
    for measured in figures:
        print(line(measured))
