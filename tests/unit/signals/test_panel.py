"""What models say together: vetoed where it cannot be trusted, joined where it can, with additive reasons."""

import itertools
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.kernels import tree_shap
from appliance.kernels.model_features import OUT_LENGTH
from appliance.kernels.tree_shap import TreeNodes
from appliance.signals.feature_table import NAMES
from appliance.signals.models.inputs import HOURS, Step
from appliance.signals.models.panel import Panel
from appliance.signals.models.registry import load
from tests.unit.signals.model_folder import ModelFolder, vector_model

VOLATILITY = NAMES.index("h1_volatility")
UNREAD = NAMES.index("m5_body")


@pytest.fixture
def folder(tmp_path: Path) -> ModelFolder:
    """Return a folder of good models."""
    return ModelFolder(tmp_path / "models")


def panel_of(folder: ModelFolder) -> Panel:
    """Return the panel over a folder."""
    folder.write()
    return Panel(load(folder.path, folder.keys.public))


def step(value: float = 0.01) -> Step:
    """Return a step whose figures are all alike."""
    return Step(0, np.full((HOURS, OUT_LENGTH), value, np.float32))


def logistic(raw: float) -> float:
    """Return the logistic curve."""
    return 1.0 / (1.0 + math.exp(-raw))


def test_two_members_are_joined_by_their_logits(folder: ModelFolder) -> None:
    """Shows chance, edge and members by hand; fails when the stack, the curve or the edge is computed otherwise."""
    answer = panel_of(folder).answer([("BTC/USD", step(0.02))])[0]
    assert not answer.vetoed
    assert dict(answer.members) == {"one": pytest.approx(logistic(0.02)), "two": pytest.approx(logistic(0.02))}
    assert answer.chance == pytest.approx(logistic(0.04), abs=1e-6)
    width = 0.02 * math.sqrt(24)
    assert answer.width == pytest.approx(width, rel=1e-6)
    assert answer.edge == pytest.approx((2 * answer.chance - 1) * width, rel=1e-6)


@pytest.mark.parametrize("poison", [math.nan, math.inf, -math.inf, 11.0, -11.0])
@pytest.mark.parametrize("where", ["vector", "sequence"])
def test_a_figure_that_is_no_number_or_out_of_range_vetoes_the_step(
    folder: ModelFolder, poison: float, where: str
) -> None:
    """Shows flat and counted for NaN, infinity and what training never saw; fails when a model is asked then."""
    panel, asked = panel_of(folder), step()
    (asked.vector if where == "vector" else asked.sequence[3])[VOLATILITY] = poison
    answers = panel.answer([("BTC/USD", asked), ("ETH/USD", step())])
    assert [answer.vetoed for answer in answers] == [True, False]
    assert (answers[0].chance, answers[0].edge, answers[0].members) == (0.0, 0.0, ())
    assert sum(panel.vetoes.values()) == 1


def test_a_figure_that_no_model_reads_vetoes_nothing(folder: ModelFolder) -> None:
    """Shows that a missing book silences no model that never read one; fails when every NaN is a veto."""
    asked = step()
    asked.vector[UNREAD] = math.nan
    assert not panel_of(folder).answer([("BTC/USD", asked)])[0].vetoed


def test_a_model_that_answers_nonsense_is_left_out(folder: ModelFolder) -> None:
    """Shows that a chance outside 0 to 1 silences that model alone, counted; fails when it moves the joined chance."""
    folder.add("one", "vector", vector_model(bias=5.0, ending="Identity"))
    panel = panel_of(folder)
    answer = panel.answer([("BTC/USD", step())])[0]
    assert [name for name, _ in answer.members] == ["two"]
    assert answer.chance == pytest.approx(logistic(0.5 + 0.01), abs=1e-6)
    assert sum(panel.vetoes.values()) == 1


def test_a_refused_member_is_replaced_by_its_stand_in(folder: ModelFolder) -> None:
    """Shows the stand-in speaking in the member's place, and the neutral chance where there is none; fails when the
    absence of a model moves the decision.
    """
    folder.models["one"]["schema"] = "1" * 64
    panel = panel_of(folder)
    assert panel.absent == ("one",)
    alone = panel.answer([("BTC/USD", step())])[0]
    assert alone.chance == pytest.approx(logistic(0.5 + 0.01), abs=1e-6)
    folder.add("spare", "vector", vector_model(), role="stand-in", stands_in_for="one")
    replaced = panel_of(folder)
    assert replaced.absent == ()
    assert replaced.answer([("BTC/USD", step())])[0].chance == pytest.approx(logistic(0.02), abs=1e-6)


