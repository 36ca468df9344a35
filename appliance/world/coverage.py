"""Which turns of the two state machines a run has seen: modes and the life of an order, each state with each event.

A run that never saw a turn has shown nothing about it. The tables of the machines themselves say which turns there
are; what this world does not bring about, or too seldom to demand it, is listed here with its reason.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from appliance.safety.modes import MOVES, Mode
from appliance.trading.orders import TRANSITIONS, Move, State

Turn = tuple[str, str, str]
MODE_MOVE = "mode"
ORDER_MOVE = "order"
MODE_EVENT = "event in mode"
ORDER_WORD = "word to order"
# From so many seeds on, every turn of the tables must have been seen; before, every state.
EVERY_TURN_FROM_SEEDS = 500

_ASKED_ONLY_UNKNOWN = "an order is asked about only once it is unknown"
_CHANGED_ONLY_OPEN = "only an order that the venue has acknowledged is changed"
_WHOLE_IS_FILLED = "a venue that has filled the whole calls it filled and nothing else"
_SILENT_EXPIRY = "needs an order whose acknowledgement and fills are lost, and whose end is not"
NOT_DEMANDED: Mapping[Turn, str] = MappingProxyType(
    {
        (MODE_MOVE, "BOOT", "HALTED"): "a start with the latch set runs the cascade first, through EMERGENCY",
        (MODE_MOVE, "REDUCED", "RECONCILING"): "REDUCED lasts for moments here, and a doubt seldom falls into one",
        (ORDER_MOVE, "planned", "find"): _ASKED_ONLY_UNKNOWN,
        (ORDER_MOVE, "planned", "miss"): _ASKED_ONLY_UNKNOWN,
        (ORDER_MOVE, "planned", "amend"): _CHANGED_ONLY_OPEN,
        (ORDER_MOVE, "unknown", "amend"): _CHANGED_ONLY_OPEN,
        (ORDER_MOVE, "planned", "expire"): _SILENT_EXPIRY,
        (ORDER_MOVE, "unknown", "expire"): _SILENT_EXPIRY,
        (ORDER_MOVE, "unknown", "withdraw"): "the process of this world knows at once what did not leave",
        (ORDER_MOVE, "never", "refuse"): "needs a refusal that comes after the venue was asked, past the deadline",
        (ORDER_MOVE, "canceled", "complete"): _WHOLE_IS_FILLED,
        (ORDER_MOVE, "expired", "complete"): _WHOLE_IS_FILLED,
    }
)


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
    return [turn for turn in (*modes, *orders) if turn not in NOT_DEMANDED]


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
