"""Both forms of every row of the catalogue: whole arrays and bar after bar, on good markets and on bad ones."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.kernels.indicators import layout, machine
from appliance.signals.indicators.catalogue import CATALOGUE, Fused, Wanted, fuse
from appliance.signals.indicators.compute import Stream, run
from appliance.signals.indicators.program import INPUTS
from tests.parity.indicators.markets import (
    EQUAL,
    Column,
    Market,
    assert_equal,
    coarse,
    holed,
    parameters_of,
    pick,
    walk,
)

NAMES = sorted(CATALOGUE)
ROWS = 130
LONG = 700
# Several blocks of the kernel, and a part of one.
BLOCKS = 4 * layout.BLOCK_ROWS_MAX + 333
# Defined on a part of the numbers only: a market of prices is mostly not theirs.
PARTIAL = frozenset({"acos", "asin"})


def whole(name: str, market: Market, parameters: dict[str, float]) -> Column:
    """Compute a row over arrays."""
    return run(fuse((Wanted(name, parameters),)), market)


def step_by_step(name: str, market: Market, parameters: dict[str, float]) -> Column:
    """Compute a row bar after bar."""
    stream = Stream(fuse((Wanted(name, parameters),)))
    rows = []
    for bar in zip(*(market[word].tolist() for word in INPUTS), strict=True):
        stream.update(*bar)
        rows.append(stream.values.copy())
    return np.array(rows).T


def in_blocks_of_one(fused: Fused, market: Market) -> Column:
    """Compute a program over arrays a row at a time, as a live bar is, where no tight loop over a block is taken."""
    program = fused.program
    out = np.empty((len(program.shown), BLOCKS))
    regs, state = np.zeros((program.registers_count, 1)), np.zeros(program.state_length)
    opened, high, low, close, volume, other = (
        market[word] if word in program.inputs else np.zeros(0) for word in INPUTS
    )
    inputs = (opened, high, low, close, volume, other)
    machine.run(program.code, program.parameters, program.shown, state, regs, inputs, out)
    return out


def blotted(seed: int) -> Market:
    """Return a market of many blocks, with holes, a swapped bar and a bad print in the third."""
    market, generator = walk(seed, BLOCKS), np.random.default_rng(seed)
    for row, word in zip(generator.integers(2_100, 3_000, 12), 2 * INPUTS, strict=True):
        market[word][row] = generator.choice([np.nan, np.inf, -np.inf])
    market["high"][2_500], market["low"][2_500] = market["low"][2_500], market["high"][2_500]
    market["high"][2_600] = market["close"][2_600] = 1e7
    return market


def for_parameters(name: str, check: Callable[[dict[str, float], int], None], examples: int = 2) -> None:
    """Run a check on parameters drawn from the table's bounds."""
    drawn = given(parameters_of(CATALOGUE[name]), st.integers(0, 10_000))
    settings(max_examples=examples, suppress_health_check=list(HealthCheck))(drawn(check))()


@pytest.mark.parametrize("name", NAMES)
def test_both_forms_agree(name: str) -> None:
    """Shows arrays and single bars equal to 1e-9, with flat runs, gaps, zeros and rows that are none; fails when an
    instruction forgets something between two blocks.
    """

    def check(parameters: dict[str, float], seed: int) -> None:
        for market in (coarse(seed, ROWS), holed(seed, ROWS)[0]):
            a, b = step_by_step(name, market, parameters), whole(name, market, parameters)
            for number, word in enumerate(CATALOGUE[name].outputs.split()):
                assert_equal(a[number], b[number], f"{name}.{word} {parameters}")

    for_parameters(name, check)


@pytest.mark.parametrize("name", NAMES)
def test_the_tight_loops_agree_with_the_steps(name: str) -> None:
    """Shows whole arrays, where warm blocks without holes go through tight loops, equal to 1e-9 to the steps row by
    row; fails when a tight loop leaves a wrong state behind, keeps what a hole spoiled, or rounds away what is small.
    """

    def check(parameters: dict[str, float], seed: int) -> None:
        fused = fuse((Wanted(name, parameters),))
        for market in (blotted(seed), coarse(seed, BLOCKS)):
            expected = in_blocks_of_one(fused, market)
            for number, word in enumerate(CATALOGUE[name].outputs.split()):
                assert_equal(run(fused, market)[number], expected[number], f"{name}.{word} {parameters}")

    for_parameters(name, check)


