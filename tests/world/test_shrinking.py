"""A failing world is made small, told in a file, and replayed exactly from it."""

from collections import Counter
from pathlib import Path

import pytest

from appliance.__main__ import main
from appliance.core.errors import ConfigError
from appliance.world.coverage import EVERY_TURN_FROM_SEEDS, NOT_DEMANDED, Turn, unseen, wanted_turns
from appliance.world.invariants import CHECKED_IN
from appliance.world.planted import BUGS
from appliance.world.scale import SHORT
from appliance.world.shrinking import CASE_BYTES_MAX, read_case, shrink
from appliance.world.simulation import World

BUG = "journal taken unread"
SEED = 0


def test_a_failing_seed_is_made_small(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows that a seed that fails by a planted bug is brought down to the one fault it takes and to a shorter time,
    that the file breaks the same invariant in the same words when it is run again, and that without the bug it holds;
    fails when shrinking keeps what is not needed, loses the failure, or writes what cannot be replayed.
    """
    path = tmp_path / "case.json"
    assert main(["world", "--seed", str(SEED), "--bug", BUG, "--shrink", "--out", str(path)]) == 1
    case = read_case(path)
    assert case.kinds == ("journal damaged",)
    assert [World(SEED, SHORT).planned[number] for number in case.faults] == ["journal damaged"]
    assert case.until_ns < SHORT.duration_ns
    finding = case.world().run().finding
    assert finding is not None
    assert (finding.invariant, finding.sentence) == (case.invariant, case.sentence)
    assert case.world(honest=True).run().finding is None
    capsys.readouterr()
    assert main(["world", "--case", str(path)]) == 1
    assert case.sentence in capsys.readouterr().out


def test_a_seed_that_holds_is_no_case() -> None:
    """Shows that there is nothing to shrink in a world that holds; fails when a case is made of nothing."""
    assert shrink(7, None, None, lambda _line: None) is None


@pytest.mark.parametrize("text", ["", "{}", "[" * 1_000, '{"seed": 1, "unheard_of": 2}', " " * (CASE_BYTES_MAX + 1)])
def test_a_file_that_is_no_case_is_refused(tmp_path: Path, text: str) -> None:
    """Shows that anything else is refused in a sentence; fails when it runs or ends in a traceback."""
    path = tmp_path / "case.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match="is no case of the world"):
        read_case(path)


def test_a_turn_that_was_never_seen_is_named() -> None:
    """Shows that a long run is judged by every turn of both state machines, and a short one by their states; fails
    when a run passes that has left one out.
    """
    missing: Turn = wanted_turns()[3]
    everything = Counter(wanted_turns())
    assert unseen(everything, EVERY_TURN_FROM_SEEDS) == []
    del everything[missing]
    assert len(unseen(everything, EVERY_TURN_FROM_SEEDS)) == 1
    assert len(unseen(Counter(), 20)) == 16


def test_each_turn_left_out_is_one_of_the_tables() -> None:
    """Shows that what is not demanded is named as the tables name it; fails when a line excuses nothing."""
    assert not set(NOT_DEMANDED) & set(wanted_turns())
    assert all(NOT_DEMANDED.values())


def test_every_invariant_has_a_bug_that_breaks_it() -> None:
    """Shows that each of the twelve can fail, because a planted bug is caught by it; fails when one is only words."""
    assert set(CHECKED_IN) == set(range(1, 13)) == frozenset().union(*(bug.caught_by for bug in BUGS))
