"""The swing kernel against a twin that keeps every bar, and against the future: it must not know it."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.kernels.patterns import swings as kernel
from appliance.signals.patterns.finder import find_swings
from appliance.signals.patterns.shape import Swing
from tests.unit.patterns.planted import Bars, walk

BARS = st.lists(
    st.one_of(
        st.tuples(st.integers(-30, 30), st.integers(0, 20), st.integers(0, 20)),
        st.just((0, 0, 0)),
        st.just((math.nan, 0, 0)),
    ),
    max_size=150,
)


def columns_of(drawn: list[tuple[float, int, int]]) -> Bars:
    """Return high, low and close; a bar without a number moves nothing."""
    close, rows = 1_000.0, []
    for move, above, below in drawn:
        opened, close = close, close if math.isnan(move) else close + move
        lost = math.isnan(move)
        rows.append((math.nan if lost else max(opened, close) + above, min(opened, close) - below, close))
    table = np.array(rows, np.float64).reshape(-1, 3)
    return table[:, 0].copy(), table[:, 1].copy(), table[:, 2].copy()


def twin(bars: Bars, reach: float) -> list[Swing]:
    """Find swings by looking back over the bars since the last turn, each time anew."""
    good = [bar for bar, high in enumerate(bars[0]) if not math.isnan(high)]
    found: list[Swing] = []
    averages: dict[int, float] = {}
    average, previous, start = 0.0, 0.0, 0
    for number, bar in enumerate(good):
        high, low = bars[0][bar], bars[1][bar]
        before = previous if number else bars[2][bar]
        true_range = max(high, before) - min(low, before)
        average += (true_range - average) / min(number + 1, kernel.RANGE_BARS)
        previous = bars[2][bar]
        averages[bar] = average
        if number < kernel.RANGE_BARS:
            continue
        since = good[start:number]
        top = max(since, key=lambda b: (bars[0][b], -b))
        bottom = min(since, key=lambda b: (bars[1][b], b))
        rising = not found or found[-1].side < 0
        falling = not found or found[-1].side > 0
        far_down, far_up = (reach * (averages[b] if found else average) for b in (top, bottom))
        if rising and high <= bars[0][top] and bars[0][top] - low >= far_down > 0.0:
            found.append(Swing(top, bars[0][top], 1, bar, low))
            start = number
        elif falling and low >= bars[1][bottom] and high - bars[1][bottom] >= far_up > 0.0:
            found.append(Swing(bottom, bars[1][bottom], -1, bar, high))
            start = number
    return found


@settings(max_examples=200, deadline=None)
@given(BARS, st.sampled_from([0.5, 1.0, 2.0, 4.0]))
def test_the_kernel_equals_its_twin(drawn: list[tuple[float, int, int]], reach: float) -> None:
    """Shows every swing with the bar at which it was known; fails when an extreme or a reach is measured otherwise."""
    bars = columns_of(drawn)
    assert list(find_swings(bars, reach)) == twin(bars, reach)


@pytest.mark.parametrize("reach", [1.0, 3.0])
def test_swings_alternate_and_are_known_later(reach: float) -> None:
    """Shows highs and lows in turn, none known at its own bar; fails when a turn is told as it happens."""
    swings = find_swings(walk(3, 3_000), reach)
    assert len(swings) > 50
    assert all(first.side == -second.side for first, second in itertools.pairwise(swings))
    assert all(swing.known_bar > swing.bar for swing in swings)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 50), st.integers(0, 400))
def test_the_future_changes_no_swing(seed: int, end: int) -> None:
    """Shows the swings of shortened bars as the first of all swings; fails when a later bar changes an earlier one."""
    bars = walk(seed, 400)
    whole = [swing for swing in find_swings(bars, 2.0) if swing.known_bar < end]
    assert list(find_swings([column[:end] for column in bars], 2.0)) == whole


def test_unequal_columns_are_refused() -> None:
    """Shows columns of two lengths refused in a sentence; fails when they are read past their end."""
    with pytest.raises(ValueError, match="one length"):
        find_swings(([1.0, 2.0], [1.0], [1.0]), 1.0)


@pytest.mark.parametrize("reach", [1.0, 3.0])
def test_a_turn_is_known_at_the_furthest_way_back(reach: float) -> None:
    """Shows no bar between a turn and its knowledge further back than the last; fails when one was passed over."""
    bars = walk(8, 3_000)
    for swing in find_swings(bars, reach)[1:]:
        since = slice(swing.bar + 1, swing.known_bar + 1)
        assert swing.back == (bars[1][since].min() if swing.side > 0 else bars[0][since].max())
