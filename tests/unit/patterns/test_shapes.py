"""Every shape is found where it was planted, is known no sooner than its bars, and says what ends it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.signals.patterns.elliott import impulse, keeps_the_rules
from appliance.signals.patterns.finder import REACHES, Match, PatternFinder, find_patterns
from appliance.signals.patterns.shape import View, inside, line_through, near, together
from tests.unit.patterns.planted import PLANTS, Bars, Plant, overlap, plant, walk

GOES_DOWN = {
    "double top",
    "triple top",
    "head and shoulders",
    "descending triangle",
    "rising wedge",
    "falling channel",
    "bear flag",
    "bear pennant",
    "Elliott impulse up",
    "Elliott zigzag up",
    "Elliott flat up",
}
GOES_UP = {what.mirrored if what.name in GOES_DOWN else what.name for what in PLANTS} - {
    "symmetrical triangle",
    "rectangle",
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("what", PLANTS, ids=lambda what: what.name)
def test_a_planted_shape_is_found(what: Plant, seed: int) -> None:
    """Shows each shape and its mirror image found where it is; fails when a detector or its mirroring is broken."""
    planted = plant(what, 0.02 if what.name.startswith("Elliott") else 0.0, seed)
    found = [match for match in find_patterns(planted.bars) if match.name == planted.name]
    assert any(overlap(match, planted) > 0.6 for match in found), [match.bars for match in found]


def some_matches() -> list[Match]:
    """Return what is found in all plants and in a random walk."""
    planted = [match for what in PLANTS for seed in (0, 1) for match in find_patterns(plant(what, 0.02, seed).bars)]
    return [*planted, *find_patterns(walk(5, 5_000))]


def test_a_match_says_which_way_and_what_ends_it() -> None:
    """Shows the direction of each named shape and a level on its other side; fails when a sign is mixed up."""
    matches = some_matches()
    for match in matches:
        if match.name in GOES_DOWN or match.name.startswith("bearish"):
            assert match.direction == -1, match
        if match.name in GOES_UP or match.name.startswith("bullish"):
            assert match.direction == 1, match
        last = match.prices[-1]
        if match.direction < 0:
            assert match.ends_at >= min(last, match.prices[-2]), match
        elif match.direction > 0:
            assert match.ends_at <= max(last, match.prices[-2]), match
        assert 0.0 < match.quality <= 1.0
        assert match.known_bar > match.bars[-1] > match.bars[0]
        assert len(match.bars) == len(match.prices)
    assert {name for what in PLANTS for name in (what.name, what.mirrored)} <= {match.name for match in matches}


def test_the_level_is_not_broken_when_a_shape_becomes_known() -> None:
    """Shows that no shape is told which its own level has ended already; fails when a dead shape is offered."""
    bars = walk(9, 8_000)
    for match in find_patterns(bars):
        last = bars[2][match.bars[-1] + 1 : match.known_bar + 1]
        broken = (match.direction < 0 and last.max() > match.ends_at) or (
            match.direction > 0 and last.min() < match.ends_at
        )
        assert not broken, match


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 30), st.integers(0, 700))
def test_the_future_changes_no_match(seed: int, end: int) -> None:
    """Shows the matches of shortened bars among those of all bars; fails when a shape looks ahead."""
    bars = walk(seed, 700)
    whole = [match for match in find_patterns(bars, quality_min=0.2) if match.known_bar < end]
    assert list(find_patterns([column[:end] for column in bars], quality_min=0.2)) == whole


@pytest.mark.parametrize("reach", REACHES)
def test_bar_by_bar_equals_the_arrays(reach: float) -> None:
    """Shows the live form equal to the arrays, at the very bar at which a match is known; fails on any difference."""
    bars = walk(11, 4_000)
    finder = PatternFinder(reach)
    singly: list[Match] = []
    for number, (high, low, close) in enumerate(zip(*(column.tolist() for column in bars), strict=True)):
        found = finder.update(high, low, close)
        assert all(match.known_bar == number for match in found)
        singly += found
    assert sorted(singly, key=lambda match: (match.known_bar, match.name, match.bars)) == list(
        find_patterns(bars, [reach])
    )


def test_a_shape_has_no_unit() -> None:
    """Shows the same shapes in cents and in thousands; fails when a tolerance is a price."""
    bars = walk(4, 3_000)
    for factor in (0.015625, 1024.0):
        scaled: Bars = (bars[0] * factor, bars[1] * factor, bars[2] * factor)
        assert [(m.name, m.bars, m.quality) for m in find_patterns(scaled)] == [
            (m.name, m.bars, m.quality) for m in find_patterns(bars)
        ]


@pytest.mark.parametrize("value", [0.0, 5.0, math.nan, math.inf])
def test_bars_that_never_move_or_are_none_draw_nothing(value: float) -> None:
    """Shows flat and missing bars without a shape or a division by zero; fails when one is found or raised."""
    column = np.full(300, value)
    assert find_patterns((column, column, column)) == ()


@pytest.mark.parametrize(
    ("turns", "kept"),
    [
        ((0.0, 1.0, 0.5, 2.0, 1.5, 2.5), True),
        ((0.0, 1.0, -0.01, 2.0, 1.5, 2.5), False),
        ((0.0, 1.0, 0.5, 1.2, 1.1, 2.5), False),
        ((0.0, 1.0, 0.5, 2.0, 0.99, 2.5), False),
        ((0.0, 1.0, 0.5, 2.0, 1.5, 1.9), False),
    ],
    ids=["kept", "wave 2 below the start", "wave 3 shortest", "wave 4 in wave 1", "wave 5 too short"],
)
def test_the_rules_of_elliott_are_conditions(turns: tuple[float, ...], kept: bool) -> None:
    """Shows each rule broken alone; fails when a count that breaks it is offered."""
    assert keeps_the_rules(turns) is kept
    assert bool(list(impulse(View(tuple(range(6)), turns, 1, turns[-1])))) is kept


def test_the_measures_by_hand() -> None:
    """Shows each measure at, near and beyond its limits; fails when one is inverted."""
    assert (near(1.0, 1.0, 0.5), near(1.25, 1.0, 0.5), near(2.0, 1.0, 0.5)) == (1.0, 0.5, 0.0)
    assert (inside(1.5, 1.0, 2.0, 1.0), inside(2.5, 1.0, 2.0, 1.0), inside(0.0, 1.0, 2.0, 1.0)) == (1.0, 0.5, 0.0)
    assert (together(1.0, 0.25), together(1.0, 0.0)) == (0.5, 0.0)
    line = line_through((0, 2, 4), (1.0, 3.0, 5.0))
    assert (line.slope, line.at(10), line.worst) == (1.0, 11.0, 0.0)


def test_bad_settings_are_refused() -> None:
    """Shows reaches and qualities outside their range refused; fails when one is taken."""
    for reach, quality in ((0.0, 0.5), (math.inf, 0.5), (2.0, -0.1), (2.0, 1.1)):
        with pytest.raises(ValueError, match="reach must be"):
            PatternFinder(reach, quality)
