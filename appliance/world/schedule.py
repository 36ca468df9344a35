"""Virtual time: one heap of what will happen, and nothing that happens outside it.

Things that are due at the same moment happen in an order drawn from the seed, because a real machine promises none;
whatever must stay in order (a stream) asks for moments of its own.
"""

import heapq
import random
from collections.abc import Callable

Action = Callable[[], None]
_TIE_BITS = 8


class Schedule:
    """Hold what is to happen and jump from one moment to the next."""

    __slots__ = ("_dice", "_due", "_pushed", "now_ns")

    def __init__(self, dice: random.Random) -> None:
        """Begin at zero with nothing to do."""
        self._dice = dice
        self._due: list[tuple[int, int, int, Action]] = []
        self._pushed = 0
        self.now_ns = 0

    def at(self, time_ns: int, action: Action) -> None:
        """Let something happen at a moment, or now when the moment has passed."""
        self._pushed += 1
        tie = self._dice.getrandbits(_TIE_BITS)
        heapq.heappush(self._due, (max(time_ns, self.now_ns), tie, self._pushed, action))

    def after(self, delay_ns: int, action: Action) -> None:
        """Let something happen after a while."""
        self.at(self.now_ns + delay_ns, action)

    def put(self, time_ns: int, tie: int, action: Action) -> None:
        """Let something happen at a moment, with a tie-break drawn elsewhere."""
        self._pushed += 1
        heapq.heappush(self._due, (max(time_ns, self.now_ns), tie, self._pushed, action))

    def run_next(self) -> None:
        """Jump to the next moment and let it happen."""
        self.now_ns, _, _, action = heapq.heappop(self._due)
        action()


class Beside:
    """Put happenings onto a schedule with dice of one's own, so that nothing is drawn from the schedule's."""

    __slots__ = ("_dice", "_schedule")

    def __init__(self, schedule: Schedule, dice: random.Random) -> None:
        """Stand beside whoever else uses the schedule."""
        self._schedule = schedule
        self._dice = dice

    @property
    def now_ns(self) -> int:
        """Return the schedule's time."""
        return self._schedule.now_ns

    def at(self, time_ns: int, action: Action) -> None:
        """Let something happen at a moment, or now when the moment has passed."""
        self._schedule.put(time_ns, self._dice.getrandbits(_TIE_BITS), action)

    def after(self, delay_ns: int, action: Action) -> None:
        """Let something happen after a while."""
        self.at(self.now_ns + delay_ns, action)

    def with_dice(self, dice: random.Random) -> "Beside":
        """Return the same with other dice."""
        return Beside(self._schedule, dice)
