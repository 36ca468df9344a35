"""Ask every model about a step, veto what cannot be trusted, and join the rest into one answer with its reasons.

A step is vetoed when a figure that a model reads is not a number or lies far outside of what training saw; a model when
its answer is no chance. A vetoed step is flat; a vetoed or absent member counts as its own mean, which moves the joined
chance nowhere. The reasons are additive parts of the joined log-odds: exact for the trees (TreeSHAP), and for each
sequence model its whole part as one, an approximation that says which model spoke but not which hour moved it.
"""

from collections import Counter
from typing import Final, NamedTuple

import numpy as np

from appliance.kernels import tree_shap
from appliance.signals.feature_table import NAMES
from appliance.signals.models.inputs import Step
from appliance.signals.models.joining import VOLATILITY, barrier_widths
from appliance.signals.models.regime_reader import RegimeReader
from appliance.signals.models.registry import LoadedModel, Registry
from appliance.signals.models.speaker import Speaker

REASONS_COUNT: Final = 5
_VETOED, _SOUND = True, False
REGIME_SOURCES: Final = {"regime-trees": "trees", "regime-sequence": "sequence"}


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
    """Hold the models of one registry; an answer depends on its step alone."""

    def __init__(self, registry: Registry, *, explaining: bool = True) -> None:
        """Take models that were found good; a member that is missing is replaced by its stand-in."""
        self._joined = registry.joined
        self._explaining = explaining
        self.vetoes: Counter[str] = Counter()
        chosen = {name: _chosen(registry, name) for name in registry.joined.members}
        self.absent = tuple(name for name, loaded in chosen.items() if loaded is None)
        self._members = {name: Speaker(name, one, self.vetoes) for name, one in chosen.items() if one is not None}
        sources = {
            source: Speaker(name, registry.models[name], self.vetoes)
            for name, source in REGIME_SOURCES.items()
            if name in registry.models
        }
        speakers = [*self._members.values(), *sources.values()]
        self._vector_read = sorted({*_read_by(speakers, "vector"), *registry.joined.regime_places})
        self._sequence_read = _read_by(speakers, "sequence")
        self._reader = RegimeReader(registry.joined, sources, self._vector_read, self._sequence_read)

    def answer(self, asked: list[tuple[str, Step]]) -> list[Answer]:
        """Answer for several instruments at once, in the order they were asked for."""
        reasons = [self._veto(step) for _, step in asked]
        good = [number for number, reason in enumerate(reasons) if not reason]
        answers = {
            number: self._flat(*asked[number], reason) for number, reason in enumerate(reasons) if number not in good
        }
        if good:
            steps = [asked[number][1] for number in good]
            chances = {name: speaker.chances(steps) for name, speaker in self._members.items()}
            regimes = self._reader.read(steps)
            for row, number in enumerate(good):
                said = {name: float(found[row, 0]) for name, found in chances.items() if found is not None}
                answers[number] = self._joined_answer(*asked[number], said, regimes[row])
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

    def _joined_answer(self, instrument: str, step: Step, said: dict[str, float], present: int) -> Answer:
        joined = self._joined
        if not said:
            return self._flat(instrument, step, "no model answered")
        neutral = 1.0 / (1.0 + np.exp(-joined.neutral))
        row_of_chances = np.array([said.get(name, neutral[place]) for place, name in enumerate(joined.members)])
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

    def _reasons(self, step: Step, said: dict[str, float]) -> tuple[Reason, ...]:
        joined = self._joined
        parts: list[Reason] = []
        for place, name in enumerate(joined.members):
            if name not in said:
                continue
            loaded = self._members[name].loaded
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


def _chosen(registry: Registry, name: str) -> LoadedModel | None:
    stand_ins = [one for one in registry.models.values() if one.entry.stands_in_for == name]
    return registry.models.get(name) or next(iter(stand_ins), None)


def _read_by(speakers: list[Speaker], kind: str) -> list[int]:
    loaded = [speaker.loaded for speaker in speakers if speaker.loaded.entry.input == kind]
    return sorted({place for one in loaded for place in one.places})
