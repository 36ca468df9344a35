"""Ask every model about a step, veto what cannot be trusted, and join the rest into one answer with its reasons.

A step is vetoed when a figure that a model reads is not a number or lies far outside of what training saw; a model when
its answer is no chance. A vetoed step is flat; a vetoed or absent member counts as its own mean, which moves the joined
chance nowhere. The reasons are additive parts of the joined log-odds: exact for the trees (TreeSHAP), and for each
sequence model its whole part as one, an approximation that says which model spoke but not which hour moved it.
"""

from collections import Counter
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from appliance.kernels import tree_shap
from appliance.signals import regime
from appliance.signals.feature_table import NAMES
from appliance.signals.models.inputs import Step
from appliance.signals.models.joining import VOLATILITY, barrier_widths
from appliance.signals.models.onnx_model import ModelRefused
from appliance.signals.models.registry import LoadedModel, Registry

REASONS_COUNT: Final = 5
INSTRUMENTS_MAX: Final = 64
_VETOED, _SOUND = True, False
REGIME_SOURCES: Final = {"regime-trees": "trees", "regime-sequence": "sequence"}
Singles = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


class Reason(NamedTuple):
    """Name one part of a decision and how far it moved the log-odds."""

    name: str
    contribution: float


class Answer(NamedTuple):
    """Hold what the models say of one step; vetoed answers have a detail and no edge."""

    instrument: str
    start_s: int
    vetoed: bool
    chance: float
    edge: float
    width: float
    regime: str
    members: tuple[tuple[str, float], ...]
    reasons: tuple[Reason, ...]
    volatility: float
    detail: str