@pytest.mark.parametrize("name", NAMES)
def test_the_future_changes_nothing(name: str) -> None:
    """Shows that cutting the market off leaves every value before as it was; fails on any look-ahead."""

    def check(parameters: dict[str, float], seed: int) -> None:
        market = walk(seed, LONG)
        full = whole(name, market, parameters)
        for stop in (1, LONG // 3, LONG - 1):
            other = pick(market, slice(0, stop))
            np.testing.assert_allclose(whole(name, other, parameters), full[:, :stop], EQUAL, 1e-12, equal_nan=True)

    for_parameters(name, check)


@pytest.mark.parametrize("name", NAMES)
def test_a_row_that_is_none_might_as_well_not_be_there(name: str) -> None:
    """Shows NaN in rows with NaN or infinity, and the values after them as though they were absent; fails when such a
    row spoils a state.
    """

    def check(parameters: dict[str, float], seed: int) -> None:
        market, good = holed(seed, LONG)
        found = whole(name, market, parameters)
        assert np.isnan(found[:, ~good]).all()
        expected = whole(name, pick(market, good), parameters)
        np.testing.assert_allclose(found[:, good], expected, EQUAL, 1e-12, equal_nan=True)

    for_parameters(name, check)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_infinite_and_the_warm_up_is_as_told(name: str) -> None:
    """Shows the first value in the very row that the table's warm-up says, and never an infinity; fails when a
    division by nothing gets through or a listing promises another row.
    """

    def check(parameters: dict[str, float], seed: int) -> None:
        fused = fuse((Wanted(name, parameters),))
        for market in (walk(seed, LONG), coarse(seed, LONG)):
            assert not np.isinf(run(fused, market)).any()
        if name in PARTIAL | {"zigzag", "half_life"}:
            return
        found = run(fused, walk(seed, LONG))
        for warm, values in zip(fused.program.warm_up_rows, found, strict=True):
            first = int(np.argmax(~np.isnan(values)))
            # A division by nothing may hide a value, never show one early.
            assert first == warm or (first > warm and name == "schaff"), f"{name} {parameters}: {first}, not {warm}"

    for_parameters(name, check)


def test_one_program_of_many_equals_each_alone() -> None:
    """Shows the whole catalogue fused in two programs equal to its rows one by one; fails when registers, states or
    shared parts of two indicators get into each other's way.
    """
    market = walk(7, LONG)
    for part in (NAMES[::2], NAMES[1::2]):
        fused = fuse([Wanted(name) for name in part])
        single = np.vstack([whole(name, market, {}) for name in part])
        np.testing.assert_allclose(run(fused, market), single, EQUAL, 1e-12, equal_nan=True)


@pytest.mark.parametrize("name", ["sma", "bbands", "linearreg", "correl", "wma", "vwma"])
def test_an_outlier_leaves_nothing_behind(name: str) -> None:
    """Shows that after a bad print of 1e15 has left the window the values are as though it had been an ordinary one;
    fails when sums are kept by subtracting what leaves.
    """
    market = walk(3, 300)
    spiked = {key: values.copy() for key, values in market.items()}
    for key in ("high", "close"):
        spiked[key][100] = 1e15
    a, b = whole(name, spiked, {"length": 20}), whole(name, market, {"length": 20})
    for mine, other in zip(a, b, strict=True):
        assert_equal(mine[121:], other[121:], name)


def test_the_deviation_is_exact_however_high_the_price() -> None:
    """Shows the deviation of steps of one about a price of 1e9 to nine digits; fails when squares of prices are
    summed, as TA-Lib does.
    """
    close = 1e9 + np.tile([0.0, 1.0], 100)
    found = whole("stddev", {"close": close}, {"length": 10})[0]
    np.testing.assert_allclose(found[9:], 0.5, EQUAL)
