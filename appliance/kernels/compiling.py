"""How every kernel is compiled: no object mode, no fast-math (results must replay to the bit), cached on disk.

Numba takes compiled code from its cache as long as the outermost kernel's own file has the same time and length. That
is not enough: code that was compiled around an older version of a file beside it would go on running after an update.
Here the stamp is a hash over the text of every file of this package, so any change to any of them compiles anew, and a
copy with other times does not.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar, cast

import numba

FOLDER: Final = Path(__file__).parent
P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of arrays and numbers when it is first called with them."""
    compiled = numba.njit(cache=True, fastmath=False, nogil=True, error_model="numpy")(function)
    stored: Any = getattr(compiled, "_cache", None)
    if hasattr(stored, "_cache_file"):
        # Read by numba whenever it opens the index; without compiling (NUMBA_DISABLE_JIT) there is none.
        stored._cache_file._source_stamp = sources_stamp(FOLDER)  # noqa: SLF001 - numba offers no other way
    return cast("Callable[P, R]", compiled)


@cache
def sources_stamp(folder: Path) -> str:
    """Return a hash over the names and texts of every source file below a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        text = path.read_bytes()
        digest.update(f"{path.relative_to(folder)} {len(text)}\n".encode() + text)
    return digest.hexdigest()


# The two wrappers are the way in from Python, and numba's own memory management is of no use where nothing is made:
# together half of what a small function costs to compile.
_PART: Final[dict[str, Any]] = {
    "fastmath": False,
    "nogil": True,
    "error_model": "numpy",
    "_nrt": False,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}


def part(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that only kernels call: without an entry from Python, and cached with the kernel around it."""
    return cast("Callable[P, R]", numba.njit(**_PART)(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Copy a function into the kernel that calls it, instead of compiling it by itself as well."""
    return cast("Callable[P, R]", numba.njit(error_model="numpy", inline="always")(function))
