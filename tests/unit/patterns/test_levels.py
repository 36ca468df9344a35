"""Support, resistance and Fibonacci levels, by hand and against the future."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.signals.patterns.levels import FIBONACCI, SWINGS_MAX, TOUCHES_MIN, clusters, fibonacci
from appliance.signals.patterns.shape import Swing


def swings(*prices: float) -> list[Swing]:
    """Return alternating swings at these prices."""
    return [Swing(10 * n, price, 1 if n % 2 else -1, 10 * n + 4, price) for n, price in enumerate(prices)]


def test_a_floor_and_a_ceiling_are_found() -> None:
    """Shows three lows and three highs as one band each, with what ends them; fails when one is missed or inverted."""
    found = {level.kind: level for level in clusters(swings(100, 120, 101, 119, 100.5, 119.5), 110.0, 2.0)}
    floor, ceiling = found["support"], found["resistance"]
    assert (floor.band, floor.touches, floor.direction, floor.ends_at) == ((100, 101), 3, 1, 98.0)
    assert (ceiling.band, ceiling.touches, ceiling.direction, ceiling.ends_at) == ((119, 120), 3, -1, 122.0)
    assert floor.price == pytest.approx(100.5)
    assert floor.bars == (0, 40)


@given(st.lists(st.floats(1, 1000), max_size=100), st.floats(0.01, 50))
def test_bands_are_narrow_touched_and_apart(prices: list[float], width: float) -> None:
    """Shows every band within its width, touched enough, no swing in two; fails when a swing is counted twice."""
    found = list(clusters(swings(*prices), 500.0, width))
    assert all(level.touches >= TOUCHES_MIN and level.band[1] - level.band[0] <= width * 1.0001 for level in found)
    assert sum(level.touches for level in found) <= min(len(prices), SWINGS_MAX)
    assert all(0.0 < level.quality < 1.0 for level in found)


def test_fibonacci_levels_of_a_rise() -> None:
    """Shows the levels of a leg from 100 to 200, one of them turned at before; fails when it is upside down."""
    found = list(fibonacci(swings(150, 161.8, 100, 200)[-3:], 1.0))
    assert [round(level.price, 6) for level in found] == [round(200 - 100 * ratio, 6) for ratio in FIBONACCI]
    assert all(level.direction == 1 for level in found)
    assert [level.ends_at for level in found][:5] == [100.0] * 5
    touched = list(fibonacci(swings(150, 161.8, 100, 200), 1.0))
    assert [level.touches for level in touched] == [0, 1, 1, 0, 0, 0, 0]
    assert max(level.quality for level in touched) == pytest.approx(1 / 3)


def test_one_swing_has_no_leg() -> None:
    """Shows nothing from a single swing; fails when a level is made up."""
    assert list(fibonacci(swings(5.0), 1.0)) == []
    assert list(clusters(swings(5.0, 5.0), 5.0, 1.0)) == []
