"""How every kernel is compiled: no object mode, no fast-math (results must replay to the bit), cached on disk."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of arrays and numbers when it is first called with them."""
    compiled = numba.njit(cache=True, fastmath=False, nogil=True, error_model="numpy")(function)
    return cast("Callable[P, R]", compiled)


def part(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that only kernels call: without an entry from Python, and cached with the kernel around it."""
    # The two wrappers are the way in from Python: half of what a small function costs to compile.
    compile_inner = cast("Any", numba.njit)(
        fastmath=False, nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
    )
    compiled = compile_inner(function)
    return cast("Callable[P, R]", compiled)
