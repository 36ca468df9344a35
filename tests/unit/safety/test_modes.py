"""The table of modes, every pair of it."""

import itertools

import pytest

from appliance.safety.modes import (
    MOVES,
    RIGHTS,
    Mode,
    Moved,
    Refused,
    may_cancel,
    may_guard,
    may_open,
    may_reduce,
    move,
)

B, C, N, R, P, E, H, F = Mode
ALLOWED = {
    B: {C, E, H, F},
    C: {N, R, P, E, F},
    N: {C, R, P, E, F},
    R: {C, N, P, E, F},
    P: {C, N, R, E, F},
    E: {H},
    H: {C},
    F: set[Mode](),
}


@pytest.mark.parametrize(("old", "new"), list(itertools.product(Mode, Mode)))
def test_every_pair_moves_or_is_refused_as_listed(old: Mode, new: Mode) -> None:
    """Each of the 64 pairs does what the list says; it fails if any move were added or lost."""
    expected = Moved if new in ALLOWED[old] else Refused
    assert move(old, new, "why", "who") == expected(old, new, "why", "who")


def test_no_move_leaves_fault_and_only_halted_leaves_emergency() -> None:
    """A stop cannot be skipped and a fault not be undone; it fails if the table grew such a way."""
    assert not [pair for pair in MOVES if pair[0] is Mode.FAULT]
    assert [pair for pair in MOVES if pair[0] is Mode.EMERGENCY] == [(Mode.EMERGENCY, Mode.HALTED)]
    assert [pair for pair in MOVES if pair[0] is Mode.HALTED] == [(Mode.HALTED, Mode.RECONCILING)]


def test_nothing_may_open_before_the_venue_was_asked() -> None:
    """The only ways into an opening mode come from reconciling or another compared mode; it fails for a shortcut."""
    opening = {mode for mode in Mode if may_open(mode)}
    ways = {old for old, new in MOVES if new in opening}
    assert ways == {Mode.RECONCILING, Mode.PAUSED, Mode.NORMAL, Mode.REDUCED}


def test_rights_are_as_listed() -> None:
    """Opening, reducing and cancelling are granted per mode as listed; it fails if a right moved."""
    assert {mode for mode in Mode if may_open(mode)} == {N, R}
    assert {mode for mode in Mode if may_reduce(mode)} == {N, R, P, E}
    assert {mode for mode in Mode if may_guard(mode)} == {N, R, P, E, Mode.HALTED, Mode.FAULT}
    assert {mode for mode in Mode if may_cancel(mode)} == set(Mode)
    assert set(RIGHTS) == set(Mode)


def test_zero_is_no_mode() -> None:
    """A zeroed page names no mode; it fails if a mode had the code 0."""
    assert 0 not in {int(mode) for mode in Mode}
