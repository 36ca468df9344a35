"""Which of five regimes the market is in: several opinions blended, and a change of mind only for a clear reason.

The opinions and their weights: hidden Markov model 25, sequence model 30, boosted trees 20, microstructure 15, outside
data 10. An opinion that is absent counts nothing and the rest are scaled up; today the first three are there, because
no training data holds books or outside figures to learn the others from. The regime changes when another leads the
present one by the margin; until then the present one stays.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from appliance.kernels import hidden_states

Floats = npt.NDArray[np.float64]

SOURCE_WEIGHTS: Final = {"hidden": 25.0, "sequence": 30.0, "trees": 20.0, "microstructure": 15.0, "outside": 10.0}
MARGIN: Final = 0.15


class HiddenStates(NamedTuple):
    """Hold a hidden Markov model and how raw figures become what it sees."""

    names: tuple[str, ...]
    start: Floats
    transition: Floats
    means: Floats
    variances: Floats
    center: Floats
    scale: Floats

    def seen(self, figures: Floats) -> Floats:
        """Return figures (a day's return, volatility, efficiency; one row or many) as the model sees them."""
        raw = np.array(figures, dtype=np.float64)
        raw[..., 1] = np.log(np.maximum(raw[..., 1], 1e-9))
        return np.asarray((raw - self.center) / self.scale)

    def beliefs(self, figures: Floats) -> Floats:
        """Return the filtered belief after each row."""
        rows = np.empty((figures.shape[0], self.start.size))
        hidden_states.filter_all(self.start, self.transition, self.means, self.variances, self.seen(figures), rows)
        return rows


def blend(opinions: dict[str, Floats]) -> Floats:
    """Return the weighted mean of the opinions that are there; rows of the same shape, at least one opinion."""
    total = sum(SOURCE_WEIGHTS[name] for name in opinions)
    blended = sum((SOURCE_WEIGHTS[name] / total * opinion for name, opinion in opinions.items()), np.float64(0.0))
    return np.asarray(blended)


def next_regime(present: int, blended: Floats) -> int:
    """Return the regime after one more blended opinion; -1 stands for none yet."""
    leader = int(np.argmax(blended))
    if present < 0 or blended[leader] - blended[present] > MARGIN:
        return leader
    return present


def regimes(blended: Floats) -> npt.NDArray[np.int64]:
    """Return the regime after each row of a series."""
    found, present = np.empty(blended.shape[0], np.int64), -1
    for row in range(blended.shape[0]):
        present = next_regime(present, blended[row])
        found[row] = present
    return found
