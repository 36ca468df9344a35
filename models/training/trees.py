"""Boosted trees: learned with LightGBM, written as ONNX and as plain arrays for the explanations.

The graph is written here rather than by a converter for one reason: LightGBM's thresholds are doubles and the runtime's
are singles. Rounded to nearest, a threshold can pass the value it was to keep out; rounded down, every comparison with
a single comes out the same. So the two agree on every row but for the order of a sum.
"""

from typing import Any, Final

import lightgbm
import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper

from appliance.kernels.tree_shap import TreeNodes
from models.training import plan

TREES: Final = 100
DEPTH: Final = 6
OPSET: Final = 17
IR_VERSION: Final = 9
PARAMETERS: Final[dict[str, Any]] = {
    "objective": "binary",
    "learning_rate": 0.03,
    "max_depth": DEPTH,
    "num_leaves": 31,
    "min_data_in_leaf": 400,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 20.0,
    "num_threads": 1,
    "seed": plan.SEED,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
Singles = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


def train(vectors: Singles, target: Floats, trees: int = TREES, classes: int = 1) -> lightgbm.Booster:
    """Return boosted trees for a chance, or for one of several classes."""
    parameters = dict(PARAMETERS)
    if classes > 1:
        parameters |= {"objective": "multiclass", "num_class": classes, "num_leaves": 15}
    data = lightgbm.Dataset(vectors, target, free_raw_data=True)
    return lightgbm.train(parameters, data, num_boost_round=trees)


def rounded_down(threshold: float) -> np.float32:
    """Return the largest single that is not above a double."""
    single = np.float32(threshold)
    return single if float(single) <= threshold else np.nextafter(single, np.float32(-np.inf))


def nodes_of(booster: lightgbm.Booster) -> TreeNodes:
    """Return the trees as flat arrays."""
    rows: list[tuple[int, float, int, int, float, float]] = []

    def put(node: dict[str, Any]) -> int:
        place = len(rows)
        rows.append((-1, 0.0, -1, -1, node.get("leaf_value", 0.0), node.get("leaf_count", 0)))
        if "split_feature" in node:
            left, right = put(node["left_child"]), put(node["right_child"])
            cover = float(node["internal_count"])
            rows[place] = (node["split_feature"], float(rounded_down(node["threshold"])), left, right, 0.0, cover)
        return place

    roots = [put(tree["tree_structure"]) for tree in booster.dump_model()["tree_info"]]
    feature, threshold, left, right, value, cover = zip(*rows, strict=True)
    return TreeNodes(
        np.array(roots, np.int32),
        np.array(feature, np.int32),
        np.array(threshold, np.float32),
        np.array(left, np.int32),
        np.array(right, np.int32),
        np.array(value, np.float64),
        np.array(cover, np.float64),
    )


def attributes_of(nodes: TreeNodes, classes: int) -> dict[str, Any]:
    """Return the attributes of the ONNX operator: every node with the tree it is in and its number there."""
    tree = np.searchsorted(nodes.roots, np.arange(nodes.feature.size), side="right") - 1
    first = nodes.roots[tree]
    number = np.arange(nodes.feature.size) - first
    leaf = nodes.left < 0
    return {
        "n_targets": classes,
        "nodes_treeids": tree.tolist(),
        "nodes_nodeids": number.tolist(),
        "nodes_featureids": np.maximum(nodes.feature, 0).tolist(),
        "nodes_modes": ["LEAF" if end else "BRANCH_LEQ" for end in leaf],
        "nodes_values": nodes.threshold.tolist(),
        "nodes_truenodeids": np.where(leaf, 0, nodes.left - first).tolist(),
        "nodes_falsenodeids": np.where(leaf, 0, nodes.right - first).tolist(),
        "nodes_missing_value_tracks_true": [0] * nodes.feature.size,
        "nodes_hitrates": [1.0] * nodes.feature.size,
        "target_treeids": tree[leaf].tolist(),
        "target_nodeids": number[leaf].tolist(),
        "target_ids": (tree[leaf] % classes).tolist(),
        "target_weights": nodes.value[leaf].tolist(),
    }


def to_onnx(booster: lightgbm.Booster, columns: int, classes: int = 1) -> bytes:
    """Return the trees as an ONNX file: `input` of singles, `output` of chances."""
    attributes = attributes_of(nodes_of(booster), classes)
    ending = "Sigmoid" if classes == 1 else "Softmax"
    graph = helper.make_graph(
        [
            helper.make_node(
                "TreeEnsembleRegressor",
                ["input"],
                ["raw"],
                domain="ai.onnx.ml",
                aggregate_function="SUM",
                post_transform="NONE",
                **attributes,
            ),
            helper.make_node(ending, ["raw"], ["output"]),
        ],
        "trees",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["rows", columns])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["rows", classes])],
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", 3)],
        ir_version=IR_VERSION,
        producer_name="bot4-edge",
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
