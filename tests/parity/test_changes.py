"""The compiled searches for change points against the same in plain Python, bit for bit."""

import random

import numpy as np
import pytest

from appliance.kernels.changes import last_change
from appliance.market.quality.bayes import Bayes
from appliance.market.quality.pelt import WINDOW
from tests.parity import change_twin


@pytest.mark.parametrize("seed", range(8))
def test_bayes_is_its_twin_to_the_bit(seed: int) -> None:
    """Shows equal weights and verdicts through calm, wild and constant stretches; fails when an order of sums moves."""
    draw, layer, twin = random.Random(seed), Bayes(), change_twin.Bayes()
    verdicts = set()
    for number in range(1_500):
        stretch = number // 150 % 4
        value = draw.choice((-20.0, 20.0, 0.0)) if stretch == 3 else draw.gauss(0.0, (1.0, 5.0, 0.0)[stretch])
        found = layer.update(value)
        assert found == twin.update(value)
        assert layer.weights == twin.weights
        verdicts.add(found)
    assert verdicts == {True, False}


@pytest.mark.parametrize("seed", range(60))
def test_pelt_is_its_twin_from_any_place_of_the_ring(seed: int) -> None:
    """Shows the newest cut equal for a ring that begins anywhere; fails when a place is read from the wrong end."""
    draw = np.random.default_rng(seed)
    values = draw.normal(0.0, 1.0, WINDOW)
    values[int(draw.integers(6, 27)) :] *= draw.choice((0.1, 1.0, 4.0))
    first = int(draw.integers(0, WINDOW))
    assert last_change(np.roll(values, first), first) == change_twin.last_change(tuple(values.tolist()))
