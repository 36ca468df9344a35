"""How long to wait before trying again: doubling, capped, and spread so that clients do not come back all at once."""

import random

from appliance.core.require import require


class Backoff:
    """Draw the next wait, twice as long as the last up to the cap, of which a half is random."""

    __slots__ = ("_attempts", "_cap_ms", "_first_ms", "_random")

    def __init__(self, first_ms: int, cap_ms: int, generator: random.Random) -> None:
        """Start with the first wait; the generator's draws decide the spread."""
        require(0 < first_ms <= cap_ms, "a wait must be positive and below its cap")
        self._first_ms = first_ms
        self._cap_ms = cap_ms
        self._random = generator
        self._attempts = 0

    def next_ms(self) -> int:
        """Return how long to wait now, and wait longer next time."""
        full_ms = min(self._first_ms << self._attempts, self._cap_ms)
        if full_ms < self._cap_ms:
            self._attempts += 1
        return full_ms - self._random.randrange(full_ms // 2 + 1)

    def reset(self) -> None:
        """Begin again with the first wait."""
        self._attempts = 0
