"""The catalogue: every indicator by name, checked once when it is read, and programs made from it."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from appliance.core.errors import IndicatorError
from appliance.core.require import require
from appliance.signals.indicators import (
    rows_arithmetic,
    rows_momentum,
    rows_statistics,
    rows_trend,
    rows_volatility,
    rows_volume,
)
from appliance.signals.indicators.program import Draft, Program, Series
from appliance.signals.indicators.table import Row

NAMES_MAX: Final = 200


class Wanted(NamedTuple):
    """Ask for one indicator with its parameters; those not named keep their defaults."""

    name: str
    parameters: Mapping[str, float] = MappingProxyType({})


class Fused(NamedTuple):
    """Hold one program of several indicators, and what its outputs are called."""

    program: Program
    names: tuple[str, ...]


def _by_name(rows: Sequence[Row]) -> Mapping[str, Row]:
    found = {row.name: row for row in rows}
    require(len(found) == len(rows), "two indicators of one name")
    return MappingProxyType(found)


CATALOGUE: Final = _by_name(
    (
        *rows_trend.ROWS,
        *rows_momentum.ROWS,
        *rows_volatility.ROWS,
        *rows_volume.ROWS,
        *rows_statistics.ROWS,
        *rows_arithmetic.ROWS,
    )
)


def find(name: str) -> Row:
    """Return a row by name."""
    row = CATALOGUE.get(name)
    if row is None:
        raise IndicatorError(f"There is no indicator {name!r}: `appliance indicators` lists all {len(CATALOGUE)}.")
    return row


def values_of(row: Row, given: Mapping[str, float]) -> tuple[float, ...]:
    """Return the parameters in order, those not given by default; refuse what is unknown or out of bounds."""
    unknown = sorted(given.keys() - {parameter.name for parameter in row.parameters})
    if unknown:
        known = ", ".join(parameter.name for parameter in row.parameters) or "no parameters"
        raise IndicatorError(f"{row.name} has no parameter {unknown[0]!r}: it has {known}.")
    values = []
    for parameter in row.parameters:
        value = given.get(parameter.name, parameter.default)
        if isinstance(value, bool) or not math.isfinite(value) or not parameter.least <= value <= parameter.most:
            raise IndicatorError(
                f"{row.name}: {parameter.name} is {value}, but must be from {parameter.least:g} to {parameter.most:g}."
            )
        if parameter.whole and value != int(value):
            raise IndicatorError(f"{row.name}: {parameter.name} is {value}, but must be a whole number.")
        values.append(int(value) if parameter.whole else float(value))
    return tuple(values)


def fuse(wanted: Sequence[Wanted]) -> Fused:
    """Return one program that computes all of these in one pass, shared parts once."""
    if not 0 < len(wanted) <= NAMES_MAX:
        raise IndicatorError(f"{len(wanted)} indicators were asked for: ask for 1 to {NAMES_MAX} at once.")
    draft = Draft()
    outputs: list[Series] = []
    names: list[str] = []
    for want in wanted:
        row = find(want.name)
        values = values_of(row, want.parameters)
        made = row.formula(*(draft.input(name) for name in row.inputs.split()), *values)
        made = made if isinstance(made, tuple) else (made,)
        words = row.outputs.split()
        require(len(words) == len(made), f"{row.name} names {len(words)} outputs and makes {len(made)}")
        outputs += made
        names += [f"{row.name}.{word}" if len(words) > 1 else row.name for word in words]
    return Fused(draft.finish(outputs), tuple(names))
