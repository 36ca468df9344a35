"""How every kernel is compiled: no object mode, no fast-math (results must replay to the bit), cached on disk."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of arrays and numbers when it is first called with them."""
    compiled = numba.njit(cache=True, fastmath=False, nogil=True, error_model="numpy")(function)
    return cast("Callable[P, R]", compiled)
