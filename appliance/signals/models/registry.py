"""Which models may speak: each is verified before a parser sees it, and refused alone, with the reason.

The order is the protection: signature over the manifest, then the manifest; hash of a file, then the file; shape and
type, then a test against answers recorded in training. What fails is left out and named; nothing is ever half loaded.
"""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from appliance.core.bounded_file import FileRead, read_bounded
from appliance.core.errors import ApplianceError
from appliance.kernels.tree_shap import DEPTH_MAX, TreeNodes
from appliance.signals.feature_table import places_of, schema_hash
from appliance.signals.models import joining, manifest
from appliance.signals.models.joining import Joining
from appliance.signals.models.manifest import Manifest, ModelEntry
from appliance.signals.models.onnx_model import Model, ModelRefused, OnnxModel
from appliance.signals.models.signature import signed
from appliance.signals.models.tree_nodes import nodes_from, well_formed

MANIFEST_NAME: Final = "manifest.toml"
SIGNATURE_NAME: Final = "manifest.sig"
FILE_BYTES_MAX: Final = 33_554_432
TEXT_BYTES_MAX: Final = 1_048_576
TESTS_MAX: Final = 64
Singles = npt.NDArray[np.float32]


class ModelsRefused(ApplianceError):
    """Report that no model at all can be used."""


class LoadedModel(NamedTuple):
    """Hold a model that was found good: what it is, what runs it, which columns it reads and its nodes, if of trees."""

    entry: ModelEntry
    model: Model
    places: tuple[int, ...]
    nodes: TreeNodes | None


class Registry(NamedTuple):
    """Hold what may be used and what was refused, by name."""

    folder: Path
    fingerprint: str
    described: Manifest
    joined: Joining
    models: dict[str, LoadedModel]
    refused: dict[str, str]


def load(folder: Path, public_key: bytes) -> Registry:
    """Return the models of a folder; one that fails is left out, a manifest or decision file that fails leaves none."""
    data = _read(folder / MANIFEST_NAME, TEXT_BYTES_MAX)
    signature = _read(folder / SIGNATURE_NAME, TEXT_BYTES_MAX)
    if not signed(data, signature, public_key):
        raise ModelsRefused(f"{folder / MANIFEST_NAME} is not signed by the key of this appliance; restore it")
    described = manifest.parse(data)
    if isinstance(described, str):
        raise ModelsRefused(f"{folder / MANIFEST_NAME} {described}; restore it")
    if described.schema != schema_hash():
        raise ModelsRefused(f"{folder / MANIFEST_NAME} is for another feature table; install models made for this one")
    decision_path = folder / described.decision_file
    joined = joining.parse(_pinned(decision_path, described.decision_sha256))
    if isinstance(joined, str):
        raise ModelsRefused(f"{decision_path} {joined}")
    models: dict[str, LoadedModel] = {}
    refused: dict[str, str] = {}
    for entry in described.models:
        try:
            models[entry.name] = _load(folder, entry)
        except (ModelRefused, ModelsRefused) as problem:
            refused[entry.name] = str(problem)
    return Registry(folder, hashlib.sha256(data).hexdigest(), described, joined, models, refused)


def self_test(loaded: LoadedModel, folder: Path) -> float:
    """Return the largest distance of the model's answers from the recorded ones, refusing one that is too large."""
    entry = loaded.entry
    try:
        document = json.loads(_pinned(folder / entry.tests, entry.tests_sha256))
        inputs = np.array(document["inputs"], dtype=np.float32)
        wanted = np.array(document["outputs"], dtype=np.float32)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ModelRefused(f"{entry.tests} holds no inputs and answers") from None
    if not 1 <= len(inputs) <= TESTS_MAX or wanted.shape != (len(inputs), entry.outputs):
        raise ModelRefused(f"{entry.tests} must hold 1 to {TESTS_MAX} inputs, each with {entry.outputs} answers")
    found = np.concatenate([loaded.model.infer(one[None]) for one in inputs])
    distance = float(np.abs(found - wanted).max())
    # Written so that an answer that is no number fails.
    if not distance <= entry.tolerance:
        raise ModelRefused(f"its answers are {distance:g} away from the recorded ones; {entry.tolerance:g} is allowed")
    return distance


def _load(folder: Path, entry: ModelEntry) -> LoadedModel:
    data = _pinned(folder / entry.file, entry.sha256)
    if entry.schema != schema_hash():
        raise ModelRefused(f"{entry.file} learned from another feature table")
    places = places_of(entry.columns)
    if isinstance(places, str):
        raise ModelRefused(f"{entry.file} reads the unknown column {places}")
    nodes = _nodes(folder, entry) if entry.nodes else None
    loaded = LoadedModel(entry, OnnxModel(data, entry.input, len(places), entry.outputs), places, nodes)
    self_test(loaded, folder)
    return loaded


def _nodes(folder: Path, entry: ModelEntry) -> TreeNodes:
    data = _pinned(folder / entry.nodes, entry.nodes_sha256)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as packed:
            nodes = nodes_from(packed)
    except (ValueError, KeyError, OSError, zipfile.BadZipFile):
        raise ModelRefused(f"{entry.nodes} does not hold the nodes of trees") from None
    if not well_formed(nodes, len(entry.columns)):
        raise ModelRefused(f"{entry.nodes} holds no trees of at most {DEPTH_MAX} splits one above the other")
    return nodes


def _pinned(path: Path, promised: str) -> bytes:
    """Return a file's bytes if they are the ones that were signed."""
    data = _read(path, FILE_BYTES_MAX)
    found = hashlib.sha256(data).hexdigest()
    if found != promised:
        raise ModelsRefused(f"{path} is not the file that was signed (sha256 {found[:12]}…); restore it")
    return data


def _read(path: Path, bytes_max: int) -> bytes:
    outcome = read_bounded(path, bytes_max)
    if isinstance(outcome, FileRead):
        return outcome.data
    raise ModelsRefused(f"{path} {outcome.reason}")
