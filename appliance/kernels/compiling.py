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


# Without numba's own memory management (which no step needs) and without wrappers to call it from Python, a step takes
# half the time to compile.
_STEP: Final[dict[str, Any]] = {
    "fastmath": False,
    "nogil": True,
    "error_model": "numpy",
    "_nrt": False,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}


def step(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a part of one kernel only: it cannot be called from Python, and is kept in that kernel's cache."""
    return cast("Callable[P, R]", numba.njit(**_STEP)(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Copy a part into the kernel that calls it, instead of compiling it by itself as well."""
    return cast("Callable[P, R]", numba.njit(error_model="numpy", inline="always")(function))
