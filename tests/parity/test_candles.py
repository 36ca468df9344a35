"""All candlestick patterns against TA-Lib's own, bar by bar, and the one-bar form against the arrays.

Prices lie on grids whose steps binary fractions cannot hold, because there an average and a body are often equal but
for rounding: a total added up in another order is found out within a few thousand bars.
"""

import io
import itertools
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest
import talib
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st
from talib import abstract

from appliance.kernels.patterns.candles import CANDLES, DEPTHS, Candle, find_candles, new_state, over, update
from tests.recorded.kraken_data import recorded_file

Floats = npt.NDArray[np.float64]
Bars = tuple[Floats, Floats, Floats, Floats]
GRIDS = (1.0, 0.1, 0.01, 0.3, 1.0 / 3.0, 1e-8)
ENDS_MEET = 80
# Where each bar opens against the last close, its body, and how far each shadow reaches.
SHAPES = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 0, 1, -1, 3, -3, 9, -9, 400, -400]),
        st.sampled_from([0, 0, 1, -1, 2, -2, 5, -5, 8, -8, 30, -30, 5000, -5000]),
        st.sampled_from([0, 0, 0, 1, 2, 10, 60]),
        st.sampled_from([0, 0, 0, 1, 2, 10, 60]),
    ),
    min_size=1,
    max_size=120,
)
Shapes = list[tuple[int, int, int, int]]


def bars_of(shapes: Shapes, grid: float, base: int = 100_000) -> Bars:
    """Return the bars of such shapes, one after the other, from a price of so many steps."""
    jumps, bodies, above, below = (np.array(column, np.int64) for column in zip(*shapes, strict=True))
    close = base + np.cumsum(jumps + bodies)
    open_ = close - bodies
    high, low = np.maximum(open_, close) + above, np.minimum(open_, close) - below
    return cast("Bars", tuple(column * grid for column in (open_, high, low, close)))


def drawn(seed: int, count: int, scale: int) -> Bars:
    """Return random bars: every other seed leaves gaps, and sizes are from a few steps to hundreds."""
    draw = np.random.default_rng(seed)
    bodies = draw.integers(-scale, scale + 1, count)
    jumps = draw.integers(-scale, scale + 1, count) * draw.integers(0, 2, count) * (seed % 2)
    above, below = (draw.integers(0, scale + 1, count) * draw.integers(0, 2, count) for _ in range(2))
    return bars_of(list(zip(jumps, bodies, above, below, strict=True)), GRIDS[seed % len(GRIDS)])


def oracle(candle: Candle, bars: Bars, **options: float) -> npt.NDArray[np.int32]:
    """Return TA-Lib's column."""
    return cast("npt.NDArray[np.int32]", getattr(talib, f"CDL{candle.name}")(*bars, **options))


def differing(bars: Bars) -> list[tuple[str, int]]:
    """Return each pattern that differs from TA-Lib's, and the first bar where it does."""
    found = find_candles(bars)
    pairs = [(candle.name, np.flatnonzero(found[:, n] != oracle(candle, bars))) for n, candle in enumerate(CANDLES)]
    return [(name, int(places[0])) for name, places in pairs if len(places)]


def test_the_catalogue_is_ta_libs() -> None:
    """Shows every pattern of TA-Lib in its order with its lookback; fails when one is missing or starts elsewhere."""
    groups: dict[str, list[str]] = cast("Any", talib).get_function_groups()
    assert [f"CDL{candle.name}" for candle in CANDLES] == groups["Pattern Recognition"]
    functions: list[Any] = [cast("Any", abstract).Function(f"CDL{candle.name}") for candle in CANDLES]
    assert [candle.before for candle in CANDLES] == [function.lookback for function in functions]
    with_depth = {c.name: f.parameters["penetration"] for c, f in zip(CANDLES, functions, strict=True) if f.parameters}
    assert with_depth == DEPTHS


@settings(max_examples=80, deadline=None)
@given(SHAPES, st.sampled_from(GRIDS))
@example([(0, 0, 0, 0)] * 40, 0.1)
@example([(0, 1, 0, 0), (0, -1, 0, 0)] * 30, 0.01)
@example([(400, 1, 1, 1), (-400, -1, 1, 1)] * 30, 0.3)
def test_adversarial_bars_equal_ta_lib(shapes: Shapes, grid: float) -> None:
    """Shows flat runs, gaps, dojis and huge bars judged as TA-Lib does; fails when one pattern differs at one bar."""
    assert differing(bars_of(shapes, grid)) == []


