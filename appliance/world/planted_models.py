"""Bugs of what the models have to do with a decision, planted like the others."""

import numpy as np

from appliance.core import events
from appliance.core.clock import Clock
from appliance.engine.model_bars import ModelBars
from appliance.engine.model_desk import ModelDesk, Post, Say, Shelf
from appliance.engine.model_voices import ModelVoices, _Market
from appliance.engine.trader import Trader
from appliance.signals.models.inputs import Step
from appliance.signals.models.onnx_model import Singles
from appliance.signals.models.speaker import Speaker
from appliance.world.planting import Bug, spoiled
from appliance.world.simulation import HONEST

_LONG_S = 3_600.0


class _TrustingSpeaker(Speaker):
    """Believe whatever a model answers."""

    __slots__ = ()

    def chances(self, steps: list[Step]) -> Singles | None:
        return np.nan_to_num(self.loaded.model.infer(np.stack([step.vector for step in steps])), nan=1.0)


class _TrustingDesk(ModelDesk):
    """Let models speak that nobody checks."""

    def _install(self) -> None:
        super()._install()
        if self.installed is not None:
            for speaker in self.installed.panel._members.values():  # noqa: SLF001 - the bug is put where the real part was
                speaker.__class__ = _TrustingSpeaker


class _PatientDesk(ModelDesk):
    """Wait for the models however long they take."""

    def __init__(self, folder: Shelf, clock: Clock, budget_s: float, post: Post, say: Say) -> None:  # noqa: ARG002 - that is the bug
        super().__init__(folder, clock, _LONG_S, post, say)


class _NostalgicVoices(ModelVoices):
    """Let the last good answer count for ever."""

    __slots__ = ()

    def _fresh(self, market: _Market) -> events.ModelsAnswered | None:
        return market.answer


class _RashBars(ModelBars):
    """Take a step of remembered bars for one that closed just now."""

    __slots__ = ()

    def acts(self, start_s: int) -> bool:  # noqa: ARG002 - that is the bug
        return True


def _rash_bars(trader: Trader) -> tuple[object, type]:
    markets = list(trader.voices._markets.values())  # noqa: SLF001 - as above
    for market in markets:
        market.bars.__class__ = _RashBars
    return markets[0].bars, _RashBars


MODEL_BUGS: tuple[Bug, ...] = (
    Bug(
        "nonsense of a model believed",
        "what a model answers is joined without asking whether it is a chance",
        HONEST._replace(models=_TrustingDesk),
        frozenset({10}),
    ),
    Bug(
        "models waited for",
        "an answer counts however long it took",
        HONEST._replace(models=_PatientDesk),
        frozenset({10}),
    ),
    Bug(
        "old word of the models counts",
        "the last good answer has a say in every later decision",
        spoiled(lambda trader: (trader.voices, _NostalgicVoices)),
        frozenset({10}),
    ),
    Bug(
        "answers about the past acted upon",
        "a step of bars that the venue remembers opens a position",
        spoiled(_rash_bars),
        frozenset({10}),
    ),
)
