"""What the last bars drew: candlesticks and chart shapes of one instrument, told at the bar that completes them.

A candlestick of one bar says only that this bar rose or fell. So a pattern's vote is the number of bars that had to fit
before its last: a pattern of three bars weighs as much as two of two bars that say the same.
"""

from typing import Final

import numpy as np

from appliance.kernels.patterns import candles as kernel
from appliance.market.bars import Bar
from appliance.signals.patterns.finder import REACHES, Match, PatternFinder

_VOTES: Final = tuple(candle.bars - 1 for candle in kernel.CANDLES)


class Figures:
    """Keep what one instrument's bars drew, up to the last closed one."""

    __slots__ = ("_finders", "_found", "_standing", "_state", "broken", "shapes")

    def __init__(self) -> None:
        """Begin without a bar."""
        self._state = kernel.new_state()
        self._found = np.zeros(len(kernel.CANDLES), np.int16)
        self._finders = tuple(PatternFinder(reach) for reach in REACHES)
        self._standing: Match | None = None
        self.shapes: tuple[Match, ...] = ()
        self.broken: Match | None = None

    def update(self, bar: Bar) -> None:
        """Fold one closed bar in."""
        opened, high, low, close = map(float, (bar.open_ticks, bar.high_ticks, bar.low_ticks, bar.close_ticks))
        kernel.update(self._state, opened, high, low, close, self._found)
        self.shapes = tuple(match for finder in self._finders for match in finder.update(high, low, close))
        self.broken = None
        if self._standing is not None and close < self._standing.ends_at:
            self.broken, self._standing = self._standing, None
        for match in self.shapes:
            if match.direction:
                self._standing = match if match.direction > 0 else None

    @property
    def votes(self) -> int:
        """Return how many votes for a rise (above zero) or a fall the candlesticks of the last bar have together."""
        return sum(_VOTES[place] if self._found[place] > 0 else -_VOTES[place] for place in self._found.nonzero()[0])

    @property
    def words(self) -> str:
        """Return the names of the candlesticks that have a vote, those for a rise first."""
        found = sorted(self._found.nonzero()[0].tolist(), key=lambda place: (-int(self._found[place]), place))
        return ", ".join(kernel.CANDLES[place].words for place in found if _VOTES[place])
