"""The lease as a compiled hot path reads it: the same page, the same three comparisons, no call into Python.

The indices repeat those of the page's owner, which no kernel may import; a test holds the two together.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from appliance.kernels.compiling import kernel

HEADER_WORD: Final = 0
VALID_UNTIL_WORD: Final = 3
COMPLEMENT_WORD: Final = 4
HORIZON_NS: Final = np.uint64(10_000_000_000)
ALL_ONES: Final = np.uint64(0xFFFF_FFFF_FFFF_FFFF)

Words = npt.NDArray[np.uint64]


@kernel
def permits(words: Words, header: np.uint64, now_ns: np.uint64) -> bool:
    """Tell whether exposure may be added at this moment; `header` is what a page of ours begins with."""
    valid_until_ns = words[VALID_UNTIL_WORD]
    return bool(
        now_ns < valid_until_ns
        and valid_until_ns - now_ns <= HORIZON_NS
        and valid_until_ns ^ words[COMPLEMENT_WORD] == ALL_ONES
        and words[HEADER_WORD] == header
    )
