"""The world itself: seeds that hold, replay exactly, and are judged vacuous when they show too little."""

import json
import subprocess
import sys

import pytest

from appliance.world.faults import KINDS, NAMES
from appliance.world.runs import JUDGED_FROM_SEEDS, Report, examine, never_happened
from appliance.world.scale import SHORT, long_days
from appliance.world.simulation import World, run_seed

FIRST = 100


def silent(_number: int) -> None:
    """Take no notice of progress."""


@pytest.fixture(scope="module")
def report() -> Report:
    """Run the smallest number of seeds that is judged, each twice in two processes."""
    return examine(range(FIRST, FIRST + JUDGED_FROM_SEEDS), SHORT, silent)


def test_every_invariant_holds(report: Report) -> None:
    """Shows that the trader survives these seeds with every invariant intact, and that each seed's two runs in two
    processes are identical; fails when an invariant breaks or when a decision hangs on anything but the events.
    """
    assert report.problems == ()


def test_the_seeds_showed_something(report: Report) -> None:
    """Shows that every kind of fault took effect at least once; fails when one has stopped happening."""
    assert report.never_happened == ()
    assert report.good


def test_a_run_without_faults_is_vacuous() -> None:
    """Shows that seeds in which nothing was broken do not count as proof, however well they went; fails when a run
    that showed nothing would pass for a good one.
    """
    judged = examine(range(JUDGED_FROM_SEEDS), SHORT._replace(faults_count=0, later_in=0), silent)
    assert judged.problems == ()
    assert set(judged.never_happened) >= {kind.name for kind in KINDS}
    assert not judged.good


def test_one_disabled_fault_is_named() -> None:
    """Shows that one missing kind is enough, and is named; fails when the others hide that it never happened."""
    kinds = tuple(kind for kind in KINDS if kind.name != "process killed")
    outcomes = [World(seed, SHORT, kinds=kinds).run() for seed in range(JUDGED_FROM_SEEDS)]
    assert never_happened(outcomes, NAMES) == ("process killed",)


def test_a_seed_is_the_whole_story() -> None:
    """Shows that two runs of one seed agree in every moment, event and command, and that another seed does not; fails
    when the hash covers nothing.
    """
    first, second, other = (run_seed(seed, SHORT) for seed in (7, 7, 8))
    assert first == second
    assert first.digest != other.digest


def test_a_story_does_not_change_what_happens() -> None:
    """Shows that telling the story leaves the run as it is; fails when tracing disturbs what it looks at."""
    lines: list[str] = []
    told = World(FIRST, SHORT, story=lines.append).run()
    assert told == run_seed(FIRST, SHORT)
    assert any("SendOrder" in line for line in lines)


def test_a_long_calm_world_trades_and_recovers() -> None:
    """Shows that the scale of whole days works at all; fails when nothing is traded there or an invariant breaks."""
    outcome = run_seed(1, long_days(1)._replace(duration_ns=2 * 3_600 * 10**9, faults_count=12))
    assert outcome.finding is None
    assert outcome.events["OrderTraded"] > 0


def command(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run `appliance world` with these words."""
    return subprocess.run(
        [sys.executable, "-m", "appliance", "world", *words], check=False, capture_output=True, text=True, timeout=120
    )


def test_the_command_reports_as_json() -> None:
    """Shows the machine-readable result of one seed; fails when it is no JSON or its exit code disagrees."""
    result = command("--seed", "7", "--json")
    document = json.loads(result.stdout)
    assert result.returncode == 0
    assert document["good"] is True
    assert document["events"]["QuoteChanged"] > 0


@pytest.mark.parametrize("words", [["--trace"], ["--seeds", "0"], ["--days", "0"], ["--seed", "1", "--seeds", "2"]])
def test_bad_use_is_told_in_a_sentence(words: list[str]) -> None:
    """Shows that a senseless combination is refused with exit code 2; fails when it runs or ends in a traceback."""
    result = command(*words)
    assert result.returncode == 2
    assert result.stderr.startswith("appliance: ")
