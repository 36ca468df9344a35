"""Many seeds, each run twice in two processes that hash differently, and what they add up to.

The second run of a seed happens in another process on purpose: each process orders its sets and hashes its texts in a
way of its own, so a decision that hangs on such an order gives two different digests here and not on the appliance.
"""

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

from appliance.world.faults import NAMES
from appliance.world.planted import BUGS, Catch, hunt
from appliance.world.scale import Scale
from appliance.world.simulation import Outcome, run_seed

# Fewer seeds than this cannot be expected to meet every kind of fault.
JUDGED_FROM_SEEDS = 20
ALONE_UP_TO_SEEDS = 2
_CHUNK = 2


class Problem(NamedTuple):
    """Say what is wrong with one seed."""

    seed: int
    invariant: int
    sentence: str


class Report(NamedTuple):
    """Add up a run."""

    seeds_count: int
    simulated_ns: int
    events: Counter[str]
    happened: Counter[str]
    problems: tuple[Problem, ...]
    never_happened: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Tell whether nothing was found and enough was shown."""
        return not self.problems and not self.never_happened


def examine(seeds: range, scale: Scale, progress: Callable[[int], None]) -> Report:
    """Run every seed twice and return what was found, and which kinds of fault never happened."""
    outcomes: list[Outcome] = []
    problems: list[Problem] = []
    for number, (first, second) in enumerate(_pairs(seeds, scale), start=1):
        outcomes.append(first)
        problems += _problems(first, second)
        progress(number)
    return Report(
        len(seeds),
        sum(outcome.simulated_ns for outcome in outcomes),
        sum((outcome.events for outcome in outcomes), Counter()),
        _happened(outcomes),
        tuple(problems),
        never_happened(outcomes, NAMES) if len(seeds) >= JUDGED_FROM_SEEDS else (),
    )


def never_happened(outcomes: Sequence[Outcome], names: Sequence[str]) -> tuple[str, ...]:
    """Return the faults that took effect in none of the worlds: nothing was shown about them."""
    happened = _happened(outcomes)
    return tuple(name for name in names if not happened[name])


def _happened(outcomes: Sequence[Outcome]) -> Counter[str]:
    return sum((outcome.happened for outcome in outcomes), Counter())


def hunt_all(first: int, scale: Scale, progress: Callable[[int], None]) -> list[Catch]:
    """Look for every planted bug."""
    catches = []
    with _pool(2) as pool:
        for number, catch in enumerate(pool.map(partial(hunt, first=first, scale=scale), _bug_names()), start=1):
            catches.append(catch)
            progress(number)
    return catches


def _bug_names() -> list[str]:
    return [bug.name for bug in BUGS]


def _pairs(seeds: range, scale: Scale) -> Iterator[tuple[Outcome, Outcome]]:
    run = partial(run_seed, scale=scale)
    if len(seeds) <= ALONE_UP_TO_SEEDS:
        yield from ((run(seed), run(seed)) for seed in seeds)
        return
    with ExitStack() as stack:
        one, other = (stack.enter_context(_pool(1)) for _ in range(2))
        firsts = one.map(run, seeds, chunksize=_CHUNK)
        seconds = other.map(run, seeds, chunksize=_CHUNK)
        yield from zip(firsts, seconds, strict=True)


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def _problems(first: Outcome, second: Outcome) -> Iterator[Problem]:
    if first.finding is not None:
        at_s = first.finding.time_ns / 1e9
        yield Problem(first.seed, first.finding.invariant, f"at {at_s:.3f} s {first.finding.sentence}")
    if first.digest != second.digest:
        yield Problem(first.seed, 0, "two runs of the seed differ")
