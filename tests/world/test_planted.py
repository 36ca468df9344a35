"""Every planted bug is caught: the world can fail."""

import pytest

from appliance.world.inspector import Finding
from appliance.world.planted import BUGS, SEEDS_MAX, hunt
from appliance.world.planting import Bug
from appliance.world.scale import SHORT
from appliance.world.simulation import HONEST


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_caught(bug: Bug) -> None:
    """Shows that the invariant made for it sees this bug within the stated number of seeds; fails when the world has
    become too tame or an invariant too lenient to notice.
    """
    catch = hunt(bug.name, 0, SHORT)
    assert isinstance(catch.finding, Finding), f"{bug.name} was not caught in {SEEDS_MAX} seeds"
    assert catch.finding.invariant in bug.caught_by


def test_the_honest_recipe_is_no_bug() -> None:
    """Shows that each bug differs from the honest recipe in one maker only; fails when one plants nothing or more."""
    for bug in BUGS:
        assert sum(1 for mine, honest in zip(bug.recipe, HONEST, strict=True) if mine is not honest) == 1, bug.name
