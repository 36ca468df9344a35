"""A unit that died too often is answered by the last resort."""

from pathlib import Path

import pytest

UNITS = Path(__file__).resolve().parents[3] / "systemd/system"


@pytest.mark.parametrize("name", ["bot4-trader.service", "bot4-guardian.service"])
def test_a_crash_loop_ends_in_a_cancel(name: str) -> None:
    """The unit gives up after its limit and calls the last resort; it fails if a dead process left its orders alone."""
    lines = (UNITS / name).read_text().splitlines()
    assert "OnFailure=bot4-last-resort.service" in lines
    assert "StartLimitBurst=5" in lines


def test_the_last_resort_stands_alone() -> None:
    """It needs no other unit of ours and cancels by the mildest policy; it fails if it waited for what has died."""
    lines = (UNITS / "bot4-last-resort.service").read_text().splitlines()
    needs = [line for line in lines if line.startswith(("Requires=", "BindsTo=", "Requisite=", "PartOf="))]
    assert needs == []
    assert any("last-resort" in line and "--policy cancel " in line for line in lines if line.startswith("ExecStart="))
