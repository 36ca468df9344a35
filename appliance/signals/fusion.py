"""One decision from several voices: technical 40, models 40, outside data 20, each within its bounds.

A voice is a direction and strength from -1 to 1 and how sure it is of it, from 0 to 1. Its weight follows how often it
was right lately, inside 20 to 60, 20 to 60 and 0 to 30; a voice that is absent, or was found to know nothing, weighs
nothing, and the rest carry the decision. The score is the mean of the voices by weight and certainty. Where voices pull
against each other their conflict is taken off the certainty, and an entry needs both: a score and enough certainty
left.

The technical voice is a strategy's wish, tempered by the pressure of the order book. Nobody speaks for outside data
yet: its weight and bounds stand here, its voice is always absent.
"""

import math
from typing import Final, NamedTuple

from appliance.core.values import PARTS_PER_MILLION

TECHNICAL, MODELS, OUTSIDE = "technical", "models", "outside"
NAMES: Final = (TECHNICAL, MODELS, OUTSIDE)
USUAL: Final = {TECHNICAL: 40.0, MODELS: 40.0, OUTSIDE: 20.0}
BOUNDS: Final = {TECHNICAL: (20.0, 60.0), MODELS: (20.0, 60.0), OUTSIDE: (0.0, 30.0)}
SCORE_MIN: Final = 0.10
CERTAINTY_MIN: Final = 0.20
# Less than this is silence: the mean of such voices would be made of rounding.
WHISPER: Final = 1e-6
# A book that leans wholly against a strategy takes this much off what it says: never enough to silence it alone.
PRESSURE_SHARE: Final = 0.5
FORGET_PERCENT: Final = 2
DOUBT_PPM: Final = 5 * PARTS_PER_MILLION


class Voice(NamedTuple):
    """Hold what one source says."""

    score: float
    certainty: float


class Fused(NamedTuple):
    """Hold a joined decision: score, certainty, the weights that made it in percent, and whether it allows an entry."""

    score: float
    certainty: float
    weights: dict[str, float]
    allowed: bool
    why_not: str


class Credit(NamedTuple):
    """Hold how often a voice was right of how often it spoke, in millionths, with old days fading to equal doubt."""

    right_ppm: int = DOUBT_PPM
    said_ppm: int = 2 * DOUBT_PPM

    def noted(self, *, right: bool) -> "Credit":
        """Return the credit after the voice was right or wrong once more."""
        return Credit(
            _faded(self.right_ppm, DOUBT_PPM) + PARTS_PER_MILLION * right,
            _faded(self.said_ppm, 2 * DOUBT_PPM) + PARTS_PER_MILLION,
        )

    @property
    def share(self) -> float:
        """Return how often it was right."""
        return self.right_ppm / self.said_ppm


def _faded(count_ppm: int, towards_ppm: int) -> int:
    return (count_ppm * (100 - FORGET_PERCENT) + towards_ppm * FORGET_PERCENT) // 100


def tempered(pressure: float) -> float:
    """Return how strongly a strategy's wish to buy counts, given which way the book leans; fully where none is."""
    return 1.0 if math.isnan(pressure) else 1.0 - PRESSURE_SHARE * (1.0 - min(max(pressure, -1.0), 1.0)) / 2.0


def weight_of(name: str, usual: float, share: float) -> float:
    """Return a voice's weight in percent, before it is scaled with the others: as usual at a share of one half."""
    low, high = BOUNDS[name]
    return min(max(usual * 2.0 * share, low), high)


def fuse(voices: dict[str, Voice], weights: dict[str, float]) -> Fused:
    """Join the voices that are there; a weight of zero is no voice."""
    total = spoken = joined = both = 0.0
    heard = []
    for name, voice in voices.items():
        weight = weights.get(name, 0.0)
        if weight > 0.0:
            said = weight * voice.certainty
            heard.append((name, weight))
            total += weight
            spoken += said
            joined += said * voice.score
            both += abs(said * voice.score)
    if spoken <= WHISPER * total:
        return Fused(0.0, 0.0, {}, allowed=False, why_not="no voice was sure of anything")
    shares = {name: 100.0 * weight / total for name, weight in heard}
    score = joined / spoken
    conflict = 1.0 - abs(joined) / both if both > 0.0 else 0.0
    certainty = spoken / total * (1.0 - conflict)
    if score < SCORE_MIN:
        return Fused(score, certainty, shares, allowed=False, why_not="the voices together do not say so")
    if certainty < CERTAINTY_MIN:
        return Fused(score, certainty, shares, allowed=False, why_not="the voices pull against each other")
    return Fused(score, certainty, shares, allowed=True, why_not="")
