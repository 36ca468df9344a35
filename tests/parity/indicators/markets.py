"""Markets to compute on, and how a result is compared; what every test of the catalogue shares."""

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from appliance.signals.indicators.table import Parameter, Row

Column = npt.NDArray[np.float64]
Market = dict[str, Column]
LENGTH_MAX = 45
REAL_MOST = 200.0
EQUAL = 1e-9


def walk(seed: int, rows: int, level: float = 100.0) -> Market:
    """Return a random walk of ordinary bars, and a second series of small whole numbers."""
    generator = np.random.default_rng(seed)
    close = level * np.exp(np.cumsum(generator.normal(0.0, 0.01, rows)))
    opened = close * (1.0 + generator.normal(0.0, 0.004, rows))
    return {
        "open": opened,
        "high": np.maximum(opened, close) * (1.0 + np.abs(generator.normal(0.0, 0.004, rows))),
        "low": np.minimum(opened, close) * (1.0 - np.abs(generator.normal(0.0, 0.004, rows))),
        "close": close,
        "volume": generator.uniform(100.0, 1_000.0, rows),
        "other": generator.integers(1, LENGTH_MAX, rows).astype(float),
    }


def coarse(seed: int, rows: int) -> Market:
    """Return a market on a coarse grid: equal values everywhere, flat runs, gaps, bars without range, zero volume."""
    market, generator = walk(seed, rows), np.random.default_rng(seed)
    for begin in generator.integers(0, rows, 3):
        stop = begin + rows // 8
        for name in ("open", "high", "low", "close"):
            market[name][begin:stop] = market["close"][begin]
        market["volume"][begin : begin + rows // 40] = 0.0
    for begin in generator.integers(0, rows, 2):
        for name in ("open", "high", "low", "close"):
            market[name][begin:] *= 1.1
    for name in ("open", "high", "low", "close"):
        market[name] = np.round(market[name])
    return market


def holed(seed: int, rows: int) -> tuple[Market, npt.NDArray[np.bool_]]:
    """Return a market with rows that no market can have, and which rows are good."""
    market, generator = walk(seed, rows), np.random.default_rng(seed)
    good = np.ones(rows, np.bool_)
    good[[0, 1, rows - 1]] = False
    good[generator.integers(2, rows - 1, rows // 10)] = False
    for row in np.flatnonzero(~good):
        spoiled = float(generator.choice([np.nan, np.inf, -np.inf]))
        for name in market:
            market[name][row] = spoiled
    return market, good


def pick(market: Market, rows: slice | npt.NDArray[np.bool_]) -> Market:
    """Return some rows of a market."""
    return {name: np.ascontiguousarray(values[rows]) for name, values in market.items()}


def values_for(parameter: Parameter) -> st.SearchStrategy[float]:
    """Draw a value of one parameter; lengths stay short enough for a market of a few hundred rows."""
    if parameter.whole:
        return st.integers(int(parameter.least), int(min(parameter.most, max(LENGTH_MAX, parameter.least))))
    least, most = max(parameter.least, -REAL_MOST), min(parameter.most, REAL_MOST)
    return (
        st.floats(least, most, allow_subnormal=False)
        .map(lambda value: round(value, 6))
        .filter(lambda value: least <= value <= most)
    )


def parameters_of(row: Row) -> st.SearchStrategy[dict[str, float]]:
    """Draw all parameters of a row, or its defaults."""
    drawn = st.fixed_dictionaries({parameter.name: values_for(parameter) for parameter in row.parameters})
    return st.just({parameter.name: parameter.default for parameter in row.parameters}) | drawn


def assert_equal(ours: Column, theirs: Column, where: str, rough: float = 0.0) -> None:
    """Demand equal gaps and values equal to 1e-9 of themselves, or of their usual size where they are near zero."""
    known = ~np.isnan(theirs)
    np.testing.assert_array_equal(~np.isnan(ours), known, err_msg=f"{where}: not known in the same rows")
    if known.any():
        a, b = ours[known], theirs[known]
        bound = EQUAL * np.maximum(np.abs(b), np.mean(np.abs(b))) + rough
        away = np.abs(a - b)
        assert np.all(away <= bound), f"{where}: {a[away > bound][:3]} instead of {b[away > bound][:3]}"


def as_columns(result: npt.ArrayLike | list[Column] | tuple[Column, ...]) -> list[Column]:
    """Return TA-Lib's one or several arrays as a list."""
    columns = result if isinstance(result, list | tuple) else [result]
    return [np.asarray(column, np.float64) for column in columns]
