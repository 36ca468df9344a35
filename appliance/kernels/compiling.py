"""How every kernel is compiled: no object mode, no fast-math (results must replay to the bit), cached on disk."""

from collections.abc import Callable
from typing import Any, Final, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of arrays and numbers when it is first called with them."""
    compiled = numba.njit(cache=True, fastmath=False, nogil=True, error_model="numpy")(function)
    return cast("Callable[P, R]", compiled)


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