def test_figures_that_equal_their_average_equal_ta_lib() -> None:
    """Shows figures that equal their average but for rounding; fails when a total begins at another bar.

    Prices are near zero: there a body is rounded as finely as the total that it is compared with.
    """
    for seed in range(100):
        draw = np.random.default_rng(seed)
        count, step = 1_000, int(draw.integers(1, 8))
        bodies = step * draw.choice([-1, 1], count)
        bodies -= np.sign(np.cumsum(bodies)) * step * draw.integers(0, 2, count)
        jumps = draw.integers(-1, 2, count) * draw.integers(0, 2, count)
        above, below = (step * (draw.integers(0, 9, count) == 0) for _ in range(2))
        bars = bars_of(list(zip(jumps, bodies, above, below, strict=True)), GRIDS[1 + seed % 5], 0)
        assert differing(bars) == [], seed


def test_many_random_bars_equal_ta_lib_and_find_everything() -> None:
    """Shows 240,000 random bars equal, each pattern found among them; fails on one differing bar or a dead pattern."""
    seen = np.zeros(len(CANDLES), np.int64)
    for seed in range(60):
        bars = drawn(seed, 4_000, (1, 2, 3, 5, 10, 30, 300)[seed % 7])
        assert differing(bars) == [], seed
        seen += np.count_nonzero(find_candles(bars), axis=0)
    rare = drawn_rare()
    assert differing(rare) == []
    seen += np.count_nonzero(find_candles(rare), axis=0)
    assert [candle.name for candle, count in zip(CANDLES, seen, strict=True) if count == 0] == []


def drawn_rare() -> Bars:
    """Return bars in which the patterns that chance hardly draws are drawn by hand, over and over."""
    quiet: Shapes = [(0, 4, 3, 3), (0, -4, 3, 3)] * 8
    kick: Shapes = [(0, -20, 0, 0), (30, 20, 0, 0)]
    hold: Shapes = [(0, 40, 1, 1), (3, -2, 0, 0), (-1, -2, 0, 0), (-1, -2, 0, 0), (5, 40, 0, 0)]
    methods: Shapes = [(0, 40, 1, 1), (-2, -2, 1, 1), (0, -2, 1, 1), (0, -2, 1, 1), (3, 40, 1, 1)]
    south: Shapes = [(0, -30, 1, 40), (10, -15, 3, 14), (2, -4, 0, 0)]
    swallow: Shapes = [(0, -20, 0, 0), (0, -20, 0, 0), (-5, -4, 12, 1), (20, -40, 1, 1)]
    return bars_of([shape for rare in (kick, hold, methods, south, swallow) for shape in [*quiet, *rare]] * 3, 0.1)


@pytest.mark.parametrize("name", sorted(DEPTHS))
def test_depths_equal_ta_libs_penetration(name: str) -> None:
    """Shows each depth used by its own pattern alone; fails when two are mixed up or one is ignored."""
    bars = stars()
    plain = find_candles(bars)
    for depth in (0.0, 0.9):
        found = find_candles(bars, {name: depth})
        for number, candle in enumerate(CANDLES):
            options = {"penetration": depth} if candle.name == name else {}
            np.testing.assert_array_equal(found[:, number], oracle(candle, bars, **options), candle.name)
            assert np.array_equal(found[:, number], plain[:, number]) == (candle.name != name), candle.name


