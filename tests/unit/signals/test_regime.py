"""The regime: a filter that equals its definition, a blend by weight, and a change of mind only for a reason."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.signals.regime import MARGIN, SOURCE_WEIGHTS, HiddenStates, blend, next_regime, regimes


def hidden(seed: int) -> HiddenStates:
    """Return a random model of three states."""
    draw = np.random.default_rng(seed)
    transition = draw.dirichlet(np.ones(3), 3)
    return HiddenStates(
        ("a", "b", "c"),
        draw.dirichlet(np.ones(3)),
        transition,
        draw.normal(size=(3, 3)),
        draw.uniform(0.2, 2.0, (3, 3)),
        np.zeros(3),
        np.ones(3),
    )


def twin(model: HiddenStates, belief: list[float], seen: list[float]) -> list[float]:
    """Return the filtered belief by Bayes' rule, in plain numbers."""
    weights = []
    for state in range(3):
        prior = sum(belief[before] * float(model.transition[before, state]) for before in range(3))
        likelihood = 1.0
        for column in range(3):
            mean, variance = float(model.means[state, column]), float(model.variances[state, column])
            spread = math.sqrt(2 * math.pi * variance)
            likelihood *= math.exp(-((seen[column] - mean) ** 2) / (2 * variance)) / spread
        weights.append(prior * likelihood)
    return [weight / sum(weights) for weight in weights]


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_the_filter_equals_bayes_rule(seed: int) -> None:
    """Shows the kernel equal to its definition step by step, and beliefs that add to one; fails when the transition is
    read the wrong way round.
    """
    model, draw = hidden(seed), np.random.default_rng(seed + 1)
    figures = np.column_stack([draw.normal(size=8), draw.uniform(0.5, 2.0, 8), draw.normal(size=8)])
    found = model.beliefs(figures)
    belief = model.start.tolist()
    for row in range(8):
        belief = twin(model, belief, model.seen(figures[row]).tolist())
        assert found[row] == pytest.approx(belief, abs=1e-9)


def test_an_observation_beyond_all_states_leaves_a_belief() -> None:
    """Shows that nothing is divided by zero far away from every state; fails when likelihoods underflow."""
    belief = hidden(1).beliefs(np.array([[1e6, 1.0, -1e6]]))
    assert belief.sum() == pytest.approx(1.0)


def test_absent_opinions_leave_their_weight_to_the_rest() -> None:
    """Shows 25, 30, 20, 15, 10 and their scaling; fails when an absent source still dilutes the others."""
    sides = {name: np.array([1.0, 0.0]) for name in SOURCE_WEIGHTS}
    sides["hidden"] = np.array([0.0, 1.0])
    assert blend(sides) == pytest.approx([0.75, 0.25])
    assert blend({"hidden": sides["hidden"], "trees": sides["trees"]}) == pytest.approx([20 / 45, 25 / 45])


def test_the_regime_changes_only_for_a_clear_lead() -> None:
    """Shows both sides of the margin; fails when a tie makes the regime flutter."""
    assert next_regime(-1, np.array([0.4, 0.6])) == 1
    assert next_regime(0, np.array([0.5 - MARGIN / 2 + 1e-6, 0.5 + MARGIN / 2 - 1e-6])) == 0
    assert next_regime(0, np.array([0.4, 0.6])) == 1
    fluttering = np.array([[0.52, 0.48], [0.48, 0.52]] * 5)
    assert regimes(fluttering).tolist() == [0] * 10
