"""Power goes at any moment: images of what a disk may then hold, rebuilt from the calls of the real programs.

Killing a process cannot show this, because the kernel still writes what the process left. Needs strace.
"""

import shutil

import pytest

from tests.integration.crash.images import many

IMAGES = 100
IMAGES_TO_CATCH = 60

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed: make programs")


@pytest.mark.parametrize("program", ["journal", "latch"])
def test_no_promise_is_broken_by_a_power_cut(program: str) -> None:
    """Whatever moment the power goes, every acknowledged row and the acknowledged latch are there, unchanged, and the
    journal goes on; it fails when something is acknowledged before the disk has it.
    """
    assert many(program, 1, IMAGES) == []


@pytest.mark.parametrize("program", ["careless", "hasty"])
def test_a_program_that_promises_too_early_is_caught(program: str) -> None:
    """A journal with synchronous=NORMAL loses acknowledged rows, a latch without a synced name an acknowledged stop; it
    fails when the images are too tame to show that.
    """
    problems = many(program, 1, IMAGES_TO_CATCH)
    assert problems
    assert all(word in " ".join(problems) for word in ("acknowledged" if program == "careless" else "kept", "left"))