def test_no_member_at_all_is_flat(folder: ModelFolder) -> None:
    """Shows that a panel without models says nothing; fails when it answers with the neutral chance."""
    for table in folder.models.values():
        table["schema"] = "1" * 64
    answer = panel_of(folder).answer([("BTC/USD", step())])[0]
    assert (answer.vetoed, answer.detail) == (True, "no model answered")


def test_several_instruments_are_answered_as_if_alone(folder: ModelFolder) -> None:
    """Shows a batch equal to single asks, each with its own regime; fails when rows or beliefs are mixed up."""
    together, alone = panel_of(folder), panel_of(folder)
    asked = [(f"I{number}/USD", step(0.001 * (number + 1))) for number in range(5)]
    for batched, single in zip(together.answer(asked), [alone.answer([one])[0] for one in asked], strict=True):
        assert batched.chance == pytest.approx(single.chance, abs=1e-6)
        assert (batched.instrument, batched.regime) == (single.instrument, single.regime)


def test_reasons_are_the_strongest_and_add_up(folder: ModelFolder) -> None:
    """Shows the tree's contribution by hand and the sequence model's part as one; fails when a weight is left out."""
    answer = panel_of(folder).answer([("BTC/USD", step(0.01))])[0]
    found = dict(answer.reasons)
    assert found["h1_return_24"] == pytest.approx(1.0 - (3 * 1.0 - 1 * 1.0) / 4)
    assert found["two: the last hours"] == pytest.approx(0.01 + 0.25, abs=1e-6)
    sizes = [abs(reason.contribution) for reason in answer.reasons]
    assert sizes == sorted(sizes, reverse=True)


def random_tree(draw: np.random.Generator, columns: int, depth: int) -> TreeNodes:
    """Return a tree grown at random, columns repeating along a path."""
    rows: list[list[float]] = []

    def grow(left_to_go: int, cover: float) -> int:
        place = len(rows)
        rows.append([-1, 0.0, -1, -1, float(draw.normal()), cover])
        if left_to_go and draw.random() < 0.85:
            share = float(draw.uniform(0.1, 0.9))
            left, right = grow(left_to_go - 1, cover * share), grow(left_to_go - 1, cover * (1 - share))
            rows[place] = [float(draw.integers(columns)), float(draw.normal()), left, right, 0.0, cover]
        return place

    grow(depth, 1_000.0)
    table = np.array(rows)
    whole = [table[:, column].astype(np.int32) for column in (0, 2, 3)]
    return TreeNodes(
        np.array([0], np.int32),
        whole[0],
        table[:, 1].astype(np.float32),
        whole[1],
        whole[2],
        table[:, 4].copy(),
        table[:, 5].copy(),
    )


def expected(tree: TreeNodes, node: int, row: npt.NDArray[np.float32], known: frozenset[int]) -> float:
    """Return the tree's mean answer when only some columns are known."""
    if tree.left[node] < 0:
        return float(tree.value[node])
    left, right = int(tree.left[node]), int(tree.right[node])
    if int(tree.feature[node]) in known:
        return expected(tree, left if row[tree.feature[node]] <= tree.threshold[node] else right, row, known)
    parts = [tree.cover[child] * expected(tree, child, row, known) for child in (left, right)]
    return float(sum(parts) / tree.cover[node])


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32), columns=st.integers(1, 5), depth=st.integers(0, 7))
def test_contributions_are_shapley_values(seed: int, columns: int, depth: int) -> None:
    """Shows the kernel equal to Shapley's definition over all subsets, by brute force; fails when a path is extended,
    unwound or copied wrongly, as when a column splits twice on one path.
    """
    draw = np.random.default_rng(seed)
    tree = random_tree(draw, columns, depth)
    row = draw.normal(size=columns).astype(np.float32)
    out = np.zeros(columns)
    assert well_sized(tree, columns)
    tree_shap.contributions(tree, row, out)
    for column in range(columns):
        others = [other for other in range(columns) if other != column]
        wanted = 0.0
        for size in range(len(others) + 1):
            weight = math.factorial(size) * math.factorial(columns - size - 1) / math.factorial(columns)
            for chosen in itertools.combinations(others, size):
                with_it = expected(tree, 0, row, frozenset({*chosen, column}))
                wanted += weight * (with_it - expected(tree, 0, row, frozenset(chosen)))
        assert out[column] == pytest.approx(wanted, abs=1e-9)


def well_sized(tree: TreeNodes, columns: int) -> bool:
    """Tell whether the tree is one that the registry would let through."""
    return bool((tree.feature < columns).all())
