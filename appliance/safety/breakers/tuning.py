"""How sensitive a breaker is, learned from what its own trips turned out to be.

Each cause of each breaker has two counts, the parameters of a Beta distribution that begins uniform. A trip is
confirmed when the danger lasted or came back, and a blip when the trials that followed went well. The mean of the
posterior sets the threshold between two bounds: blips move it up to the configured figure, never beyond; confirmed
trips move it down to three quarters of that, never below. Old evidence fades, because the counts are halved when full.
"""

from typing import NamedTuple

EVIDENCE_MAX = 64
_LEAST_OF_FOUR = 3


class Odds(NamedTuple):
    """Count what trips turned out to be; one of each before any was seen."""

    confirmed_count: int = 1
    blip_count: int = 1

    def after(self, *, confirmed: bool) -> "Odds":
        """Return the counts with one more trip judged."""
        odds = Odds(self.confirmed_count + confirmed, self.blip_count + (not confirmed))
        if sum(odds) > EVIDENCE_MAX:
            odds = Odds(max(odds.confirmed_count // 2, 1), max(odds.blip_count // 2, 1))
        return odds

    def threshold(self, most: int) -> int:
        """Return the threshold between three quarters of the configured figure and that figure."""
        least = most * _LEAST_OF_FOUR // 4
        return least + (most - least) * self.blip_count // (self.confirmed_count + self.blip_count)
