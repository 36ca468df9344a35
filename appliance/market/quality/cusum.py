"""Change points, first witness: Page's cumulative sums, which notice a lasting shift of the mean."""

from typing import Final

DRIFT: Final = 0.5
LIMIT: Final = 8.0
STEP_MAX: Final = 4.0


class Cusum:
    """Add up what lies above and below the usual, and start again when either goes too far."""

    __slots__ = ("_above", "_below")

    def __init__(self) -> None:
        """Begin at zero."""
        self._above = 0.0
        self._below = 0.0

    def update(self, deviations: float) -> bool:
        """Take a value in deviations from its usual, and tell whether the sums went too far."""
        step = max(-STEP_MAX, min(STEP_MAX, deviations))
        self._above = max(0.0, self._above + step - DRIFT)
        self._below = max(0.0, self._below - step - DRIFT)
        if max(self._above, self._below) <= LIMIT:
            return False
        self._above = self._below = 0.0
        return True
