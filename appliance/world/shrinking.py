"""A failing world made small: as few kinds of fault, then as few faults, and as short a time as still fail alike.

The plan of faults is drawn as ever and only some of them strike, so a small world is told by its seed, the numbers of
those faults and the moment at which everything heals. Alike means that the same invariant breaks; how it breaks may
differ, because a fault that stays out changes all that follows.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from appliance.core.errors import ConfigError
from appliance.world.planted import bug_of
from appliance.world.scale import SHORT, Scale, long_days
from appliance.world.simulation import HONEST, Cut, Outcome, Recipe, World

RUNS_MAX = 400
CASE_BYTES_MAX = 1 << 20
_SHARES = (2, 4, 6, 8, 9)


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Be a world that failed, small enough to keep; `bug` names the planted bug that it failed with, if one was."""

    seed: int
    faults: tuple[int, ...]
    until_ns: int
    invariant: int
    sentence: str
    kinds: tuple[str, ...]
    days: int | None = None
    bug: str | None = None

    @property
    def scale(self) -> Scale:
        """Return how large its world is."""
        return SHORT if self.days is None else long_days(self.days)

    def world(self, story: Callable[[str], None] | None = None, *, honest: bool = False) -> World:
        """Return the world to run, with its bug unless an honest one is asked for."""
        recipe = HONEST if honest or self.bug is None else bug_of(self.bug).recipe
        return World(self.seed, self.scale, recipe, story=story, cut=Cut(frozenset(self.faults), self.until_ns))


def shrink(seed: int, days: int | None, bug: str | None, said: Callable[[str], None]) -> Case | None:
    """Return the smallest world found that breaks the same invariant as this seed, or nothing when it breaks none."""
    scale = SHORT if days is None else long_days(days)
    recipe = HONEST if bug is None else bug_of(bug).recipe
    search = _Search(seed, scale, recipe, said)
    return None if search.invariant is None else search.smallest(days, bug)


def read_case(path: Path) -> Case:
    """Return the case in a file."""
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(CASE_BYTES_MAX), type=Case)
    except (OSError, msgspec.DecodeError) as problem:
        raise ConfigError(
            f"{path} is no case of the world ({problem}); `appliance world --shrink` writes them"
        ) from problem


class _Search:
    """Take away from a failing world for as long as it still fails."""

    def __init__(self, seed: int, scale: Scale, recipe: Recipe, said: Callable[[str], None]) -> None:
        self._seed = seed
        self._scale = scale
        self._recipe = recipe
        self._said = said
        self._runs = 0
        world = World(seed, scale, recipe)
        self._names = world.planned
        self._faults = frozenset(range(len(world.planned)))
        self._until_ns = scale.duration_ns
        outcome = world.run()
        self.invariant = None if outcome.finding is None else outcome.finding.invariant
        self._outcome = outcome

    def smallest(self, days: int | None, bug: str | None) -> Case:
        """Search until nothing more can be left out, or for long enough."""
        size = -1
        while size != self._size() and self._runs < RUNS_MAX:
            size = self._size()
            for fewer in self._fewer_faults():
                self._try(fewer, self._until_ns)
            self._try(self._faults, self._moment_ns() + 1)
            for share in _SHARES:
                self._try(self._faults, self._until_ns * share // 10)
        finding = self._outcome.finding
        assert finding is not None  # noqa: S101 - kept only with one
        return Case(
            seed=self._seed, faults=tuple(sorted(self._faults)), until_ns=self._until_ns, invariant=finding.invariant,
            sentence=finding.sentence, kinds=tuple(sorted({self._names[number] for number in self._faults})),
            days=days, bug=bug,
        )  # fmt: skip

    def _size(self) -> int:
        return len(self._faults) + self._until_ns

    def _moment_ns(self) -> int:
        finding = self._outcome.finding
        return self._until_ns if finding is None else min(finding.time_ns, self._until_ns)

    def _fewer_faults(self) -> Iterator[frozenset[int]]:
        """Yield the faults without one half, without each kind, and without each single one."""
        ordered = sorted(self._faults)
        yield frozenset(ordered[: len(ordered) // 2])
        yield frozenset(ordered[len(ordered) // 2 :])
        for name in sorted({self._names[number] for number in self._faults}):
            yield frozenset(number for number in self._faults if self._names[number] != name)
        for number in ordered:
            yield self._faults - {number}

    def _try(self, wanted: frozenset[int], until_ns: int) -> None:
        faults = wanted & self._faults
        if (faults, until_ns) == (self._faults, self._until_ns) or self._runs >= RUNS_MAX:
            return
        self._runs += 1
        outcome: Outcome = World(self._seed, self._scale, self._recipe, cut=Cut(faults, until_ns)).run()
        if outcome.finding is not None and outcome.finding.invariant == self.invariant:
            self._faults, self._until_ns, self._outcome = faults, until_ns, outcome
            self._said(f"{len(faults)} faults until {until_ns / 1e9:.3f} s still break invariant {self.invariant}")