class Panel:
    """Hold the models of one registry and what is believed of each instrument's regime."""

    def __init__(self, registry: Registry, *, explaining: bool = True) -> None:
        """Take models that were found good; a member that is missing is replaced by its stand-in."""
        self._joined = registry.joined
        self._explaining = explaining
        self._members = {name: _speaker(registry, name) for name in registry.joined.members}
        self._regimes = {name: registry.models[name] for name in REGIME_SOURCES if name in registry.models}
        self._regime_places = [NAMES.index(name) for name in registry.joined.regime_columns]
        self._beliefs: dict[str, Floats] = {}
        self._present: dict[str, int] = {}
        speakers = [one for one in (*self._members.values(), *self._regimes.values()) if one is not None]
        self._vector_read = _read_by(speakers, "vector")
        self._sequence_read = _read_by(speakers, "sequence")
        self.vetoes: Counter[str] = Counter()

    @property
    def absent(self) -> tuple[str, ...]:
        """Return the members that are neither there nor replaced."""
        return tuple(name for name, speaker in self._members.items() if speaker is None)

    def answer(self, asked: list[tuple[str, Step]]) -> list[Answer]:
        """Answer for several instruments at once, in the order they were asked for."""
        reasons = [self._veto(step) for _, step in asked]
        good = [number for number, reason in enumerate(reasons) if not reason]
        answers = {
            number: self._flat(*asked[number], reason) for number, reason in enumerate(reasons) if number not in good
        }
        if good:
            steps = [asked[number][1] for number in good]
            chances = {name: self._chances(name, one, steps) for name, one in self._members.items()}
            opinions = {name: self._chances(name, one, steps) for name, one in self._regimes.items()}
            for row, number in enumerate(good):
                answers[number] = self._joined_answer(*asked[number], row, chances, opinions)
        return [answers[number] for number in range(len(asked))]

    def _veto(self, step: Step) -> str:
        for name, figures, places in (
            ("vector", step.vector, self._vector_read),
            ("sequence", step.sequence, self._sequence_read),
        ):
            read = figures[..., places]
            if not np.isfinite(read).all():
                return f"a figure of the {name} is not a number"
            outside = (read < self._joined.low[places]) | (read > self._joined.high[places])
            if outside.any():
                column = int(np.argwhere(outside)[0, -1])
                return f"{NAMES[places[column]]} is far outside of what training saw"
        return ""

    def _flat(self, instrument: str, step: Step, reason: str) -> Answer:
        self.vetoes[reason] += 1
        return Answer(instrument, step.start_s, _VETOED, 0.0, 0.0, 0.0, "", (), (), 0.0, reason)

    def _chances(self, name: str, loaded: LoadedModel | None, steps: list[Step]) -> Singles | None:
        """Return a model's answers for all steps, or nothing when it is not there or answers nonsense."""
        if loaded is None:
            return None
        kind = loaded.entry.input
        rows = np.stack([step.vector if kind == "vector" else step.sequence for step in steps])
        try:
            found = loaded.model.infer(np.ascontiguousarray(rows[..., loaded.places], np.float32))
        except ModelRefused as problem:
            self.vetoes[f"{name}: {problem}"] += 1
            return None
        sound = found.dtype == np.float32 and found.shape == (len(steps), loaded.entry.outputs)
        if not sound or not ((found >= 0.0) & (found <= 1.0)).all():
            self.vetoes[f"{name} answered with something that is no chance"] += 1
            return None
        return found

    def _joined_answer(
        self,
        instrument: str,
        step: Step,
        row: int,
        chances: dict[str, Singles | None],
        opinions: dict[str, Singles | None],
    ) -> Answer:
        joined = self._joined
        said = {name: float(found[row, 0]) for name, found in chances.items() if found is not None}
        if not said:
            return self._flat(instrument, step, "no model answered")
        neutral = 1.0 / (1.0 + np.exp(-joined.neutral))
        row_of_chances = np.array([said.get(name, neutral[place]) for place, name in enumerate(joined.members)])
        present = self._regime(instrument, step, row, opinions)
        chance = joined.chance(row_of_chances, present)
        width = float(barrier_widths(step.vector))
        return Answer(
            instrument,
            step.start_s,
            _SOUND,
            chance,
            joined.edge(chance, width),
            width,
            joined.hidden.names[present],
            tuple(said.items()),
            self._reasons(step, said) if self._explaining else (),
            float(step.vector[VOLATILITY]),
            "",
        )

    def _regime(self, instrument: str, step: Step, row: int, opinions: dict[str, Singles | None]) -> int:
        hidden = self._joined.hidden
        if instrument not in self._beliefs and len(self._beliefs) >= INSTRUMENTS_MAX:
            self._beliefs.clear()
            self._present.clear()
        belief = self._beliefs.get(instrument, hidden.start)
        figures = step.vector[self._regime_places].astype(np.float64)
        belief = hidden.after(belief, figures)
        self._beliefs[instrument] = belief
        blended = {"hidden": belief}
        for name, found in opinions.items():
            if found is not None:
                blended[REGIME_SOURCES[name]] = found[row].astype(np.float64)
        present = regime.next_regime(self._present.get(instrument, -1), regime.blend(blended))
        self._present[instrument] = present
        return present

    def _reasons(self, step: Step, said: dict[str, float]) -> tuple[Reason, ...]:
        joined = self._joined
        parts: list[Reason] = []
        for place, name in enumerate(joined.members):
            loaded = self._members[name]
            if name not in said or loaded is None:
                continue
            weight = float(joined.weights[place])
            if loaded.nodes is not None:
                out = np.zeros(len(loaded.places))
                row = np.ascontiguousarray(step.vector[list(loaded.places)])
                tree_shap.contributions(loaded.nodes, row, out)
                columns = loaded.entry.columns
                parts += [Reason(columns[one], weight * float(out[one])) for one in np.flatnonzero(out)]
            else:
                moved = float(joined.logits(np.array([said[name]]))[0] - joined.neutral[place])
                parts.append(Reason(f"{name}: the last hours", weight * moved))
        parts.sort(key=lambda reason: (-abs(reason.contribution), reason.name))
        return tuple(parts[:REASONS_COUNT])


def _speaker(registry: Registry, name: str) -> LoadedModel | None:
    stand_ins = [one for one in registry.models.values() if one.entry.stands_in_for == name]
    return registry.models.get(name) or next(iter(stand_ins), None)


def _read_by(speakers: list[LoadedModel], kind: str) -> list[int]:
    return sorted({place for one in speakers if one.entry.input == kind for place in one.places})
