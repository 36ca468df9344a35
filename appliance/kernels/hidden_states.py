"""The forward filter of a hidden Markov model with normal observations: one step, what is believed of the state now.

Worked in logarithms until the last line, so that an observation far from every state cannot divide zero by zero.
"""

import numpy as np
import numpy.typing as npt

from appliance.kernels.compiling import kernel

Floats = npt.NDArray[np.float64]


@kernel
def filter_step(
    belief: Floats, transition: Floats, means: Floats, variances: Floats, seen: Floats, after: Floats
) -> None:
    """Carry a belief one step on and weigh it by what was seen; `after` may be the belief itself."""
    states, columns = means.shape
    weights = np.empty(states)
    top = -np.inf
    for state in range(states):
        prior = 0.0
        for before in range(states):
            prior += belief[before] * transition[before, state]
        weight = np.log(max(prior, 1e-300))
        for column in range(columns):
            gap = seen[column] - means[state, column]
            weight -= 0.5 * (gap * gap / variances[state, column] + np.log(2.0 * np.pi * variances[state, column]))
        weights[state] = weight
        top = max(top, weight)
    total = 0.0
    for state in range(states):
        weights[state] = np.exp(weights[state] - top)
        total += weights[state]
    for state in range(states):
        after[state] = weights[state] / total


@kernel
def filter_all(
    start: Floats, transition: Floats, means: Floats, variances: Floats, seen: Floats, beliefs: Floats
) -> None:
    """Filter a whole series, a row of beliefs for each row seen; a row that is not finite begins anew."""
    belief = start.copy()
    for row in range(seen.shape[0]):
        if np.isfinite(seen[row]).all():
            filter_step(belief, transition, means, variances, seen[row], belief)
        else:
            belief[:] = start
        beliefs[row] = belief
