"""What breakers measure with: small, bounded, in integers, one step of constant cost for each thing seen."""

from collections import deque
from enum import IntEnum

from appliance.core.values import PARTS_PER_MILLION

# A measure must fall below this part of what tripped it before it counts as calm.
_CALM_OF_FOUR = 3


class Level(IntEnum):
    """Say how a measure stands: calm, not yet calm again, or out of its bounds."""

    CALM = 0
    EXCITED = 1
    TRIPPED = 2


def calm_below(threshold: int) -> int:
    """Return the figure below which a measure with this threshold is calm."""
    return threshold * _CALM_OF_FOUR // 4


def level_of(measure: int, threshold: int) -> Level:
    """Compare a measure with its threshold, and with the lower figure where it is calm again."""
    if measure < calm_below(threshold):
        return Level.CALM
    return Level.TRIPPED if measure > threshold else Level.EXCITED


class Share:
    """Follow which share of the last outcomes was bad."""

    __slots__ = ("_bits", "_count", "_count_min", "_mask", "_window")

    def __init__(self, window: int, count_min: int) -> None:
        """Remember so many outcomes, and say nothing before a few were seen."""
        self._window = window
        self._mask = (1 << window) - 1
        self._count_min = count_min
        self._bits = 0
        self._count = 0

    def add(self, *, bad: bool) -> None:
        """Take one outcome."""
        self._bits = (self._bits << 1 | bad) & self._mask
        self._count = min(self._count + 1, self._window)

    @property
    def ppm(self) -> int:
        """Return the share of bad outcomes; of too few, none."""
        if self._count < self._count_min:
            return 0
        return self._bits.bit_count() * PARTS_PER_MILLION // self._count

    def clear(self) -> None:
        """Forget every outcome."""
        self._bits = self._count = 0


class Pace:
    """Count how often something happened in the last while."""

    __slots__ = ("_times_ns", "_window_ns")

    def __init__(self, window_ns: int, count_max: int) -> None:
        """Remember no more than so many moments."""
        self._window_ns = window_ns
        self._times_ns: deque[int] = deque(maxlen=count_max)

    def add(self, now_ns: int) -> None:
        """Take one occurrence."""
        self._times_ns.append(now_ns)

    def count(self, now_ns: int) -> int:
        """Return how many there were in the window."""
        while self._times_ns and now_ns - self._times_ns[0] > self._window_ns:
            self._times_ns.popleft()
        return len(self._times_ns)

    def clear(self) -> None:
        """Forget every occurrence."""
        self._times_ns.clear()
