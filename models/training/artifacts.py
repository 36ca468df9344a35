"""Write what ships: ONNX files, self-test vectors, the decision file, the manifest and its signature."""

import hashlib
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnxruntime.quantization import QuantType, quantize_dynamic

from appliance.core import seal
from appliance.core.secret import Secret
from appliance.kernels.tree_shap import TreeNodes
from appliance.signals.feature_table import NAMES, schema_hash
from appliance.signals.models.manifest import FORMAT
from appliance.signals.models.registry import MANIFEST_NAME, SIGNATURE_NAME
from appliance.signals.models.signature import sign
from models.training import plan
from models.training.data import Samples

Singles = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
TESTS: Final = 3
ONNX_TOLERANCE: Final = 1e-5
# Rounding differs between machines; what a self-test must find is another model, not another last bit.
SELF_TEST_TOLERANCE: Final = 1e-4
INT8_TOLERANCE: Final = 0.02
# How far beyond training's extreme thousandths a figure may lie, in widths of what lies between them.
MARGIN: Final = 1.0


class Product(NamedTuple):
    """Hold one model ready to ship."""

    name: str
    kind: str
    onnx: bytes
    outputs: int
    role: str
    stands_in_for: str
    nodes: TreeNodes | None
    tolerance: float


def run_onnx(data: bytes, rows: Singles) -> Floats:
    """Return what the runtime answers."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["output"], {"input": rows})[0], dtype=np.float64)


def inputs_of(kind: str, samples: Samples) -> Singles:
    """Return the rows a kind of model reads."""
    return samples.vectors if kind == "vector" else samples.sequences


def distance(data: bytes, rows: Singles, own: Floats) -> float:
    """Return the largest distance between the runtime's answers and the framework's own."""
    return float(np.abs(run_onnx(data, rows).reshape(own.shape) - own).max())


def to_int8(data: bytes, folder: Path) -> bytes:
    """Return the model with weights of eight bits."""
    before, after = folder / "before.onnx", folder / "after.onnx"
    before.write_bytes(data)
    quantize_dynamic(before, after, weight_type=QuantType.QInt8)
    return after.read_bytes()


def ranges_of(samples: Samples) -> dict[str, dict[str, float]]:
    """Return how far each feature may lie: training's extreme thousandths and a margin, where it saw any."""
    low = dict.fromkeys(NAMES, -1e300)
    high = dict.fromkeys(NAMES, 1e300)
    for place, name in enumerate(plan.VECTOR_COLUMNS):
        bottom, top = np.quantile(samples.vectors[:, place].astype(np.float64), [0.001, 0.999])
        margin = MARGIN * (top - bottom) + 1e-6
        low[name], high[name] = float(bottom - margin), float(top + margin)
    return {"low": low, "high": high}


def write(
    folder: Path,
    products: Sequence[Product],
    samples: Samples,
    document: dict[str, Any],
    data: str,
    trusted: Path,
    work: Path,
) -> None:
    """Write every file but the cards; the manifest last, so that a run cut off leaves the old one refused."""
    draw = np.random.default_rng(plan.SEED)
    chosen = draw.choice(samples.won.size, TESTS, replace=False)
    lines = [f"format = {FORMAT}", f'schema = "{schema_hash()}"', ""]
    decision = json.dumps(document, indent=1, allow_nan=False).encode() + b"\n"
    lines += [
        "[decision]",
        f'file = "{_put(folder, "decision.json", decision)}"',
        f'sha256 = "{_hash(decision)}"',
        f"weight_percent = {document['weight_percent']}",
    ]
    for product in products:
        lines += ["", *_table(folder, product, inputs_of(product.kind, samples)[chosen], data)]
    manifest = (
        "# Written by `make train`, and signed: a changed byte refuses every model.\n" + "\n".join(lines)
    ).encode()
    manifest += b"\n"
    _put(folder, MANIFEST_NAME, manifest)
    private, public = _key(work)
    trusted.write_bytes(public)
    _put(folder, SIGNATURE_NAME, sign(manifest, private))


def _table(folder: Path, product: Product, rows: Singles, data: str) -> list[str]:
    answers = np.concatenate([run_onnx(product.onnx, row[None]) for row in rows])
    tests = {"inputs": rows.astype(np.float64).tolist(), "outputs": answers.tolist()}
    encoded = json.dumps(tests, allow_nan=False, separators=(",", ":")).encode() + b"\n"
    columns = plan.VECTOR_COLUMNS if product.kind == "vector" else plan.SEQUENCE_COLUMNS
    values: dict[str, object] = {
        "name": product.name,
        "file": _put(folder, f"{product.name}.onnx", product.onnx),
        "sha256": _hash(product.onnx),
        "input": product.kind,
        "columns": list(columns),
        "outputs": product.outputs,
        "role": product.role,
        "stands_in_for": product.stands_in_for,
        "schema": schema_hash(),
        "data": data,
        "tolerance": product.tolerance,
        "tests": _put(folder, f"{product.name}.tests.json", encoded),
        "tests_sha256": _hash(encoded),
    }
    if product.nodes is not None:
        file = io.BytesIO()
        np.savez_compressed(file, **product.nodes._asdict())
        values |= {
            "nodes": _put(folder, f"{product.name}.nodes.npz", file.getvalue()),
            "nodes_sha256": _hash(file.getvalue()),
        }
    # JSON's texts, lists and numbers are TOML's too.
    return ["[[model]]", *(f"{key} = {json.dumps(value)}" for key, value in values.items() if value != "")]


def _key(work: Path) -> tuple[Secret, bytes]:
    """Return the signing key of this workplace, made when there is none; it never leaves it."""
    private_path, public_path = work / "signing.key", work / "signing.pub"
    if not private_path.exists():
        pair = seal.generate()
        private_path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(private_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(seal.key_line("private", pair.private.reveal()))
        public_path.write_text(seal.key_line("public", pair.public.hex()), encoding="ascii")
    private = seal.private_key_from(Secret(private_path.read_text(encoding="ascii").strip()))
    return private, public_path.read_bytes()


def _put(folder: Path, name: str, data: bytes) -> str:
    unfinished = folder / f".{name}.unfinished"
    unfinished.write_bytes(data)
    unfinished.replace(folder / name)
    return name


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
