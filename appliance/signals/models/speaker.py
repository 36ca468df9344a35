"""One model that is asked: rows in, chances out, or nothing where it answers nonsense, counted."""

from collections import Counter

import numpy as np

from appliance.signals.models.inputs import Step
from appliance.signals.models.onnx_model import ROWS_MAX, ModelRefused, Singles
from appliance.signals.models.registry import LoadedModel


class Speaker:
    """Ask one loaded model, and count what it was silenced for."""

    __slots__ = ("_vetoes", "loaded", "name")

    def __init__(self, name: str, loaded: LoadedModel, vetoes: Counter[str]) -> None:
        """Take a model that was found good, and where to count."""
        self.name = name
        self.loaded = loaded
        self._vetoes = vetoes

    def chances(self, steps: list[Step]) -> Singles | None:
        """Return the model's answers for any number of steps, or nothing when one of them is no chance."""
        kind, places = self.loaded.entry.input, self.loaded.places
        rows = np.stack([(step.vector if kind == "vector" else step.sequence)[..., places] for step in steps])
        try:
            found = np.concatenate(
                [self.loaded.model.infer(rows[begin : begin + ROWS_MAX]) for begin in range(0, len(rows), ROWS_MAX)]
            )
        except ModelRefused as problem:
            self._vetoes[f"{self.name}: {problem}"] += 1
            return None
        sound = found.dtype == np.float32 and found.shape == (len(steps), self.loaded.entry.outputs)
        if not sound or not ((found >= 0.0) & (found <= 1.0)).all():
            self._vetoes[f"{self.name} answered with something that is no chance"] += 1
            return None
        return found
