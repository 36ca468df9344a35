"""The import contracts hold, and they bite: each is broken once, in a copy."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGE, ROOT

ROOMS = "A room imports only rooms below it"
GUARDIAN = "The guardian imports nothing heavy and no network"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder with a copy of the package and its contracts."""
    shutil.copytree(PACKAGE, tmp_path / "appliance", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def check_contracts(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts over the package in a folder."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)


def test_the_contracts_hold(copy: Path) -> None:
    """Shows that every room keeps to its place; fails when any import goes up, sideways, or out of the guardian."""
    result = check_contracts(copy)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{ROOMS} KEPT" in result.stdout
    assert f"{GUARDIAN} KEPT" in result.stdout


@pytest.mark.parametrize(
    ("path", "line", "contract"),
    [
        ("core/values.py", "import appliance.engine", ROOMS),
        ("risk/limits.py", "import appliance.trading.orders", ROOMS),
        ("venues/__init__.py", "import appliance.hardware", ROOMS),
        ("attic/__init__.py", "", ROOMS),
        ("guardian/main.py", "import numpy", GUARDIAN),
        ("guardian/main.py", "def late():\n    import sqlite3", GUARDIAN),
        ("core/clock.py", "import asyncio", GUARDIAN),
        ("safety/lease.py", "from socket import create_connection", GUARDIAN),
        ("core/errors.py", "import msgspec", GUARDIAN),
    ],
)
def test_a_planted_import_breaks_its_contract(copy: Path, path: str, line: str, contract: str) -> None:
    """Shows that each kind of forbidden import is named; fails when a contract would let it through."""
    target = copy / "appliance" / path
    target.parent.mkdir(exist_ok=True)
    with target.open("a") as file:
        file.write(f"\n{line}\n")
    result = check_contracts(copy)
    assert result.returncode != 0
    assert f"{contract} BROKEN" in result.stdout, result.stdout + result.stderr
