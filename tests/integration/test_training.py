"""`make train` on little data: the same bytes from every run, and a run that was killed goes on where it was."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-train" / "bin" / "python"
BARS = Path(os.environ.get("RECORDED_DATA", "/nowhere")) / "ohlcv"
PATIENCE_S = 540.0
# A key is drawn by each workplace, so its signature and public half differ, and nothing else.
OWN = {"manifest.sig", "trusted.pub"}

pytestmark = [
    pytest.mark.skipif(not PYTHON.exists(), reason="there is no .venv-train here; `make train ARGS=--small` makes it"),
    pytest.mark.skipif(not BARS.exists(), reason="RECORDED_DATA names no folder with bars in ohlcv/"),
]


def training(workplace: Path) -> "subprocess.Popen[str]":
    """Start a short training in a workplace of its own, whose `var` and models nobody else sees."""
    workplace.mkdir(exist_ok=True)
    command = [str(PYTHON), "-m", "models.training", "--small", "--data", str(BARS), "--out", str(workplace / "out")]
    command += ["--work", str(workplace / "work")]
    environment = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1")
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


def finished(run: "subprocess.Popen[str]") -> str:
    """Wait for a training and return what it told."""
    _, told = run.communicate(timeout=PATIENCE_S)
    assert run.returncode == 0, told
    return told


def written(workplace: Path) -> dict[str, bytes]:
    """Return every file a training wrote but what its own key decides."""
    paths = [path for path in (workplace / "out").rglob("*") if path.is_file() and path.name not in OWN]
    return {str(path.relative_to(workplace / "out")): path.read_bytes() for path in paths}


@pytest.mark.serial
@pytest.mark.timeout(int(3 * PATIENCE_S))
def test_two_runs_write_the_same_bytes_and_a_killed_one_goes_on(tmp_path: Path) -> None:
    """Shows models, self-tests, decision, manifest and cards of a whole run and of one that was killed in the middle to
    be the same bytes, and the killed one taking what was finished from its shelf; fails when a clock or another run's
    draw decides a byte, or half a file is taken for a whole one.
    """
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    finished(training(whole))
    cut = training(killed)
    shelf = killed / "work" / "shelf"
    deadline_s = time.monotonic() + PATIENCE_S
    while len(list(shelf.glob("*/*-[0-9].npy"))) < 4:
        assert cut.poll() is None, "the training ended before it could be killed"
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    cut.send_signal(signal.SIGKILL)
    cut.communicate()
    assert not (killed / "out" / "manifest.toml").exists()
    kept = {path.stem for path in shelf.glob("*/*-[0-9].npy")}
    told = finished(training(killed))
    for name in kept:
        member, _, fold = name.rpartition("-")
        assert f"fold {int(fold) + 1}/5 {member}:" not in told
    assert "fold 5/5 logistic:" in told
    first, second = written(whole), written(killed)
    assert {"manifest.toml", "decision.json", "lstm-int8.onnx", "trees.nodes.npz", "cards/stack.md"} <= set(first)
    assert [name for name in first.keys() | second.keys() if first.get(name) != second.get(name)] == []
