"""A failing world made small: as few kinds of fault, then as few faults, and as short a time as still fail alike.

The plan of faults is drawn as ever and only some of them strike, so a small world is told by its seed, the numbers of
those faults and the moment at which everything heals. Alike means that the same invariant breaks; how it breaks may
differ, because a fault that stays out changes all that follows.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from appliance.core.errors import ConfigError
from appliance.world.inspector import Finding
from appliance.world.planted import bug_of
from appliance.world.scale import SHORT, Scale, long_days
from appliance.world.simulation import HONEST, Cut, Recipe, World

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
    world = World(seed, scale, recipe)
    finding = world.run().finding
    if finding is None:
        return None
    search = _Search(seed, scale, recipe, world.planned, finding, said)
    search.run()
    return Case(
        seed=seed, faults=tuple(sorted(search.faults)), until_ns=search.until_ns, invariant=search.finding.invariant,
        sentence=search.finding.sentence, kinds=tuple(sorted({world.planned[number] for number in search.faults})),
        days=days, bug=bug,
    )  # fmt: skip


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

    def __init__(
        self, seed: int, scale: Scale, recipe: Recipe, names: list[str], finding: Finding, said: Callable[[str], None]
    ) -> None:
        self._seed = seed
        self._scale = scale
        self._recipe = recipe
        self._names = names
        self._said = said
        self._runs = 0
        self.finding = finding
        self.faults = frozenset(range(len(names)))
        self.until_ns = scale.duration_ns

    def run(self) -> None:
        """Search until nothing more can be left out, or for long enough."""
        size = -1
        while size != self._size() and self._runs < RUNS_MAX:
            size = self._size()
            for fewer in self._fewer_faults():
                self._try(fewer, self.until_ns)
            self._try(self.faults, min(self.finding.time_ns + 1, self.until_ns))
            for share in _SHARES:
                self._try(self.faults, self.until_ns * share // 10)

    def _size(self) -> int:
        return len(self.faults) + self.until_ns

    def _fewer_faults(self) -> Iterator[frozenset[int]]:
        """Yield each half of the faults, all but one kind, and all but one."""
        ordered = sorted(self.faults)
        yield frozenset(ordered[: len(ordered) // 2])
        yield frozenset(ordered[len(ordered) // 2 :])
        for name in sorted({self._names[number] for number in self.faults}):
            yield frozenset(number for number in self.faults if self._names[number] != name)
        for number in ordered:
            yield self.faults - {number}

    def _try(self, wanted: frozenset[int], until_ns: int) -> None:
        faults = wanted & self.faults
        if (faults, until_ns) == (self.faults, self.until_ns) or self._runs >= RUNS_MAX:
            return
        self._runs += 1
        finding = World(self._seed, self._scale, self._recipe, cut=Cut(faults, until_ns)).run().finding
        if finding is not None and finding.invariant == self.finding.invariant:
            self.faults, self.until_ns, self.finding = faults, until_ns, finding
            self._said(f"{len(faults)} faults until {until_ns / 1e9:.3f} s still break invariant {finding.invariant}")
