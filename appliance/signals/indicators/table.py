"""What a row of the catalogue says, and the words it is written in."""

from collections.abc import Callable
from typing import NamedTuple

from appliance.signals.indicators.program import Series

LENGTH_MAX = 1_000
Outputs = Series | tuple[Series, ...]


class Parameter(NamedTuple):
    """Bound one parameter."""

    name: str
    default: float
    least: float
    most: float
    whole: bool


class Row(NamedTuple):
    """Describe one indicator; everything else about it follows from here.

    `formula` takes the inputs, then the parameters, in the order they are named. `oracle` names TA-Lib's function of
    the same inputs, parameters and outputs, in the same order; tests compare with it.
    """

    name: str
    family: str
    inputs: str
    parameters: tuple[Parameter, ...]
    outputs: str
    sentence: str
    formula: Callable[..., Outputs]
    oracle: str = ""


def whole(name: str, default: int, least: int = 2, most: int = LENGTH_MAX) -> Parameter:
    """Return a parameter that is a whole number."""
    return Parameter(name, default, least, most, whole=True)


def real(name: str, default: float, least: float, most: float) -> Parameter:
    """Return a parameter that is any number between two."""
    return Parameter(name, default, least, most, whole=False)


def length(default: int, least: int = 2) -> tuple[Parameter]:
    """Return the only parameter of most rows."""
    return (whole("length", default, least),)


def kind(name: str, default: int) -> Parameter:
    """Return the choice of an average, numbered as TA-Lib numbers them."""
    return whole(name, default, 0, 13)
