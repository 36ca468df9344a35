"""Change points, second witness: PELT over the last values (Killick, Fearnhead and Eckley, 2012).

It looks only every few bars, because a window has to be cut anew each time.
"""

from typing import Final

import numpy as np

from appliance.kernels import changes as kernel

WINDOW: Final = 32
EVERY: Final = 8


class Pelt:
    """Keep the last values."""

    __slots__ = ("_count", "_ring")

    def __init__(self) -> None:
        """Begin without a value."""
        self._ring = np.zeros(WINDOW)
        self._count = 0

    def update(self, deviations: float) -> bool:
        """Take a value, and tell whether the window was looked at now and changes within its newest stretches."""
        self._ring[self._count % WINDOW] = deviations
        self._count += 1
        if self._count < WINDOW or self._count % EVERY:
            return False
        last = kernel.last_change(self._ring, self._count % WINDOW)
        return last > 0 and WINDOW - last <= EVERY + kernel.STRETCH_MIN
