"""Many presses at random moments, and that the bench which counts them would see one order too many."""

import time
from pathlib import Path

import pytest

from tests.bench.stop import Presser, press_many
from tests.integration.defence.box import tell

pytestmark = [pytest.mark.serial, pytest.mark.timeout(300)]

PRESSES = 50


def test_nothing_that_adds_exposure_leaves_after_the_latch(tmp_path: Path) -> None:
    """Each press is acknowledged and confirmed, and no entry is sent between it and the start; it fails on one."""
    figures = press_many(tmp_path, PRESSES, 5)
    tell(str(figures))
    assert figures["problems"] == []
    assert figures["presses"] == PRESSES
    assert figures["sent_after_the_latch"] == 0
    assert figures["last_resort_runs"] == 0


def test_the_count_would_see_one(tmp_path: Path) -> None:
    """One order to buy inside a latched span is counted, those outside and those to sell are not."""
    presser = Presser(tmp_path / "one", 1, 0)
    box = presser.box
    try:
        box.start("venue")
        box.until(box.venue_answers)
        box.rest("before")
        from_ns = time.monotonic_ns()
        box.rest("within")
        box.order("sold", "sell", 10_000)
        presser.latched_spans.append((from_ns, time.monotonic_ns()))
        box.rest("after")
        assert [order["cl_ord_id"] for order in presser.sent_while_latched()] == ["within"]
    finally:
        box.end()