def stars() -> Bars:
    """Return bars in which stars, babies, clouds and holds turn at every depth into the first body."""
    shapes: Shapes = []
    for down in range(1, 60, 2):
        quiet: Shapes = [(0, 4, 3, 3), (0, -4, 3, 3)] * 7
        for sign in (1, -1):
            for middle in (0, sign * 2):
                shapes += [
                    *quiet,
                    (0, 40 * sign, 1, 1),
                    (3 * sign, middle, 0, 0),
                    (-3 * sign - middle, -down * sign, 1, 1),
                ]
        shapes += [*quiet, (0, 40, 1, 1), (4, -down, 1, 1)]
        shapes += [*quiet, (0, 40, 1, 1), (3, -2, 0, 0), (-1 - down // 2, -2, 0, 0), (-1, -2, 0, 0), (5, 90, 0, 0)]
    return bars_of(shapes, 0.1)


def test_spy_equals_the_recorded_columns() -> None:
    """Shows two years of SPY equal to columns recorded by others; fails when a pattern differs from the record.

    The record is of an older TA-Lib, which found no harami, and no engulfing, where two ends of bodies meet; a newer
    one gives 80 there, and so do we.
    """
    packed = recorded_file("reference/columns/spy_candle_patterns.txt.zst").read_bytes()
    text = zstandard.ZstdDecompressor().decompress(packed, 10**8).decode()
    header = text.splitlines()[0].split(",")
    table = np.genfromtxt(io.StringIO(text), delimiter=",", skip_header=1)
    bars = cast("Bars", tuple(table[:, header.index(name)] for name in ("Open", "High", "Low", "Close")))
    found = find_candles(bars)
    compared = 0
    for number, candle in enumerate(CANDLES):
        wanted = table[:, header.index(f"CDL{candle.name}")]
        told = ~np.isnan(wanted) & (np.abs(found[:, number]) != ENDS_MEET)
        compared += int(told.sum())
        np.testing.assert_array_equal(found[told, number], wanted[told], candle.name)
    assert compared > 28_000


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.lists(st.integers(1, 200), min_size=1, max_size=6))
def test_bar_by_bar_equals_the_arrays(seed: int, pieces: list[int]) -> None:
    """Shows one bar at a time, and any cut into pieces, equal to one pass: nothing ahead is read; fails on any bar."""
    bars = drawn(seed, sum(pieces), 5)
    whole = find_candles(bars)
    singly, piecewise = new_state(), new_state()
    out = np.zeros(len(CANDLES), np.int16)
    for bar in range(len(bars[0])):
        update(singly, bars[0][bar], bars[1][bar], bars[2][bar], bars[3][bar], out)
        np.testing.assert_array_equal(out, whole[bar])
    start = 0
    for piece in pieces:
        rows = np.zeros((piece, len(CANDLES)), np.int16)
        columns = [np.ascontiguousarray(column[start : start + piece]) for column in bars]
        over(piecewise, rows, *columns)
        np.testing.assert_array_equal(rows, whole[start : start + piece])
        start += piece


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 1000),
    st.dictionaries(st.integers(0, 299), st.sampled_from([np.nan, np.inf, -np.inf, 1e305]), min_size=1, max_size=5),
    st.integers(0, 3),
)
def test_a_bar_that_is_none_starts_everything_again(seed: int, holes: dict[int, float], column: int) -> None:
    """Shows NaN, infinity and overflow anywhere as a clean start after them; fails when one leaks into later bars."""
    bars = drawn(seed, 300, 5)
    for place, value in holes.items():
        bars[column][place] = value
    found = find_candles(bars)
    edges = [-1, *sorted(holes), 300]
    for before, after in itertools.pairwise(edges):
        run = cast("Bars", tuple(np.ascontiguousarray(whole[before + 1 : after]) for whole in bars))
        np.testing.assert_array_equal(found[before + 1 : after], find_candles(run))
        if after < 300:
            assert not found[after].any()


def test_a_high_below_the_low_is_no_bar() -> None:
    """Shows a bar whose ends are exchanged finding nothing, nor anything after it until warm; fails when it does."""
    bars = drawn(1, 60, 5)
    bars[1][40], bars[2][40] = bars[2][40] - 1.0, bars[1][40]
    assert not find_candles(bars)[40:43].any()


def test_bad_columns_and_depths_are_refused() -> None:
    """Shows unequal columns, tables and unknown depths refused in a sentence; fails when one is taken."""
    with pytest.raises(ValueError, match="one length"):
        find_candles([[1.0, 2.0], [1.0], [1.0], [1.0]])
    with pytest.raises(ValueError, match="one length"):
        find_candles([np.ones((2, 2))] * 4)
    for depths in ({"DOJI": 0.3}, {"MATHOLD": -0.1}, {"MATHOLD": float("nan")}):
        with pytest.raises(ValueError, match="depths"):
            new_state(depths)


@pytest.mark.parametrize("count", range(16))
def test_too_few_bars_find_nothing_early(count: int) -> None:
    """Shows arrays from none to sixteen bars, in any layout; fails when a pattern speaks before it may."""
    table = np.array(drawn(3, count, 3)).T if count else np.zeros((0, 4))
    found = find_candles([table[:, column] for column in range(4)])
    assert found.shape == (count, len(CANDLES))
    for number, candle in enumerate(CANDLES):
        assert not found[: candle.before, number].any()
