"""Show that a bench that breaks, dies or hangs is told as failed, and that what it started does not live on."""

import json
import os
import sys
import time
from pathlib import Path

import pytest

from tests.bench.__main__ import measured_alone
from tests.bench.figures import figure

GOOD = f"import pathlib, sys; pathlib.Path(sys.argv[2]).write_text({json.dumps([figure('a stage', 2.5, 'ns')])!r})"


def test_figures_come_from_the_process_of_a_bench() -> None:
    """It would fail if what the other process wrote were not read."""
    assert measured_alone("any", [sys.executable, "-c", GOOD]) == [figure("a stage", 2.5, "ns")]


@pytest.mark.parametrize("program", [f"{GOOD}; sys.exit(1)", f"{GOOD}; import os; os.abort()", "pass"])
def test_a_bench_that_breaks_has_no_figures(program: str) -> None:
    """It would fail if half a table of a broken bench, or none at all, counted as measured."""
    assert measured_alone("any", [sys.executable, "-c", program]) is None


def test_a_bench_that_hangs_ends_with_all_it_started(tmp_path: Path) -> None:
    """It would fail if a hang held up the benches behind it, or its child were left to disturb them."""
    told = tmp_path / "pid"
    program = (
        "import pathlib, subprocess, time; "
        f"child = subprocess.Popen(['sleep', '600']); pathlib.Path({str(told)!r}).write_text(str(child.pid)); "
        "time.sleep(600)"
    )
    assert measured_alone("any", [sys.executable, "-c", program], limit_s=3.0) is None
    pid = int(told.read_text())
    deadline_s = time.monotonic() + 30
    while _lives(pid):
        assert time.monotonic() < deadline_s, "what a bench had started outlived it"
        time.sleep(0.01)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
