"""Show what a soak run is called good for: each thing that may be left wrong alone makes it bad."""

from typing import Any

import pytest

from tests.bench.soak.__main__ import good, slope_kib_per_hour, traded

RUN = {"agreed": True, "journal_good": True, "failed": ""}


def result(run: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - as JSON has it
    """Return what a good run told, changed."""
    told: dict[str, Any] = {"mismatches_unresolved": [], "mode_before_the_end": "NORMAL", "restarts": 0}
    return told | {"run": RUN | (run or {})} | changed


def test_a_run_that_left_nothing_wrong_is_good() -> None:
    """It would fail if the verdict could not be reached at all."""
    assert good(result())
    assert good(result(mode_before_the_end="REDUCED"))


@pytest.mark.parametrize(
    "broken",
    [
        result(mismatches_unresolved=["BTC/USD"]),
        result(mode_before_the_end="PAUSED"),
        result(mode_before_the_end=""),
        result(restarts=1),
        result(restarts=None),
        result({"agreed": False}),
        result({"journal_good": False}),
        result({"failed": "the trader died five times"}),
    ],
)
def test_anything_left_wrong_makes_it_bad(broken: dict[str, Any]) -> None:
    """It would fail if the verdict forgot one of its questions, or a run that never traded passed."""
    assert not good(broken)


def test_what_came_before_trading_is_not_counted() -> None:
    """It would fail if the growth of a start, or of a process that is gone, were told as a slope."""
    early = [{"s": n * 5.0, "mode": "BOOT", "resident_kib": {"trader": 100_000 * n}} for n in range(4)]
    steady = [{"s": 20 + n * 5.0, "mode": "NORMAL", "resident_kib": {"trader": 200_000 + n}} for n in range(9)]
    assert traded([*early, *steady]) == steady
    assert slope_kib_per_hour(steady, "trader") == pytest.approx(720.0)
    assert slope_kib_per_hour(steady, "venue") is None
