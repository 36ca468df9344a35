"""The oldest promised processor runs every wheel and every shipped model."""

import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "board.py"
NOT_HERE = 3


def test_an_emulated_board_runs_every_wheel_and_model() -> None:
    """Shows that no wheel stops with an illegal instruction on a Cortex-A72, and that each model answers there as where
    it was made; fails when one is built for a newer processor. Skipped, with the reason, without an emulator or
    an
    arm64 system.
    """
    done = subprocess.run([sys.executable, str(TOOL)], check=False, capture_output=True, text=True, timeout=170)
    if done.returncode == NOT_HERE:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "exercised numba and one kernel" in done.stdout
