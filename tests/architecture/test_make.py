"""The targets of make explain themselves."""

import re
import subprocess

from tests.architecture.source import ROOT

TARGET = re.compile(r"^([a-z][a-z-]*):(?![=:])(.*)$", re.MULTILINE)
HABITS = {"help", "fmt", "lint", "types", "arch", "test", "world", "bench", "run", "check", "clean", "setup", "lock"}


def test_every_target_has_a_line_of_help() -> None:
    """Shows that `make help` lists every target; fails when one is added without its `##` sentence."""
    targets = TARGET.findall((ROOT / "Makefile").read_text())
    shown = subprocess.run(["make", "-s", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    listed = {line.split()[0] for line in shown.splitlines() if len(line.split()) > 1}
    assert [name for name, rest in targets if "## " not in rest] == []
    assert {name for name, _ in targets} == listed
    assert listed >= HABITS


def test_ci_runs_what_a_person_runs() -> None:
    """Shows that CI is `make check` and stops at the first failure; fails when it gains a way of its own."""
    lines = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "set -euo pipefail"
    assert lines[-1].startswith("exec make")
    assert lines[-1].endswith("check")
