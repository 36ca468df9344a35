"""The compiled reading of the lease against the interpreted one."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from appliance.kernels import lease as kernel
from appliance.safety.lease import HORIZON_NS, LEASE_HEADER, LeaseReader, LeaseWord, LeaseWriter, lease_path
from appliance.safety.page import WORD_MASK, boot_identity

MOMENT = st.integers(0, 2**63 - 1) | st.integers(0, 3 * HORIZON_NS)


def test_the_kernel_reads_the_page_as_it_is_laid_out() -> None:
    """Show that the kernel's indices and limits are the page's; fails when one side moves a word."""
    assert (kernel.HEADER_WORD, kernel.VALID_UNTIL_WORD, kernel.COMPLEMENT_WORD) == (
        LeaseWord.HEADER,
        LeaseWord.VALID_UNTIL_NS,
        LeaseWord.VALID_UNTIL_COMPLEMENT,
    )
    assert int(kernel.HORIZON_NS) == HORIZON_NS


class _Page(LeaseReader):
    """Read words that a test laid out."""

    def __init__(self, words: "np.ndarray[tuple[int], np.dtype[np.uint64]]") -> None:
        self._words = words.data


@given(
    header=st.sampled_from([LEASE_HEADER, 0, LEASE_HEADER ^ 1]),
    valid_until_ns=MOMENT,
    flipped=st.sampled_from([0, 1, 1 << 63, WORD_MASK]),
    now_ns=MOMENT,
)
def test_both_readings_agree_on_every_page(header: int, valid_until_ns: int, flipped: int, now_ns: int) -> None:
    """Show that no page permits for one reader and not for the other; fails on any difference in the comparisons."""
    words = np.zeros(16, dtype=np.uint64)
    words[LeaseWord.HEADER] = header
    words[LeaseWord.VALID_UNTIL_NS] = valid_until_ns
    words[LeaseWord.VALID_UNTIL_COMPLEMENT] = valid_until_ns ^ WORD_MASK ^ flipped
    compiled = kernel.permits(words, np.uint64(LEASE_HEADER), np.uint64(now_ns))
    assert compiled == _Page(words).permits(now_ns)
    if compiled:
        assert flipped == 0
        assert header == LEASE_HEADER
        assert now_ns < valid_until_ns <= now_ns + HORIZON_NS


def test_a_granted_and_withdrawn_lease_reads_alike_on_the_real_page(tmp_path: Path) -> None:
    """Show the kernel on a mapped page through a grant and a withdrawal; fails when it reads a copy."""
    path = lease_path(tmp_path)
    path.parent.mkdir(parents=True)
    writer = LeaseWriter(path, boot_identity(), 1)
    reader = LeaseReader(path, boot_identity())
    words = np.frombuffer(reader.words, dtype=np.uint64)
    header, now = np.uint64(LEASE_HEADER), np.uint64(1_000)
    assert not kernel.permits(words, header, now)
    writer.renew(2_000, writer.ticket())
    assert kernel.permits(words, header, now)
    assert not kernel.permits(words, header, np.uint64(2_000))
    writer.withdraw()
    assert not kernel.permits(words, header, now)
