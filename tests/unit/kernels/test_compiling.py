"""Compiled code is taken from the cache only while every source of the kernels is as it was."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from appliance.kernels.compiling import FOLDER, sources_stamp

OUTER = '''
from appliance.kernels.compiling import kernel
from appliance.kernels.inner import step


@kernel
def walk(count: int) -> int:
    """Step so often."""
    total = 0
    for _ in range(count):
        total = step(total)
    return total
'''
INNER = '''
from appliance.kernels.compiling import part


@part
def step(total: int) -> int:
    """Step."""
    return total + {width}
'''
ASK = "from appliance.kernels.outer import walk; print(walk(10), sum(walk.stats.cache_hits.values()))"


def asked(package: Path, cache: Path) -> list[int]:
    """Run the kernel in a process of its own and return its answer and how often the cache served."""
    told = subprocess.run(
        [sys.executable, "-B", "-c", ASK],
        cwd=package,
        env=os.environ | {"PYTHONPATH": str(package), "NUMBA_CACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(number) for number in told.stdout.split()]


def test_a_change_in_a_file_beside_it_compiles_a_kernel_anew(tmp_path: Path) -> None:
    """Show that an inner file's change is seen although the outer file stayed, that nothing else compiles again, and
    that a copy with other times is served; it fails when machine code of an older version runs.
    """
    kernels, cache = tmp_path / "first" / "appliance" / "kernels", tmp_path / "cache"
    kernels.mkdir(parents=True)
    (kernels.parent / "__init__.py").touch()
    (kernels / "__init__.py").touch()
    shutil.copyfile(FOLDER / "compiling.py", kernels / "compiling.py")
    (kernels / "outer.py").write_text(OUTER)
    (kernels / "inner.py").write_text(INNER.format(width=1))
    package = kernels.parents[1]
    assert asked(package, cache) == [10, 0]
    os.utime(kernels / "outer.py", (1, 1))
    assert asked(package, cache) == [10, 1]
    (kernels / "inner.py").write_text(INNER.format(width=2))
    assert asked(package, cache) == [20, 0]


def test_the_stamp_is_of_names_and_texts(tmp_path: Path) -> None:
    """Show that any text and any name changes the stamp; it fails when two states of the sources look alike."""
    stamps = set()
    for number, (name, text) in enumerate((("a.py", "1"), ("a.py", "2"), ("b.py", "1"), ("b.py", "12"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / name).write_text(text)
        stamps.add(sources_stamp(folder))
    assert len(stamps) == 4
