"""Compiled kernels on the image: found again by whoever looks for them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
UNITS = ROOT / "image/files-arm64/usr/lib/systemd/system"
NAME, FEATURES = "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"
LOOKED_FOR = (
    "from numba.core.registry import cpu_target; print(repr(cpu_target.target_context.codegen().magic_tuple()[2]))"
)


def _environment(unit: str) -> dict[str, str]:
    lines = (UNITS / f"{unit}.service.d/kernels.conf").read_text().splitlines()
    (line,) = (one.removeprefix("Environment=") for one in lines if one.startswith("Environment="))
    return {name: value for name, _, value in (word.partition("=") for word in line.split())}


@pytest.mark.parametrize("unit", ["bot4-trader", "bot4-venue"])
def test_what_is_looked_for_does_not_depend_on_the_machine(unit: str) -> None:
    """Shows that Numba, told what the unit tells it, adds nothing that it finds out about the machine it runs on; fails
    when kernels compiled for the image are not found on a board, and compiled again at every start.
    """
    told = _environment(unit)
    assert told[NAME] == "cortex-a72"
    # The name is not one of this machine's processors; what matters is what Numba makes of the features.
    known = {name: value for name, value in told.items() if name != NAME}
    done = subprocess.run(
        [sys.executable, "-c", LOOKED_FOR],
        env=os.environ | known,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == repr(told.get(FEATURES))


def test_the_image_is_compiled_under_the_traders_own_words() -> None:
    """Shows that trader and venue look for the same, and the build for both; fails when one is changed alone."""
    assert _environment("bot4-trader") == _environment("bot4-venue")
    assert "bot4-trader.service.d/kernels.conf" in (ROOT / "image/kernels.sh").read_text()
