"""Keeping this process's memory out of the swap's and the reclaimer's reach: mlockall(2).

The standard library has no door to it, hence ctypes. MCL_ONFAULT locks a page once it has been used: without it every
library would be read whole, and every thread would take its whole stack.
"""

import ctypes
import os
from typing import Final

_MCL_CURRENT: Final = 1
_MCL_FUTURE: Final = 2
_MCL_ONFAULT: Final = 4


def lock_memory() -> str:
    """Lock what is mapped and what will be, and return why not if it was not allowed."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0:
        return ""
    return os.strerror(ctypes.get_errno())
