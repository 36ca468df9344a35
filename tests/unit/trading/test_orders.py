"""The life of an order, every state against everything that can happen to it."""

import pytest

from appliance.trading.orders import TRANSITIONS, WORKING, Move, State, next_state

# One line a state, one column a move, written from the venue's rules and not from the table: `.` is a contradiction.
# The fill wins: a cancel or an expiry never takes a later fill away. A late word about a settled order changes nothing.
GRID = """
           acknowledge fill     complete cancel   expire   refuse  lose     find     miss  withdraw amend
planned    open        open     filled   canceled expired  refused unknown  open     never never    open
open       open        open     filled   canceled expired  .       open     open     .     .   open
unknown    open        open     filled   canceled expired  refused unknown  open     never never    open
filled     filled      .        .        filled   filled   .       filled   filled   .     .   filled
canceled   canceled    canceled filled   canceled canceled .       canceled canceled .     .   canceled
expired    expired     expired  filled   expired  expired  .       expired  expired  .     .   expired
refused    .           .        .        .        .        refused refused  .        refused . .
never      .           .        .        .        .        refused  never    .        never never    .
"""
LINES = [line.split() for line in GRID.strip().splitlines()]
MOVES = [Move(name) for name in LINES[0]]
EXPECTED = {
    (State(line[0]), move): None if cell == "." else State(cell)
    for line in LINES[1:]
    for move, cell in zip(MOVES, line[1:], strict=True)
}
TERMINAL = frozenset(State) - WORKING


def test_the_grid_names_every_pair_once() -> None:
    """Shows that no state and no move is left out of the grid; fails when one is added without an expectation."""
    assert set(EXPECTED) == {(state, move) for state in State for move in Move}
    assert len(EXPECTED) == (len(LINES) - 1) * len(MOVES)


@pytest.mark.parametrize(("state", "move"), list(EXPECTED), ids=str)
def test_every_pair_leads_where_the_grid_says(state: State, move: Move) -> None:
    """Shows the outcome of one state and one move; fails when the table and the grid differ."""
    assert next_state(state, move) is EXPECTED[state, move]


@pytest.mark.parametrize("state", sorted(TERMINAL), ids=str)
@pytest.mark.parametrize("move", Move, ids=str)
def test_a_settled_order_never_works_again(state: State, move: Move) -> None:
    """Shows that nothing brings a settled order back to life; fails when a late word makes one trade again."""
    assert next_state(state, move) not in WORKING


@pytest.mark.parametrize("state", [State.CANCELED, State.EXPIRED], ids=str)
def test_the_fill_wins(state: State) -> None:
    """Shows that a fill is kept whatever ended the order; fails when a cancel that crossed a fill hides it."""
    assert next_state(state, Move.FILL) is state
    assert next_state(state, Move.COMPLETE) is State.FILLED


def test_the_table_cannot_be_changed() -> None:
    """Shows that the table is read-only; fails when a caller could bend it."""
    with pytest.raises(TypeError):
        TRANSITIONS[State.OPEN] = {}  # type: ignore[index]


@pytest.mark.parametrize("state", State, ids=str)
def test_every_state_can_be_reached(state: State) -> None:
    """Shows that the start leads to every state; fails when one is dead weight."""
    reached = {State.PLANNED}
    for _ in State:
        reached |= {new for old in reached for new in TRANSITIONS[old].values()}
    assert state in reached
