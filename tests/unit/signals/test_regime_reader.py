"""A regime read from a step's own hours is the one of training, whose filter never begins anew."""

from collections import Counter

import numpy as np
import pytest

from appliance.lab.evaluation import answers_for
from appliance.signals.models.installed import models_folder, trusted_key
from appliance.signals.models.panel import REGIME_SOURCES, Panel
from appliance.signals.models.registry import Registry, load
from appliance.signals.models.speaker import Speaker
from appliance.signals.regime import blend, regimes
from tests.unit.engine.builders import MARKET
from tests.unit.engine.test_model_voices import market, untold


@pytest.fixture(scope="module")
def registry() -> Registry:
    """Return the shipped models."""
    return load(models_folder(), trusted_key())


def test_what_is_read_from_a_day_is_what_the_whole_past_says(registry: Registry) -> None:
    """Shows the shipped models' regimes of almost four hundred hours equal to those of one filter and one change of
    mind over all of them, as training has them, but for one in fifty; fails when a regime begins at its prior or the
    order of the hours, their opinions or their weights differ.
    """
    judged = answers_for(Panel(registry, explaining=False), market(5_300), MARKET, untold)
    sound = [not one.vetoed for one in judged.answers]
    steps, numbers = judged.steps, judged.numbers[sound]
    asked = [steps.step(int(number), 0) for number in numbers]
    figures = steps.vectors[:, registry.joined.regime_places].astype(np.float64)
    opinions = {"hidden": registry.joined.hidden.beliefs(figures)[numbers]}
    for name, source in REGIME_SOURCES.items():
        said = Speaker(name, registry.models[name], Counter()).chances(asked)
        assert said is not None
        opinions[source] = said.astype(np.float64)
    names = registry.joined.hidden.names
    wanted = [names[state] for state in regimes(blend(opinions)).tolist()]
    found = [one.regime for one in judged.answers if not one.vetoed]
    alike = [one == other for one, other in zip(found, wanted, strict=True)]
    assert len(alike) >= 390
    assert len(set(wanted)) >= 3
    assert sum(alike) >= 0.98 * len(alike)


@pytest.mark.parametrize("missing", [0, 7, 14])
def test_a_missing_hour_is_passed_over(registry: Registry, missing: int) -> None:
    """Shows a regime where an hour before the sequence is a hole, the same as without it; fails when a hole makes the
    filter forget or an answer impossible.
    """
    judged = answers_for(Panel(registry, explaining=False), market(1_200), MARKET, untold)
    whole = judged.steps.step(int(judged.numbers[-1]), 0)
    hours = whole.hours.copy()
    hours[missing] = np.nan
    panel = Panel(registry)
    [one, other] = panel.answer([(MARKET, whole), (MARKET, whole._replace(hours=hours))])
    assert not other.vetoed
    assert one.regime == other.regime
