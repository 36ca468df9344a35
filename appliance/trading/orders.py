"""The life of an order, as a table.

Theory of operation. An order is PLANNED once its intent is in the journal; from then on it may exist at the venue,
because a crash can come between sending and hearing. Every later state is what the venue said. UNKNOWN means that
time ran out without a word: it counts as full exposure until the venue, asked after its own enforced deadline, says
what became of it. Only then may silence be read as NEVER.

    PLANNED ──acknowledge/fill──► OPEN ──complete──► FILLED
       │  │                        │ └──cancel/expire──► CANCELED / EXPIRED ──complete (the fill wins)──► FILLED
       │  └─lose──► UNKNOWN ─find──┘
       │               └─miss──► NEVER ─refuse (it came, too late)──► REFUSED
       ├─withdraw──► NEVER          └─refuse──► REFUSED       (UNKNOWN too: word that it never left may be late)

An order that the venue changed in place (amend) exists and is OPEN; its new amounts are a fact of their own. While a
change is asked for and unanswered, the order counts with the larger of its two sizes.

A pair that the table maps to the state itself is a duplicate or a late word and changes nothing. A pair that is not
in the table is a contradiction: the venue and we disagree about the past, and only a person may go on from there.
"""

import enum
from collections.abc import Mapping
from types import MappingProxyType


class State(enum.StrEnum):
    """Name where an order stands."""

    PLANNED = "planned"
    OPEN = "open"
    UNKNOWN = "unknown"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REFUSED = "refused"
    NEVER = "never"


class Move(enum.StrEnum):
    """Name what can happen to an order."""

    ACKNOWLEDGE = "acknowledge"
    FILL = "fill"
    COMPLETE = "complete"
    CANCEL = "cancel"
    EXPIRE = "expire"
    REFUSE = "refuse"
    LOSE = "lose"
    FIND = "find"
    MISS = "miss"
    WITHDRAW = "withdraw"
    AMEND = "amend"


WORKING = frozenset({State.PLANNED, State.OPEN, State.UNKNOWN})

TRANSITIONS: Mapping[State, Mapping[Move, State]] = MappingProxyType(
    {
        State.PLANNED: {
            Move.ACKNOWLEDGE: State.OPEN,
            Move.FILL: State.OPEN,
            Move.COMPLETE: State.FILLED,
            Move.CANCEL: State.CANCELED,
            Move.EXPIRE: State.EXPIRED,
            Move.REFUSE: State.REFUSED,
            Move.LOSE: State.UNKNOWN,
            Move.FIND: State.OPEN,
            Move.MISS: State.NEVER,
            Move.WITHDRAW: State.NEVER,
            Move.AMEND: State.OPEN,
        },
        State.OPEN: {
            Move.ACKNOWLEDGE: State.OPEN,
            Move.FILL: State.OPEN,
            Move.COMPLETE: State.FILLED,
            Move.CANCEL: State.CANCELED,
            Move.EXPIRE: State.EXPIRED,
            Move.LOSE: State.OPEN,
            Move.FIND: State.OPEN,
            Move.AMEND: State.OPEN,
        },
        State.UNKNOWN: {
            Move.ACKNOWLEDGE: State.OPEN,
            Move.FILL: State.OPEN,
            Move.COMPLETE: State.FILLED,
            Move.CANCEL: State.CANCELED,
            Move.EXPIRE: State.EXPIRED,
            Move.REFUSE: State.REFUSED,
            Move.LOSE: State.UNKNOWN,
            Move.FIND: State.OPEN,
            Move.MISS: State.NEVER,
            Move.WITHDRAW: State.NEVER,
            Move.AMEND: State.OPEN,
        },
        State.FILLED: {
            Move.ACKNOWLEDGE: State.FILLED,
            Move.CANCEL: State.FILLED,
            Move.EXPIRE: State.FILLED,
            Move.LOSE: State.FILLED,
            Move.FIND: State.FILLED,
            Move.AMEND: State.FILLED,
        },
        State.CANCELED: {
            Move.ACKNOWLEDGE: State.CANCELED,
            Move.FILL: State.CANCELED,
            Move.COMPLETE: State.FILLED,
            Move.CANCEL: State.CANCELED,
            Move.EXPIRE: State.CANCELED,
            Move.LOSE: State.CANCELED,
            Move.FIND: State.CANCELED,
            Move.AMEND: State.CANCELED,
        },
        State.EXPIRED: {
            Move.ACKNOWLEDGE: State.EXPIRED,
            Move.FILL: State.EXPIRED,
            Move.COMPLETE: State.FILLED,
            Move.CANCEL: State.EXPIRED,
            Move.EXPIRE: State.EXPIRED,
            Move.LOSE: State.EXPIRED,
            Move.FIND: State.EXPIRED,
            Move.AMEND: State.EXPIRED,
        },
        State.REFUSED: {
            Move.REFUSE: State.REFUSED,
            Move.LOSE: State.REFUSED,
            Move.MISS: State.REFUSED,
        },
        State.NEVER: {
            Move.REFUSE: State.REFUSED,
            Move.LOSE: State.NEVER,
            Move.MISS: State.NEVER,
            Move.WITHDRAW: State.NEVER,
        },
    }
)


def next_state(state: State, move: Move) -> State | None:
    """Return where a move leads, or None when it contradicts what is already known."""
    return TRANSITIONS[state].get(move)
