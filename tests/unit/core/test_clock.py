"""The two clocks, virtual and real."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.clock import Clock, SystemClock, VirtualClock
from appliance.core.errors import ApplianceError, InvariantBroken
from appliance.core.require import require, unreachable


@given(st.lists(st.integers(-(10**18), 10**18)))
def test_virtual_time_never_goes_back(moments: list[int]) -> None:
    """Shows that the virtual clock stands at the latest moment it was told; fails when an earlier one moves it."""
    clock = VirtualClock(monotonic_ns=5, wall_ns=1_000)
    latest = 5
    for moment in moments:
        latest = max(latest, moment)
        clock.advance_to(moment)
        assert clock.monotonic_ns() == latest
        assert clock.wall_ns() == latest + 995


def test_the_wall_can_be_stepped_alone() -> None:
    """Shows that a step of the wall clock leaves monotonic time alone; fails when the two are one clock."""
    clock = VirtualClock(10, 100)
    clock.wall_offset_ns -= 3_600
    assert (clock.monotonic_ns(), clock.wall_ns()) == (10, -3_500)


def test_the_real_clock_tells_both_times() -> None:
    """Shows that the machine's clocks are read, each from its own source; fails when they are swapped."""
    clock: Clock = SystemClock()
    earlier = clock.monotonic_ns()
    assert clock.monotonic_ns() >= earlier
    assert clock.wall_ns() > 1_600_000_000 * 10**9


def test_an_invariant_passes_every_ordinary_handler() -> None:
    """Shows that a broken invariant is no ordinary exception; fails when `except Exception` could carry on past it."""
    require(condition=True, explanation="holds")
    with pytest.raises(InvariantBroken, match="gone"):
        require(condition=False, explanation="gone")
    with pytest.raises(InvariantBroken, match="nowhere"):
        unreachable("nowhere")
    assert not issubclass(InvariantBroken, Exception)
    assert issubclass(ApplianceError, Exception)
