"""One decision from several voices: technical 40, models 40, outside data 20, each within its bounds.

A voice is a direction and strength from -1 to 1 and how sure it is of it, from 0 to 1. Its weight follows how often it
was right lately, inside 20 to 60, 20 to 60 and 0 to 30; a voice that is absent, or was found to know nothing, weighs
nothing, and the rest carry the decision. The score is the mean of the voices by weight and certainty. Where voices pull
against each other their conflict is taken off the certainty, and an entry needs both: a score and enough certainty
left.
"""

from typing import Final, NamedTuple

TECHNICAL, MODELS, OUTSIDE = "technical", "models", "outside"
NAMES: Final = (TECHNICAL, MODELS, OUTSIDE)
USUAL: Final = {TECHNICAL: 40.0, MODELS: 40.0, OUTSIDE: 20.0}
BOUNDS: Final = {TECHNICAL: (20.0, 60.0), MODELS: (20.0, 60.0), OUTSIDE: (0.0, 30.0)}
SCORE_MIN: Final = 0.10
CERTAINTY_MIN: Final = 0.20
# Less than this is silence: the mean of such voices would be made of rounding.
WHISPER: Final = 1e-6
FORGET: Final = 0.98
DOUBT: Final = 5.0


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


class Credit:
    """Remember how often a voice was right, with old days fading."""

    __slots__ = ("_right", "_said")

    def __init__(self) -> None:
        """Begin with as much doubt as faith."""
        self._right = DOUBT
        self._said = 2.0 * DOUBT

    def note(self, *, right: bool) -> None:
        """Take whether the voice was right once more."""
        self._right = self._right * FORGET + (1.0 - FORGET) * DOUBT + float(right)
        self._said = self._said * FORGET + (1.0 - FORGET) * 2.0 * DOUBT + 1.0

    @property
    def share(self) -> float:
        """Return how often it was right."""
        return self._right / self._said


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
