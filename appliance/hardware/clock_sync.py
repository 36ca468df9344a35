"""Whether anybody vouches for the wall clock: the kernel's own word, as time services set it.

adjtimex(2) with no mode set only reads; STA_UNSYNC is cleared by chrony, ntpd and systemd-timesyncd once they follow
a source. The standard library has no door to it, hence ctypes.
"""

import ctypes
from typing import Final

_STA_UNSYNC: Final = 0x0040
_TIME_ERROR: Final = 5


class _Timex(ctypes.Structure):
    # struct timex of <sys/timex.h> is 208 bytes on every 64-bit Linux; only the head matters here.
    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("frequency", ctypes.c_long),
        ("error_max", ctypes.c_long),
        ("error_estimated", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


class ClockSync:
    """Ask the kernel about its clock."""

    __slots__ = ("_library",)

    def __init__(self) -> None:
        """Find the C library's adjtimex."""
        self._library = ctypes.CDLL(None, use_errno=True)

    def synchronized(self) -> bool:
        """Tell whether a time service keeps the wall clock; a kernel that cannot say means no."""
        answer = _Timex()
        state = int(self._library.adjtimex(ctypes.byref(answer)))
        return 0 <= state < _TIME_ERROR and not answer.status & _STA_UNSYNC
