"""Boosted trees in ONNX beside LightGBM itself, one row at a time.

LightGBM is not a part of development: it runs in the training environment, over trees of the shipped model's size, turn
about with ours. Without that environment the bench says so and counts as failed.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

from appliance.signals.models.installed import models_folder, trusted_key
from appliance.signals.models.registry import load
from tests.bench.figures import Figure, figure, show

ROOT = Path(__file__).resolve().parents[2]
TRAINING = ROOT / ".venv-train" / "bin" / "python"
ROUNDS = 7


def measure() -> list[Figure]:
    """Return the figures."""
    if not TRAINING.exists():
        raise SystemExit("LightGBM lives in .venv-train; make it with: tools/train.sh --environment")
    registry = load(models_folder(), trusted_key())
    trees = registry.folder / registry.models["trees"].entry.file
    command = [str(TRAINING), "-m", "models.training.peer", str(trees), str(ROUNDS)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=600)
    told: Any = json.loads(done.stdout)
    ours_us, theirs_us = float(told["onnx_us"]), float(told["lightgbm_us"])
    return [
        figure("models: boosted trees in ONNX, one row", ours_us, "µs"),
        figure("models: trees of that size in LightGBM, one row", theirs_us, "µs"),
        figure("models: LightGBM over ONNX", theirs_us / ours_us, "x", 3),
    ]


if __name__ == "__main__":
    show(measure())
