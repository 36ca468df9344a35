"""A folder of small honest models, made and signed on the spot: the shape of the shipped ones, a few bytes each."""

import hashlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from appliance.core import seal
from appliance.core.seal import KeyPair
from appliance.kernels.tree_shap import TreeNodes
from appliance.signals.feature_table import NAMES, schema_hash
from appliance.signals.models.inputs import STEPS
from appliance.signals.models.signature import sign

COLUMNS = ("h1_return_24", "h1_volatility", "h1_efficiency")
STATES = ("calm", "wild")


def graph_of(nodes: list[Any], shape: list[Any], constants: list[Any], outputs: int) -> bytes:
    """Return an ONNX file of these nodes from `input` to `output`."""
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["rows", *shape])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["rows", outputs])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


def constant(name: str, values: npt.NDArray[np.float32]) -> onnx.TensorProto:
    """Return a constant of a graph."""
    return helper.make_tensor(name, TensorProto.FLOAT, values.shape, values.ravel().tolist())


def vector_model(bias: float = 0.0, columns: int = len(COLUMNS), ending: str = "Sigmoid") -> bytes:
    """Return a logistic curve over the mean of the columns."""
    weights = constant("weights", np.full((columns, 1), 1.0 / columns, np.float32))
    nodes = [
        helper.make_node("MatMul", ["input", "weights"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["raw"]),
        helper.make_node(ending, ["raw"], ["output"]),
    ]
    return graph_of(nodes, [columns], [weights, constant("bias", np.full(1, bias, np.float32))], 1)


def sequence_model(columns: int = len(COLUMNS)) -> bytes:
    """Return a logistic curve over the mean of the whole sequence."""
    weights = constant("weights", np.full((STEPS * columns, 1), 1.0 / (STEPS * columns), np.float32))
    shape = helper.make_tensor("shape", TensorProto.INT64, [2], [-1, STEPS * columns])
    nodes = [
        helper.make_node("Reshape", ["input", "shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["raw"]),
        helper.make_node("Sigmoid", ["raw"], ["output"]),
    ]
    return graph_of(nodes, [STEPS, columns], [weights, shape], 1)


def two_leaves() -> TreeNodes:
    """Return one tree with one split."""
    return TreeNodes(
        np.array([0], np.int32),
        np.array([0, -1, -1], np.int32),
        np.array([0.0, 0.0, 0.0], np.float32),
        np.array([1, -1, -1], np.int32),
        np.array([2, -1, -1], np.int32),
        np.array([0.0, -1.0, 1.0]),
        np.array([4.0, 1.0, 3.0]),
    )


def answers_of(data: bytes, inputs: npt.NDArray[np.float32]) -> list[list[float]]:
    """Return what the reference evaluator of ONNX answers: not the runtime under test."""
    reference = ReferenceEvaluator(onnx.load_from_string(data))
    answers: Any = reference.run(None, {"input": inputs})
    return [[float(value) for value in row] for row in answers[0]]


def decision() -> dict[str, Any]:
    """Return a decision file that trusts both members alike."""
    bounds = dict.fromkeys(NAMES, 10.0)
    return {
        "costs": {"fee": 0.0026, "slip": 0.0002},
        "trained_from_s": 1,
        "trained_until_s": 2,
        "usual_volatility": 0.01,
        "ranges": {"low": {name: -bound for name, bound in bounds.items()}, "high": bounds},
        "stack": {
            "members": ["one", "two"],
            "weights": [1.0, 1.0],
            "bias": 0.0,
            "neutral": [0.5, -0.25],
            "curves": {"any": {"x": [0.0, 1.0], "y": [0.0, 1.0]}},
            "win_ratio": 1.0,
            "loss_ratio": 1.0,
        },
        "regime": {
            "columns": list(COLUMNS),
            "names": list(STATES),
            "start": [0.5, 0.5],
            "transition": [[0.9, 0.1], [0.1, 0.9]],
            "means": [[0.0, -1.0, 0.0], [0.0, 1.0, 0.0]],
            "variances": [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]],
            "center": [0.0, 0.0, 0.0],
            "scale": [1.0, 1.0, 1.0],
        },
    }


@dataclass
class ModelFolder:
    """Write models, a decision file and a manifest, and sign it; what a test changes before `write` is signed too."""

    path: Path
    keys: KeyPair = field(default_factory=seal.generate)
    schema: str = field(default_factory=schema_hash)
    weight_percent: int = 0
    document: dict[str, Any] = field(default_factory=decision)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with a vector model made of trees and a sequence model."""
        self.add("one", "vector", vector_model(), nodes=two_leaves())
        self.add("two", "sequence", sequence_model())

    def add(self, name: str, kind: str, data: bytes, *, nodes: TreeNodes | None = None, **more: object) -> None:
        """Add a model with self-tests from the reference evaluator, unless it says that there are none."""
        shape = (2, len(COLUMNS)) if kind == "vector" else (2, STEPS, len(COLUMNS))
        inputs = np.random.default_rng(1).normal(size=shape).astype(np.float32)
        tests = more.pop("answers", None)
        outputs = tests if tests is not None else answers_of(data, inputs)
        encoded = json.dumps({"inputs": inputs.tolist(), "outputs": outputs}).encode()
        table: dict[str, Any] = {"name": name, "input": kind, "columns": list(COLUMNS), "outputs": 1, "role": "member"}
        table |= {"schema": schema_hash(), "data": "0" * 64, "tolerance": 1e-4}
        table |= self.file(f"{name}.onnx", data, "file", "sha256")
        table |= self.file(f"{name}.tests.json", encoded, "tests", "tests_sha256")
        if nodes is not None:
            packed = io.BytesIO()
            np.savez(packed, **nodes._asdict())
            table |= self.file(f"{name}.nodes.npz", packed.getvalue(), "nodes", "nodes_sha256")
        self.models[name] = table | more

    def file(self, name: str, data: bytes, key: str, hash_key: str) -> dict[str, str]:
        """Write one file and return what the manifest says of it."""
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_bytes(data)
        return {key: name, hash_key: hashlib.sha256(data).hexdigest()}

    def write(self) -> "ModelFolder":
        """Write decision file, manifest and signature."""
        lines = ["format = 1", f'schema = "{self.schema}"', "[decision]", f"weight_percent = {self.weight_percent}"]
        described = self.file("decision.json", json.dumps(self.document).encode(), "file", "sha256")
        lines += [f'{key} = "{value}"' for key, value in described.items()]
        for table in self.models.values():
            lines += ["[[model]]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
        manifest = "\n".join(lines).encode()
        (self.path / "manifest.toml").write_bytes(manifest)
        (self.path / "manifest.sig").write_bytes(sign(manifest, self.keys.private))
        return self
