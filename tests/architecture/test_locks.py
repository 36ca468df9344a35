"""Every installed byte is decided by the lock files: exact versions, hashes, binary wheels, no address."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.architecture.source import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PINNED = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>[^\s;]+)(?: ; [^\\\n]+)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+"
)
MACHINES = ("x86_64", "aarch64")


def entries(path: Path) -> dict[str, str]:
    """Return the version of every package, refusing a lock that holds anything but pins with hashes."""
    text = path.read_text()
    body = text.partition("\n")[2]
    found = {match["name"]: match["version"] for match in PINNED.finditer(body)}
    assert PINNED.sub("", body).strip() == "", f"{path.name} holds more than pins with hashes"
    return found


def project() -> dict[str, list[str]]:
    """Return the project's requirements by the name of the lock that must hold them."""
    described = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    runtime = described["dependencies"]
    return {"runtime": runtime, "dev": runtime + described["optional-dependencies"]["dev"]}


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_line_of_a_lock_is_a_pin_with_hashes(path: Path) -> None:
    """Shows that nothing unpinned, unhashed or from a given address can be installed; fails on any such line."""
    assert entries(path)
    assert "://" not in path.read_text()


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("kind", ["runtime", "dev"])
def test_the_locks_hold_what_the_project_asks_for(kind: str, machine: str) -> None:
    """Shows that each lock satisfies the project's requirements; fails when one was changed without locking again."""
    locked = entries(ROOT / "requirements" / f"{kind}-{machine}.txt")
    for wanted in map(Requirement, project()[kind]):
        if wanted.marker is not None and not wanted.marker.evaluate({"platform_machine": machine}):
            continue
        assert wanted.specifier.contains(Version(locked[canonicalize_name(wanted.name)])), str(wanted)


def test_both_machines_run_the_same_versions() -> None:
    """Shows that what is tested on one architecture is what the other runs; fails when a version differs."""
    for kind in ("runtime", "dev"):
        first, second = (entries(ROOT / "requirements" / f"{kind}-{machine}.txt") for machine in MACHINES)
        of_one_machine = {
            canonicalize_name(wanted.name)
            for wanted in map(Requirement, project()[kind])
            if wanted.marker is not None and "platform_machine" in str(wanted.marker)
        }
        assert first.keys() ^ second.keys() <= of_one_machine
        assert all(first[name] == second[name] for name in first.keys() & second.keys())
    runtime = entries(ROOT / "requirements" / "runtime-aarch64.txt")
    assert runtime.items() <= entries(ROOT / "requirements" / "dev-aarch64.txt").items()


def test_the_model_runtime_is_one_that_runs_on_the_oldest_board() -> None:
    """Shows that no release known to stop with an illegal instruction on a Cortex-A72 is locked; fails when one is."""
    version = Version(entries(ROOT / "requirements" / "runtime-aarch64.txt")["onnxruntime"])
    assert Version("1.20") <= version < Version("1.28")
    assert version.release[:2] != (1, 21)


@pytest.mark.parametrize(
    "line",
    [
        "numpy==2.4.6\n",
        "numpy==2.4.6\nnumba==0.68.1 \\\n    --hash=sha256:" + "0" * 64,
        "numpy>=2 \\\n    --hash=sha256:" + "0" * 64,
        "--index-url https://example.invalid/simple\n",
        "numpy @ file:///numpy.whl\n",
    ],
)
def test_a_loose_line_is_refused(line: str, tmp_path: Path) -> None:
    """Shows that the reading of a lock refuses what is not a pin with hashes; fails when such a line would pass."""
    lock = tmp_path / "loose.txt"
    lock.write_text("# heading\n" + line)
    with pytest.raises(AssertionError, match="more than pins"):
        entries(lock)
