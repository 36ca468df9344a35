"""Locking memory: done where it is allowed, and refused in words where it is not."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import os, resource
from appliance.hardware.memory_lock import lock_memory
resource.setrlimit(resource.RLIMIT_MEMLOCK, ({limit}, {limit}))
if {drop}:
    os.setuid(65534)
refused = lock_memory()
locked = int(open("/proc/self/status").read().split("VmLck:")[1].split()[0])
print(bool(refused), locked > 0)
"""


def _locked(limit: str, *, drop: bool) -> str:
    program = PROGRAM.format(limit=limit, drop=drop)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_memory_is_locked_where_it_is_allowed() -> None:
    """The kernel says that pages are locked; it fails if the call did nothing."""
    if os.geteuid() != 0:
        pytest.skip("only root may lock memory whatever its limit")
    assert _locked("resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]", drop=False) == "False True"


def test_a_refusal_is_told_and_nothing_more() -> None:
    """Without the right to lock the process goes on and knows why; it fails if it died or kept silent."""
    assert _locked("0", drop=os.geteuid() == 0) == "True False"
