"""In which regime a step is: worked out from its own hours, and from nothing that was said before.

The filter runs over all the hours of a step, and the regime follows the blended opinions over the second half of them,
the hours that have a sequence of their own. So a restart, another set of models, a late answer or a vetoed hour changes
nothing, and a file evaluated as a whole gives what was traded. What lies further back is forgotten: asked every seventh
hour over three years of two markets, more than 99.9 % of the regimes were those of a filter that never began anew, as
in training.
"""

import numpy as np
import numpy.typing as npt

from appliance.signals import regime
from appliance.signals.models.inputs import STEPS, Step
from appliance.signals.models.joining import Joining
from appliance.signals.models.speaker import Speaker

Floats = npt.NDArray[np.float64]
Opinions = dict[str, Floats]


class RegimeReader:
    """Read regimes by one hidden Markov model and those opinions that are there, each under its source's name."""

    def __init__(
        self, joined: Joining, sources: dict[str, Speaker], vector_read: list[int], sequence_read: list[int]
    ) -> None:
        """Take what reads, and the columns without which an hour is not read."""
        self._hidden = joined.hidden
        self._sources = sources
        self._places = joined.regime_places
        self._vector_read, self._sequence_read = vector_read, sequence_read

    def read(self, steps: list[Step]) -> list[int]:
        """Return the regime of each step; its own hour must be whole."""
        hours = [self._hours(step) for step in steps]
        # Steps that follow each other share most of their hours: what is the same is asked about once.
        apart = {one.hours.tobytes(): one for mine in hours for one in mine.values()}
        said = self._said(list(apart.values()))
        opinions = {key: {name: rows[row] for name, rows in said.items()} for row, key in enumerate(apart)}
        return [
            self._followed(step, {age: opinions[one.hours.tobytes()] for age, one in mine.items()})
            for step, mine in zip(steps, hours, strict=True)
        ]

    def _hours(self, step: Step) -> dict[int, Step]:
        """Return those of the sequence's hours that are whole, each as a step of its own, the oldest first."""
        found: dict[int, Step] = {}
        for first in range(STEPS):
            window = step.hours[first : first + STEPS]
            vector, sequence = window[-1, self._vector_read], window[:, self._sequence_read]
            if np.isfinite(vector).all() and np.isfinite(sequence).all():
                found[first] = Step(step.start_s, window)
        return found

    def _said(self, hours: list[Step]) -> Opinions:
        answered = {name: speaker.chances(hours) for name, speaker in self._sources.items()}
        return {name: rows.astype(np.float64) for name, rows in answered.items() if rows is not None}

    def _followed(self, step: Step, opinions: dict[int, Opinions]) -> int:
        figures = step.hours[:, self._places].astype(np.float64)
        known = np.flatnonzero(np.isfinite(figures).all(axis=1))
        beliefs = dict(zip(known.tolist(), self._hidden.beliefs(figures[known]), strict=True))
        present = -1
        for first, said in opinions.items():
            hour = first + STEPS - 1
            if hour in beliefs:
                present = regime.next_regime(present, regime.blend({"hidden": beliefs[hour], **said}))
        return present
