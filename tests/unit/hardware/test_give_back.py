"""Giving the compiler's memory back: less is held, and what was compiled and the compiler itself go on working."""

import ctypes
import mmap
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.hardware import memory

SCRIPT = """
import numpy
from appliance.bootstrap import COMPILER
from appliance.hardware.memory import give_back
from appliance.kernels import hidden_states
def held():
    return int(next(l for l in open("/proc/self/status") if l.startswith("VmRSS")).split()[1])
def step():
    belief = numpy.full(2, 0.5)
    hidden_states.filter_step(belief, numpy.eye(2), numpy.zeros((2, 1)), numpy.ones((2, 1)), numpy.zeros(1), belief)
    return belief.sum()
import numba
step()
before = held()
given = give_back(COMPILER)
print(given, before - held(), step(), numba.njit(lambda x: x + 1)(1))
"""
MEGABYTE = 1_000_000


def test_the_compilers_code_is_given_back_and_read_again_when_called() -> None:
    """Shows megabytes of the compiler let go, a compiled kernel still right, and a function compiled afterwards; fails
    when nothing is given back or what the loader had changed is lost with it.
    """
    told = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True, timeout=120)
    given, less_kib, total, compiled = told.stdout.split()
    assert int(given) > 5 * MEGABYTE
    assert int(less_kib) * 1_024 > int(given) // 2
    assert (float(total), int(compiled)) == (1.0, 2)


@pytest.mark.parametrize("mapped", ["rw-p 00000000 08:01 1   /lib/liba.so", "r--p 00000000 08:01 1   /lib/liba.so"])
def test_only_code_of_the_named_library_is_let_go(mapped: str, tmp_path: Path) -> None:
    """Shows that what can be written, or is only read, keeps its bytes, and that code of another library is no
    concern; fails when data would be thrown away.
    """
    data = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    data.write(b"kept")
    start = ctypes.addressof(ctypes.c_char.from_buffer(data))
    other = "r-xp 00000000 08:01 1   /lib/libb.so"
    (tmp_path / "smaps").write_text(
        "".join(f"{start:x}-{start + mmap.PAGESIZE:x} {line}\nRss:   4 kB\n" for line in (mapped, other))
    )
    assert memory.give_back("liba.so", tmp_path) == 0
    assert data[:4] == b"kept"
