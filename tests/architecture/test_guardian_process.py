"""What really gets loaded when the guardian starts.

The import contract reads source; this starts an interpreter and looks. gpiozero asks the standard library for the
installed distributions, which loads `socket` by way of `email`: so for that module the question is whether any file of
ours holds it at start. Those that may use local sockets import them only when they have one to open.
"""

import json
import subprocess
import sys

import pytest

from tests.architecture.source import ROOT

HEAVY = frozenset(
    {
        "_sqlite3",
        "aiosqlite",
        "asyncio",
        "ccxt",
        "cryptography",
        "http.client",
        "llvmlite",
        "msgspec",
        "numba",
        "numpy",
        "onnxruntime",
        "paho",
        "prometheus_client",
        "scipy",
        "sqlite3",
        "ssl",
        "websockets",
        "zstandard",
    }
)
REPORT = """
import json, sys
import appliance.__main__, {module}, gpiozero
ours = {{n: m for n, m in sys.modules.items() if n.partition(".")[0] == "appliance"}}
holding = [n for n, m in ours.items() for v in vars(m).values() if getattr(v, "__module__", None) == "socket"
           or getattr(v, "__name__", None) == "socket"]
print(json.dumps({{"loaded": sorted(sys.modules), "holding": holding}}))
"""


def start(module: str, before: str = "") -> dict[str, list[str]]:
    """Return what a new interpreter has loaded after importing a module."""
    program = before + REPORT.format(module=module)
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    report: dict[str, list[str]] = json.loads(result.stdout)
    return report


@pytest.mark.parametrize("module", ["appliance.guardian.main", "appliance.guardian.command_guardian"])
def test_the_guardian_loads_nothing_heavy(module: str) -> None:
    """Shows what the guardian's interpreter holds; fails when numpy, a database or the network's modules are in it."""
    report = start(module)
    assert HEAVY.intersection(report["loaded"]) == set()
    assert report["holding"] == []


def test_the_report_sees_what_is_loaded() -> None:
    """Shows that the reading finds a heavy module and a held socket; fails when it would find nothing."""
    planted = "import appliance.core, socket, sqlite3\nappliance.core.connect = socket.create_connection\n"
    report = start("appliance.core.clock", planted)
    assert "sqlite3" in report["loaded"]
    assert report["holding"] == ["appliance.core"]
