"""The oldest promised processor runs every wheel and every shipped model."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "board.py"
LOCK = ROOT / "requirements" / "runtime-aarch64.txt"
PATIENCE_S = 900
REASON_LETTERS = 600
NOT_HERE = 3


@pytest.mark.timeout(PATIENCE_S + 60)
def test_an_emulated_board_runs_every_wheel_and_model() -> None:
    """Shows that no wheel stops with an illegal instruction on a Cortex-A72, and that each model answers there as where
    it was made; fails when one is built for a newer processor. Skipped, with the reason, without an emulator or where
    the arm64 system cannot be fetched.
    """
    done = subprocess.run([sys.executable, str(TOOL)], check=False, capture_output=True, text=True, timeout=PATIENCE_S)
    if done.returncode == NOT_HERE:
        pytest.skip(f"{done.stdout.strip()}\n{done.stderr.strip()[-REASON_LETTERS:]}")
    assert done.returncode == 0, done.stdout + done.stderr
    locked = re.findall(r"(?m)^([a-z0-9-]+)==", LOCK.read_text())
    imported = re.findall(r"(?m)^imported ([A-Za-z0-9_-]+)", done.stdout)
    assert {name.lower().replace("_", "-") for name in imported} >= set(locked)
    assert "exercised numba and one kernel" in done.stdout
