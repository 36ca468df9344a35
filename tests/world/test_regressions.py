"""Seeds and small worlds that once failed, each with what was wrong.

`appliance world --seed S --shrink` makes a failing seed small; the file it writes is committed in cases/ and is a test
from then on. A case that names a planted bug must fail with it and hold without, so it is known to show something.
"""

from pathlib import Path

import pytest

from appliance.world.faults import KINDS
from appliance.world.scale import SHORT
from appliance.world.shrinking import read_case
from appliance.world.simulation import World, run_seed

CASES = sorted(Path(__file__).with_name("cases").glob("*.json"))
# The reporter and damage to the journal came into the world later; these seeds are kept as they were found.
AS_FOUND = SHORT._replace(reporter_in=0, damage_in=0, later_in=0)
# Before there were later kinds of fault.
AS_REPORTED = SHORT._replace(later_in=0)
SEEDS = {
    59: "a refusal that comes after its order was given up is followed by patience all the same",
    66: "a guardian that hangs through a whole gesture finds it in its queue, and that is a start",
    174: "the same while the process is being restarted",
    69: "a person who ends the process in the very moment in which the world asks it to end asks nothing more of it",
    384: "the same in another world",
    1350: "an order of a stranger that waits at a stalled venue is none of ours",
    1392: "the same with another size",
}
SEEDS_REPORTED = {
    1186: "a failed disk does not keep what it never synced when the process ends in good order",
    1954: "a sale that cannot leave while the clocks are apart is tried once a second, not with every quote",
    2899: "as 1186, where another row takes the number of the one that was lost",
    3409: "a change that makes a guard larger is not said before the disk keeps its row",
}


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_a_seed_that_failed_once_holds(seed: int) -> None:
    """Shows that what was mended stays mended; fails when it breaks again."""
    assert run_seed(seed, AS_FOUND).finding is None, SEEDS[seed]


@pytest.mark.parametrize("seed", SEEDS_REPORTED, ids=str)
def test_a_seed_that_failed_with_a_reporter_holds(seed: int) -> None:
    """Shows the same with the reporter and the journal's damage; fails when it breaks again."""
    assert run_seed(seed, AS_REPORTED).finding is None, SEEDS_REPORTED[seed]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_small_world_that_failed_holds(path: Path) -> None:
    """Shows that a case is mended, and that with the bug it names it still breaks the very invariant, in the very
    words, twice alike; fails when the bug is back or when the case has stopped showing it.
    """
    case = read_case(path)
    assert case.world(honest=True).run().finding is None
    if case.bug is not None:
        first, second = case.world().run(), case.world().run()
        assert first == second
        assert first.finding is not None
        assert (first.finding.invariant, first.finding.sentence) == (case.invariant, case.sentence)


def test_the_venues_timer_never_fires_after_a_mere_gap() -> None:
    """Shows that after a break of the order link the dead-man timer is taken over again: once it was forgotten, ran
    down ten seconds later and canceled whatever had been sent since. Fails when nobody refreshes it after a gap.
    """
    flaps = tuple(kind for kind in KINDS if kind.name == "order link flaps")
    outcomes = [World(seed, SHORT, kinds=flaps).run() for seed in range(4)]
    assert sum(outcome.happened["order link flaps"] for outcome in outcomes) > 0
    assert [outcome.happened["dead-man timer fired"] for outcome in outcomes] == [0, 0, 0, 0]


def test_a_price_of_nothing_makes_the_market_unusable() -> None:
    """Shows that nothing is opened right after a quote without a price or a crossed one: once the quote before it
    stayed in force. Fails when a refused quote leaves the market as usable as it was.
    """
    bad = tuple(kind for kind in KINDS if kind.name in {"quote without a price", "crossed quote"})
    outcomes = [World(seed, SHORT, kinds=bad).run() for seed in range(4)]
    assert sum(outcome.happened["quote without a price"] for outcome in outcomes) > 0
    assert [outcome.finding for outcome in outcomes] == [None, None, None, None]


def test_terms_that_change_while_nobody_listens_are_heard_with_the_next_connection() -> None:
    """Shows that the trader ends with the venue's terms although the connection was often away when they changed (that
    was seed 210): once it paused for good. Fails when a new connection begins without the venue's list.
    """
    kinds = tuple(kind for kind in KINDS if kind.name in {"terms changed", "feed cut", "stop pressed"})
    outcomes = [World(seed, SHORT, kinds=kinds).run() for seed in range(6)]
    assert sum(outcome.happened["terms changed"] for outcome in outcomes) > 0
    assert [outcome.finding for outcome in outcomes] == [None] * 6
