"""Every row of the catalogue that names a function of TA-Lib against that very function."""

from typing import Any

import numpy as np
import pytest
import talib
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.signals.indicators.catalogue import CATALOGUE
from appliance.signals.indicators.compute import batch
from appliance.signals.indicators.table import Row
from tests.parity.indicators.markets import Column, Market, as_columns, assert_equal, coarse, parameters_of, walk

ROWS = 320
COMPARED = sorted(name for name, row in CATALOGUE.items() if row.oracle)
# While price rests, TA-Lib's phasor is the rounding error of its running sums, and ours exactly zero; the angle of
# either means nothing.
RESTLESS = frozenset({"mama"})
# Defined on a part of the numbers only, or soon beyond the largest: a smaller market.
SMALL = frozenset({"acos", "asin", "cosh", "exp", "sinh"})


def market_for(name: str, market: Market) -> Market:
    """Return the market, smaller where the function wants it."""
    return {key: values / 1_000.0 for key, values in market.items()} if name in SMALL else market


def theirs(row: Row, market: Market, parameters: dict[str, float]) -> list[Column]:
    """Call TA-Lib's function; where its answer means the same in other words, put it in ours."""
    inputs = [market[name] for name in row.inputs.split()]
    values: list[Any] = [parameters[p.name] for p in row.parameters]
    if row.oracle == "MAVP":
        # TA-Lib wants the shortest first; ours takes them either way.
        values = [*sorted(values), 0]
    if row.oracle == "VWAP":
        values = []
    columns = as_columns(getattr(talib, row.oracle)(*inputs, *values))
    if row.oracle.endswith("INDEX"):
        columns = [np.arange(ROWS) - column for column in columns]
    return columns


def ours(row: Row, market: Market, parameters: dict[str, float]) -> list[Column]:
    """Compute the row, with the same words changed."""
    found = batch(row.name, market, **parameters)
    if row.oracle == "VWAP":
        return [found["vwap"]]
    if row.oracle == "FRACTAL":
        return [np.where(np.isnan(column), np.nan, 100.0 * (column != 0.0)) for column in found.values()]
    return list(found.values())


def compared(name: str, market: Market, parameters: dict[str, float], rough: float = 0.0) -> None:
    """Demand that both sides are equal."""
    row = CATALOGUE[name]
    if row.oracle == "VWAP":
        parameters = {**parameters, "session": 0}
    if row.oracle == "SAREXT":
        # TA-Lib takes a start value as it is; any in reach of the market will do.
        parameters = {**parameters, "begin": parameters["begin"] % 200.0 if parameters["begin"] else 0.0}
    for word, mine, other in zip(
        row.outputs.split(), ours(row, market, parameters), theirs(row, market, parameters), strict=False
    ):
        known = ~np.isnan(mine)
        # TA-Lib's whole numbers have no way to say that they are not known yet.
        integral = row.oracle in {"HT_TRENDMODE", "FRACTAL"} or row.oracle.endswith("INDEX") or word == "trend"
        reference = np.where(known, other, np.nan) if integral else other
        assert_equal(mine, reference, f"{name}.{word} {parameters}", rough)


@pytest.mark.parametrize("name", COMPARED)
def test_a_row_equals_its_function(name: str) -> None:
    """Shows every value, and the first row it appears in, equal to TA-Lib's for parameters drawn from the table's
    bounds; fails when a formula, a seed or a warm-up differs.
    """

    @settings(max_examples=12, suppress_health_check=list(HealthCheck))
    @given(parameters_of(CATALOGUE[name]), st.integers(0, 10_000))
    def check(parameters: dict[str, float], seed: int) -> None:
        compared(name, market_for(name, walk(seed, ROWS)), parameters)

    check()


@pytest.mark.parametrize("name", [name for name in COMPARED if name not in RESTLESS])
def test_a_row_equals_its_function_on_a_coarse_market(name: str) -> None:
    """Shows the same where values are equal, bars have no range and nothing trades; fails when a tie or a division by
    nothing is decided otherwise.
    """
    for seed in range(4):
        parameters = {parameter.name: parameter.default for parameter in CATALOGUE[name].parameters}
        compared(name, market_for(name, coarse(seed, ROWS)), parameters, 1e-9)
