"""Every verb of the command line is documented and explains itself."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.__main__ import VERBS
from tests.architecture.source import PACKAGE, ROOT


def appliance(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line with these words."""
    command = [sys.executable, "-m", "appliance", *words]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("name", sorted(VERBS))
def test_a_verb_explains_itself(name: str) -> None:
    """Shows that `--help` of a verb works and carries its sentence; fails when its module is missing or breaks."""
    result = appliance(name, "--help")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert VERBS[name].help.split()[-1] in result.stdout


@pytest.mark.parametrize("name", sorted(VERBS))
def test_a_verb_is_documented(name: str) -> None:
    """Shows that the README names a verb as one types it; fails when a verb is added without a word there."""
    assert re.search(rf"appliance {re.escape(name)}\b", (ROOT / "README.md").read_text())


def test_every_command_module_has_a_verb() -> None:
    """Shows that no command is out of reach; fails when a command module has no verb."""
    files = {
        ".".join(("appliance", *p.relative_to(PACKAGE).with_suffix("").parts)) for p in PACKAGE.rglob("command_*.py")
    }
    # The trader's root is its own command: no room below may import what joins them all.
    assert files | {"appliance.bootstrap"} == {verb.module for verb in VERBS.values()}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("command_*.py")), ids=lambda path: path.stem)
def test_a_command_module_has_its_two_functions(path: Path) -> None:
    """Shows that a command module offers `configure` and `run`; fails when one is missing."""
    tree = ast.parse(path.read_text())
    assert {"configure", "run"} <= {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_an_unknown_verb_is_refused() -> None:
    """Shows that a wrong word is bad use, told in one sentence; fails when it exits well or with a traceback."""
    result = appliance("no-such-verb")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
