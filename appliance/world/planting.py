"""How a bug is planted: a recipe with one maker replaced, so that the code that trades holds no switch for it."""

from collections.abc import Callable
from typing import NamedTuple

from appliance.core.config import Config
from appliance.engine.trader import Trader
from appliance.trading.desk import Desk
from appliance.trading.ledger import Ledger
from appliance.world.simulation import HONEST, Recipe, honest_trader


class Bug(NamedTuple):
    """Name a planted bug, say what is wrong, how the recipe is spoiled, and which invariants are about it."""

    name: str
    sentence: str
    recipe: Recipe
    caught_by: frozenset[int]


def spoiled(part: Callable[[Trader], tuple[object, type]]) -> Recipe:
    """Return a recipe whose trader has one part that is a bad subclass of the real one."""

    def make(config: Config, ledger: Ledger, now_ns: int, wall_ns: int) -> Trader:
        trader = honest_trader(config, ledger, now_ns, wall_ns)
        real, bad = part(trader)
        real.__class__ = bad
        # Joined again, because the first joining took the honest methods.
        return Trader(trader._parts)  # noqa: SLF001 - the bug is put where the real part was

    return HONEST._replace(trader=make)


def with_desk(bad: type[Desk]) -> Recipe:
    """Return a recipe whose desk is a bad one."""
    return spoiled(lambda trader: (trader._parts.desk, bad))  # noqa: SLF001 - as above
