"""`python -m models.training.peer TREES.onnx ROUNDS`: the same boosted trees in onnxruntime and in LightGBM.

LightGBM learns a stand-in of the same size (as many trees, as deep, on as many columns) from random rows: what a row
costs is decided by shape, not by what was learned. Both answer the same single rows, turn about, one thread each.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from appliance.signals.models.onnx_model import OnnxModel
from models.training import plan, trees

RUNS = 300
ROWS = 20_000


def main() -> int:
    """Measure and print the medians."""
    data, rounds = Path(sys.argv[1]).read_bytes(), int(sys.argv[2])
    columns = len(plan.VECTOR_COLUMNS)
    draw = np.random.default_rng(plan.SEED)
    vectors = draw.normal(size=(ROWS, columns)).astype(np.float32)
    booster = trees.train(vectors, (vectors[:, 0] + draw.normal(size=ROWS) > 0).astype(np.float64))
    ours, own = OnnxModel(data, "vector", columns, 1), OnnxModel(trees.to_onnx(booster, columns), "vector", columns, 1)
    row = vectors[:1]
    runs: dict[str, Callable[[], object]] = {
        "onnx_us": lambda: ours.infer(row),
        "onnx_stand_in_us": lambda: own.infer(row),
        "lightgbm_us": lambda: booster.predict(row, num_threads=1),
    }
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            for _ in range(RUNS):
                began_ns = time.perf_counter_ns()
                run()
                taken[name].append((time.perf_counter_ns() - began_ns) / 1_000)
    sys.stdout.write(json.dumps({name: statistics.median(values) for name, values in taken.items()}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
