"""Models are verified before they are read, and refused one by one with the reason."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.core import seal
from appliance.signals.models.registry import ModelsRefused, Registry, load
from appliance.signals.models.tree_nodes import well_formed
from tests.unit.signals.model_folder import ModelFolder, two_leaves, vector_model


@pytest.fixture
def folder(tmp_path: Path) -> ModelFolder:
    """Return a folder of good models, not yet signed."""
    return ModelFolder(tmp_path / "models")


def loaded(folder: ModelFolder) -> Registry:
    """Return what the registry makes of a folder."""
    return load(folder.path, folder.keys.public)


def test_good_models_are_all_there(folder: ModelFolder) -> None:
    """Shows that signed, whole models load and pass their self-tests; fails when a good one is refused."""
    registry = loaded(folder.write())
    assert set(registry.models) == {"one", "two"}
    assert registry.refused == {}


def test_another_key_refuses_everything(folder: ModelFolder) -> None:
    """Shows that who can write the folder but not sign gets nothing loaded; fails when the key is not asked for."""
    folder.write()
    with pytest.raises(ModelsRefused, match="not signed"):
        load(folder.path, seal.generate().public)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**6), bit=st.integers(0, 7), name=st.sampled_from(["manifest.toml", "manifest.sig"]))
def test_any_flipped_bit_of_the_manifest_or_its_signature_refuses(
    tmp_path: Path, place: int, bit: int, name: str
) -> None:
    """Shows that no bit can be changed; fails when the parser sees, or the signature covers, other bytes than these."""
    folder = ModelFolder(tmp_path / "models").write()
    data = bytearray((folder.path / name).read_bytes())
    at = place % (len(data) - 1)
    data[at] ^= 1 << bit
    (folder.path / name).write_bytes(data)
    same_spelling = name == "manifest.sig" and bytes(data).lower() == folder.path.joinpath(name).read_bytes().lower()
    try:
        registry = loaded(folder)
    except ModelsRefused:
        return
    # Only the case of a hexadecimal digit may change without changing the signature.
    assert same_spelling
    assert chr(data[at]).lower() in "abcdef"
    assert registry.refused == {}


@pytest.mark.parametrize("name", ["one.onnx", "one.tests.json", "one.nodes.npz"])
def test_a_flipped_bit_refuses_that_model_alone(folder: ModelFolder, name: str) -> None:
    """Shows that every file of a model is pinned, and that the other model goes on; fails when one file is not."""
    folder.write()
    path = folder.path / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    registry = loaded(folder)
    assert set(registry.models) == {"two"}
    assert name in registry.refused["one"]
    assert "not the file that was signed" in registry.refused["one"]


def test_a_changed_decision_file_refuses_everything(folder: ModelFolder) -> None:
    """Shows that how models are joined is pinned like the models; fails when another stack could be slipped in."""
    folder.write()
    path = folder.path / "decision.json"
    path.write_bytes(path.read_bytes().replace(b'"bias": 0.0', b'"bias": 9.0'))
    with pytest.raises(ModelsRefused, match=r"decision\.json is not the file"):
        loaded(folder)


def test_models_of_another_feature_table_are_refused(folder: ModelFolder) -> None:
    """Shows that a model that learned from other columns is not fed these; fails when the schema is not compared."""
    folder.models["two"]["schema"] = "1" * 64
    assert "another feature table" in loaded(folder.write()).refused["two"]
    folder.schema = "1" * 64
    with pytest.raises(ModelsRefused, match="another feature table"):
        loaded(folder.write())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "onnxruntime cannot read it"),
        (vector_model()[:100], "onnxruntime cannot read it"),
        (b"not a model", "onnxruntime cannot read it"),
        (vector_model(columns=4), "of shape (4,), not (3,)"),
        (vector_model(bias=2.0), "away from the recorded ones"),
    ],
    ids=["empty", "cut off", "something else", "another shape", "another model"],
)
def test_a_signed_model_that_does_not_work_is_refused(folder: ModelFolder, data: bytes, reason: str) -> None:
    """Shows that a signature alone is not enough; fails when a broken or exchanged model would speak."""
    good = json.loads((folder.path / "one.tests.json").read_bytes())["outputs"]
    folder.add("one", "vector", data, answers=good)
    registry = loaded(folder.write())
    assert reason in registry.refused["one"]
    assert set(registry.models) == {"two"}


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("file", "../one.onnx", "no good file"),
        ("columns", ["h1_luck"], "not in the feature table"),
        ("outputs", 0, "1 to 16 outputs"),
        ("tolerance", 2.0, "tolerance"),
        ("role", "boss", "no good role"),
        ("extra", 1, "unknown key 'extra'"),
    ],
)
def test_a_manifest_that_says_nonsense_is_refused(folder: ModelFolder, key: str, value: object, reason: str) -> None:
    """Shows each field's bounds; fails when a signed mistake would be taken for something."""
    folder.models["one"][key] = value
    with pytest.raises(ModelsRefused, match="model 1") as caught:
        loaded(folder.write())
    assert reason in str(caught.value)


@pytest.mark.parametrize("weight", [-1, 10, 61])
def test_a_weight_outside_the_bounds_is_refused(folder: ModelFolder, weight: int) -> None:
    """Shows that models weigh nothing, or 20 to 60 percent; fails when a manifest could claim more."""
    folder.weight_percent = weight
    with pytest.raises(ModelsRefused, match="weight_percent"):
        loaded(folder.write())


@pytest.mark.parametrize("name", ["manifest.toml", "manifest.sig", "decision.json"])
def test_a_missing_file_is_named(folder: ModelFolder, name: str) -> None:
    """Shows that an incomplete folder loads nothing and says what is missing; fails when it half loads."""
    (folder.write().path / name).unlink()
    with pytest.raises(ModelsRefused, match=name):
        loaded(folder)


def test_trees_that_point_outside_are_refused() -> None:
    """Shows what a kernel without bounds checks must never walk over; fails when one such table passes."""
    good = two_leaves()
    assert well_formed(good, 1)
    for changed in (
        good._replace(left=np.array([3, -1, -1], np.int32)),
        good._replace(left=np.array([0, -1, -1], np.int32)),
        good._replace(roots=np.array([-1], np.int32)),
        good._replace(feature=np.array([1, -1, -1], np.int32)),
        good._replace(cover=np.array([4.0, 0.0, 4.0])),
        good._replace(value=np.array([0.0, np.nan, 1.0])),
        good._replace(right=np.array([2, -1], np.int32)),
    ):
        assert not well_formed(changed, 1)
