"""Which turns of the two state machines a run has seen: modes and the life of an order, each state with each event.

A run that never saw a turn has shown nothing about it. The tables of the machines themselves say which turns there
are; what cannot come about in this world is listed here with its reason, and nowhere else.
"""

from collections import Counter
from collections.abc import Iterable

from appliance.safety.modes import MOVES, Mode
from appliance.trading.orders import TRANSITIONS, Move, State

Turn = tuple[str, str, str]
MODE_MOVE = "mode"
ORDER_MOVE = "order"
MODE_EVENT = "event in mode"
ORDER_WORD = "word to order"
# From so many seeds on, every turn of the tables must have been seen; before, every state.
EVERY_TURN_FROM_SEEDS = 500


class Coverage:
    """Count the turns of one world."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self.turns: Counter[Turn] = Counter()

    def mode_moved(self, old: str, new: str) -> None:
        """Take a change of mode."""
        self.turns[MODE_MOVE, old, new] += 1

    def order_moved(self, state: State, move: str) -> None:
        """Take a move of an order that was in this state."""
        self.turns[ORDER_MOVE, state, move] += 1

    def event_in_mode(self, mode: Mode, event: str) -> None:
        """Take an event that met the trader in a mode."""
        self.turns[MODE_EVENT, mode.name, event] += 1

    def word_to_order(self, state: State, event: str) -> None:
        """Take a word of the venue, or its silence, about an order in this state."""
        self.turns[ORDER_WORD, state, event] += 1


def wanted_turns() -> list[Turn]:
    """Return every turn of the tables that changes something and can come about in this world."""
    modes = [(MODE_MOVE, old.name, new.name) for old, new in MOVES]
    orders = [
        (ORDER_MOVE, str(state), str(move))
        for state, moves in TRANSITIONS.items()
        for move, new in moves.items()
        if new is not state or move is Move.FILL
    ]
    return [turn for turn in (*modes, *orders) if turn not in IMPOSSIBLE]


def unseen(turns: Counter[Turn], seeds_count: int) -> list[str]:
    """Return what a run of so many seeds should have seen and did not, in words."""
    if seeds_count >= EVERY_TURN_FROM_SEEDS:
        return [told(turn) for turn in wanted_turns() if not turns[turn]]
    met = {(kind, state) for kind, state, _ in turns}
    missing = [f"mode {mode.name}" for mode in Mode if (MODE_EVENT, mode.name) not in met]
    return missing + [f"an order that is {state}" for state in State if (ORDER_WORD, str(state)) not in met]


def told(turn: Turn) -> str:
    """Return a turn as people read it."""
    kind, state, event = turn
    return f"{kind} {state} -> {event}" if kind == MODE_MOVE else f"{kind} {state}: {event}"


def summary(turns: Counter[Turn]) -> Iterable[str]:
    """Yield one line for each machine: how many of its turns were seen, and which were not."""
    for kind in (MODE_MOVE, ORDER_MOVE):
        wanted = [turn for turn in wanted_turns() if turn[0] == kind]
        missing = [told(turn) for turn in wanted if not turns[turn]]
        left_out = f"; not seen: {', '.join(missing)}" if missing else ""
        yield f"turns of {kind}: {len(wanted) - len(missing)} of {len(wanted)}{left_out}"
    for kind in (MODE_EVENT, ORDER_WORD):
        pairs = [turn for turn in turns if turn[0] == kind]
        states, words = {turn[1] for turn in pairs}, {turn[2] for turn in pairs}
        yield f"{kind}: {len(pairs)} pairs of {len(states)} states and {len(words)} events"


IMPOSSIBLE: dict[Turn, str] = {}
