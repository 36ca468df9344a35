"""The models stand still, take too long, or say what is no chance.

They strike in worlds that have models, and count when an answer was really held up, late or nonsense.
"""

import math

from appliance.world.faults import Kind
from appliance.world.stage import Stage

_LASTS_MS = (12_000, 40_000)


def _misspeak(name: str, value: float) -> Kind:
    def begin(stage: Stage) -> None:
        if stage.models is not None:
            stage.models.mouth.nonsense[name] = value

    def end(stage: Stage) -> None:
        if stage.models is not None:
            stage.models.mouth.nonsense.pop(name, None)

    return Kind(name, _LASTS_MS, begin, end)


def _stall(stage: Stage) -> None:
    if stage.models is not None:
        stage.models.stalled = True


def _go_on(stage: Stage) -> None:
    if stage.models is not None:
        stage.models.go_on()


def _slow_down(stage: Stage) -> None:
    if stage.models is not None:
        stage.models.slow = True


def _speed_up(stage: Stage) -> None:
    if stage.models is not None:
        stage.models.slow = False


MODEL_KINDS = (
    Kind("models stall", _LASTS_MS, _stall, _go_on),
    Kind("models slow", _LASTS_MS, _slow_down, _speed_up),
    _misspeak("model says NaN", math.nan),
    _misspeak("model says infinity", math.inf),
    _misspeak("model says more than one", 1.5),
)
